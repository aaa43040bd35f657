import Interface

/// How documents become rows.
public enum PackingMethod: String, Choice {
  /// Each document is a row of its own.
  case none
  /// Documents share rows, in which they do not see each other and positions begin anew.
  case bestFit
}

/// Rows of whole documents.
public struct Packing: Equatable, Sendable {
  /// The numbers of the documents in each row, ascending.
  public private(set) var rows: [[Int]] = []
  /// Tokens in the rows, and room in them.
  public private(set) var tokens = 0
  public private(set) var capacity = 0

  /// The share of the rows that is empty.
  public var waste: Double { capacity == 0 ? 0 : 1 - Double(tokens) / Double(capacity) }

  /// How many documents, in their order, are packed with one another: so many that little room is
  /// left, so few that an epoch's order still means something.
  public static let window = 16_384

  /// Packs documents in windows of their order.
  ///
  /// Within a window the longest document goes first, each into the row with the least room that
  /// it fits into ("best-fit decreasing", Johnson 1973): among equal lengths the earlier document
  /// first, among equal rooms the row that came to it last. A row stands where its first document
  /// does.
  ///
  /// - Parameters:
  ///   - lengths: Of each document, from 1 to `contextLength`.
  ///   - contextLength: The room of a row, in tokens.
  public init(
    _ lengths: some RandomAccessCollection<Int>, contextLength: Int, method: PackingMethod,
    window: Int = Packing.window
  ) {
    precondition(contextLength > 0 && window > 0)
    let lengths = Array(lengths)
    precondition(lengths.allSatisfy { (1...contextLength).contains($0) })
    tokens = lengths.reduce(0, +)
    switch method {
    case .none:
      rows = lengths.indices.map { [$0] }
    case .bestFit:
      for start in stride(from: 0, to: lengths.count, by: window) {
        rows += Self.packed(lengths, start..<min(start + window, lengths.count), contextLength)
      }
    }
    capacity = rows.count * contextLength
  }

  private static func packed(
    _ lengths: [Int], _ range: Range<Int>, _ contextLength: Int
  ) -> [[Int]] {
    var rooms = RoomTree(contextLength)
    var rows: [[Int]] = []
    // For each room the rows that have it, in the order in which they came to it.
    var rowsByRoom: [Int: [Int]] = [:]
    let order = range.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
    for document in order {
      let length = lengths[document]
      var room = contextLength
      var row = rows.count
      if let found = rooms.smallest(from: length), let last = rowsByRoom[found]?.popLast() {
        room = found
        row = last
        if rowsByRoom[found]?.isEmpty ?? true { rooms.remove(found) }
        rows[row].append(document)
      } else {
        rows.append([document])
      }
      let left = room - length
      if left > 0 {
        rooms.insert(left)
        rowsByRoom[left, default: []].append(row)
      }
    }
    return rows.map { $0.sorted() }.sorted { $0[0] < $1[0] }
  }
}

/// A set of numbers up to a limit, which finds the smallest one from a number on: bits, and above
/// them bits that say which words below have any.
private struct RoomTree {
  private var levels: [[UInt64]] = []

  init(_ limit: Int) {
    var count = limit + 1
    repeat {
      count = (count + 63) / 64
      levels.append([UInt64](repeating: 0, count: count))
    } while count > 1
  }

  mutating func insert(_ number: Int) {
    var number = number
    for level in levels.indices {
      levels[level][number / 64] |= 1 << UInt64(number % 64)
      number /= 64
    }
  }

  mutating func remove(_ number: Int) {
    var number = number
    for level in levels.indices {
      levels[level][number / 64] &= ~(1 << UInt64(number % 64))
      if levels[level][number / 64] != 0 { return }
      number /= 64
    }
  }

  func smallest(from number: Int) -> Int? {
    var number = number
    for level in levels.indices {
      if number / 64 < levels[level].count {
        let word = levels[level][number / 64] >> UInt64(number % 64)
        if word != 0 {
          number += word.trailingZeroBitCount
          for below in levels[..<level].reversed() {
            number = 64 * number + below[number].trailingZeroBitCount
          }
          return number
        }
      }
      number = number / 64 + 1
    }
    return nil
  }
}
