/// Finds stop strings in text that comes in pieces, and holds back what may become one.
struct StopMatcher {
  private let strings: [(text: String, bytes: [UInt8])]
  private let longest: Int
  /// All text so far, up to a stop string if there was one.
  private(set) var bytes: [UInt8]
  /// How much of it was given out.
  private var given: Int
  private(set) var found: String?

  /// - Parameter beginning: Text that was given out before, in which nothing is looked for.
  init(_ strings: [String], beginning: String = "") {
    self.strings = strings.filter { !$0.isEmpty }.map { ($0, Array($0.utf8)) }
    longest = self.strings.map(\.bytes.count).max() ?? 0
    bytes = Array(beginning.utf8)
    given = bytes.count
    start = bytes.count
  }

  private let start: Int

  /// Adds text; returns what is certain not to be part of a stop string.
  mutating func append(_ text: String) -> String {
    if found != nil { return "" }
    let before = bytes.count
    bytes += text.utf8
    if longest == 0 { return take(upTo: bytes.count) }
    // The match that ends first, and of those the one that begins first: so it does not depend on
    // how the text is cut into pieces.
    for end in before + 1..<max(before, bytes.count) + 1 {
      let match = strings.filter { string in
        string.bytes.count <= end - start
          && bytes[(end - string.bytes.count)..<end].elementsEqual(string.bytes)
      }.max { $0.bytes.count < $1.bytes.count }
      if let match {
        let position = end - match.bytes.count
        found = match.text
        bytes.removeSubrange(position...)
        return take(upTo: position)
      }
    }
    return take(upTo: bytes.count - heldBack())
  }

  /// What was held back, once nothing more comes.
  mutating func finish() -> String { take(upTo: bytes.count) }

  /// The longest end of the text that is the beginning of a stop string.
  private func heldBack() -> Int {
    let most = min(longest - 1, bytes.count - start)
    for count in stride(from: most, to: 0, by: -1) {
      let end = bytes[(bytes.count - count)...]
      if strings.contains(where: { $0.bytes.count > count && $0.bytes.starts(with: end) }) {
        return count
      }
    }
    return 0
  }

  private mutating func take(upTo end: Int) -> String {
    // Never within a character: a stop string may begin with the bytes that another one's end.
    var end = max(given, end)
    while end > given, end < bytes.count, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    defer { given = end }
    return String(decoding: bytes[given..<end], as: UTF8.self)
  }
}
