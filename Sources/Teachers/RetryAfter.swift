import Foundation

/// What a reply's head says about asking again.
struct WaitRequest: Equatable, Sendable {
  /// Seconds; nil if it says nothing that can be followed.
  var seconds: Double?
  /// `x-should-retry`.
  var shouldRetry: Bool?

  init(seconds: Double? = nil, shouldRetry: Bool? = nil) {
    self.seconds = seconds
    self.shouldRetry = shouldRetry
  }

  /// Reads `retry-after-ms`, then `retry-after` as seconds or as a date of HTTP, then
  /// `x-should-retry`: openai-python's order.
  ///
  /// What is not above zero, or no number and no date, counts as not said. Where openai-python
  /// gives up on waits that are too long for a person in front of a screen, a job waits: `longest`
  /// seconds at most, and asks again then.
  ///
  /// - Parameters:
  ///   - header: A header's value by its name.
  ///   - now: The time, which dates are compared with.
  init(header: (String) -> String?, now: Date, longest: Double) {
    switch header("x-should-retry")?.trimmingCharacters(in: .whitespaces).lowercased() {
    case "true": shouldRetry = true
    case "false": shouldRetry = false
    default: shouldRetry = nil
    }
    var wait: Double?
    if let milliseconds = header("retry-after-ms").flatMap(Self.number), milliseconds > 0 {
      wait = milliseconds / 1000
    } else if let text = header("retry-after") {
      wait = Self.number(text) ?? HTTPDate.seconds(text).map { $0 - now.timeIntervalSince1970 }
    }
    if let wait, wait > 0 { seconds = min(wait, longest) }
  }

  /// A plain decimal number; no `inf`, no `nan`, no hexadecimal digits.
  private static func number(_ text: String) -> Double? {
    let text = text.trimmingCharacters(in: .whitespaces)
    guard !text.isEmpty, text.utf8.count <= 64,
      text.utf8.allSatisfy({
        (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
      }), let value = Double(text), value.isFinite
    else { return nil }
    return value
  }
}

/// Dates in the heads of replies (RFC 9110, section 5.6.7), in the three forms they have.
enum HTTPDate {
  private static let months = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
  ]
  private static let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
  private static let longDays = [
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
  ]

  /// Seconds since 1970; nil if the text is no date.
  ///
  /// - Parameter century: For years of two digits, the year that they are near to.
  static func seconds(_ text: String, near year: Int? = nil) -> Double? {
    guard text.utf8.count <= 64 else { return nil }
    let words = text.lowercased().split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init)
    guard let day = words.first else { return nil }
    switch words.count {
    case 6 where days.contains(day) && isUniversal(words[5]):
      // Sun, 06 Nov 1994 08:49:37 GMT
      guard words[3].utf8.count == 4 else { return nil }
      return seconds(day: words[1], month: words[2], year: digits(words[3]), time: words[4])
    case 4 where longDays.contains(day) && isUniversal(words[3]):
      // Sunday, 06-Nov-94 08:49:37 GMT
      let parts = words[1].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3, parts[2].utf8.count == 2, let short = digits(parts[2]) else {
        return nil
      }
      let now = year ?? thisYear
      var full = now / 100 * 100 + short
      // More than fifty years ahead is the past, says the standard.
      if full > now + 50 { full -= 100 }
      return seconds(day: parts[0], month: parts[1], year: full, time: words[2])
    case 5 where days.contains(day):
      // Sun Nov  6 08:49:37 1994
      guard words[4].utf8.count == 4 else { return nil }
      return seconds(day: words[2], month: words[1], year: digits(words[4]), time: words[3])
    default: return nil
    }
  }

  private static var thisYear: Int {
    Calendar(identifier: .gregorian).component(.year, from: Date())
  }

  private static func isUniversal(_ zone: String) -> Bool {
    ["gmt", "utc", "+0000"].contains(zone)
  }

  private static func digits(_ text: String) -> Int? {
    guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
    else { return nil }
    return Int(text)
  }

  private static func seconds(day: String, month: String, year: Int?, time: String) -> Double? {
    let clock = time.split(separator: ":", omittingEmptySubsequences: false).map {
      $0.utf8.count == 2 ? digits(String($0)) : nil
    }
    guard let day = digits(day), (1...31).contains(day), let index = months.firstIndex(of: month),
      let year, clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2],
      hour < 24, minute < 60, second <= 60
    else { return nil }
    let days = dayNumber(year: year, month: index + 1, day: day)
    return Double(days * 86_400 + hour * 3600 + minute * 60 + second)
  }

  /// Days since 1970, by the Gregorian calendar (Hinnant's `days_from_civil`).
  private static func dayNumber(year: Int, month: Int, day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}
