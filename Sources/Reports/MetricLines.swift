import Storage

/// Goes through the lines of a `metrics.jsonl`, and keeps what is wrong with them.
///
/// A last line without a line feed was never finished and is left out; empty lines are passed over.
public struct MetricLines: Equatable, Sendable {
  /// How many finished lines could not be understood.
  public private(set) var unreadable = 0
  /// What is wrong with the first of them.
  public private(set) var firstMistake: String?
  /// Whether the last line has no end.
  public private(set) var isTorn = false

  public init() {}

  /// Reads the lines.
  ///
  /// - Parameters:
  ///   - source: The name of the file in sentences about it.
  ///   - add: Takes a line; false if it is none of a run.
  public init(_ bytes: UnsafeRawBufferPointer, source: String, add: (JSONValue) -> Bool) {
    var position = 0
    var number = 0
    while position < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
      guard let length = rest.firstIndex(of: 0x0A) else {
        isTorn = true
        break
      }
      number += 1
      position += length + 1
      let line = UnsafeRawBufferPointer(rebasing: rest[..<length])
      if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
      do throws(JSONError) {
        if try add(JSONValue(parsing: line, source: source)) { continue }
        note("\(source):\(number): no object with 'kind' and the 'step' that belongs to it.")
      } catch {
        note("\(source):\(number): column \(error.column): \(error.message)")
      }
    }
  }

  private mutating func note(_ mistake: String) {
    unreadable += 1
    if firstMistake == nil { firstMistake = mistake }
  }

  /// What a page says of lines that were left out.
  public var notes: [HTMLPage.Block] {
    var notes: [HTMLPage.Block] = []
    if let firstMistake {
      let lines = NumberText.count(unreadable, "line", "lines")
      notes.append(
        .note(
          "\(lines) of metrics.jsonl could not be understood and left out. The first: "
            + firstMistake))
    }
    if isTorn {
      notes.append(
        .note(
          "The last line of metrics.jsonl is unfinished and left out; the run goes on or was stopped."
        ))
    }
    return notes
  }
}
