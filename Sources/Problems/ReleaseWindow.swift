import Storage

/// The days in which problems were made public, the first and the last included: a benchmark without
/// what a model could have been trained on.
public struct ReleaseWindow: Codable, Equatable, Sendable {
  /// `2024-08-01`; without it, there is no first day.
  public var from: String?
  /// `2025-01-31`; without it, there is no last day.
  public var until: String?

  public init(from: String? = nil, until: String? = nil) {
    (self.from, self.until) = (from, until)
  }

  /// What cannot be meant, as it goes on behind `'released`; nil if nothing is wrong.
  public var finding: String? {
    if from == nil, until == nil { return "' must have 'from', 'until', or both." }
    for (name, text) in [("from", from), ("until", until)] {
      if let text, !Self.isDay(text) {
        return ".\(name)' is \(quoted(text)); it must be a date as '2024-08-03' is."
      }
    }
    if let from, let until, Self.isBefore(until, from) {
      return "' ends on \(until), before it begins on \(from)."
    }
    return nil
  }

  /// - Parameter day: As `2024-08-03`.
  func contains(_ day: String) -> Bool {
    !(from.map { Self.isBefore(day, $0) } ?? false)
      && !(until.map { Self.isBefore($0, day) } ?? false)
  }

  var words: String {
    [from.map { "from \($0)" }, until.map { "until \($0)" }].compactMap { $0 }
      .joined(separator: " ")
  }

  // MARK: Days

  /// Days of ISO 8601 come in the order of their bytes.
  private static func isBefore(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
  }

  private static func isDay(_ text: String) -> Bool {
    text.utf8.count == 10 && day(beginning: text) != nil
  }

  /// The day that a text begins with, behind which there may be a time: `2024-08-03T00:00:00`; nil if
  /// there is none, or the calendar lacks it.
  static func day(beginning text: String) -> String? {
    let bytes = Array(text.utf8.prefix(11))
    guard bytes.count == 10 || bytes.count == 11 && (bytes[10] == 0x54 || bytes[10] == 0x20)
    else { return nil }
    func number(_ places: Range<Int>) -> Int? {
      guard bytes[places].allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
      return bytes[places].reduce(0) { $0 * 10 + Int($1) - 0x30 }
    }
    guard bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), year > 0,
      (1...12).contains(month)
    else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...days[month - 1]).contains(day) else { return nil }
    return String(decoding: bytes[..<10], as: UTF8.self)
  }
}
