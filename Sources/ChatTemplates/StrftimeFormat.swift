import Foundation

/// The time a template is told when it asks, by the clock on the wall.
public struct TemplateDate: Equatable, Sendable {
  public let year: Int
  /// From 1.
  public let month: Int
  /// From 1.
  public let day: Int
  public let hour: Int
  public let minute: Int
  public let second: Int

  /// A time by its parts, which must be those of a calendar.
  public init(
    year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0
  ) {
    precondition((1...9_999).contains(year) && (1...12).contains(month))
    precondition((1...31).contains(day) && (0..<24).contains(hour))
    precondition((0..<60).contains(minute) && (0...60).contains(second))
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
    self.second = second
  }

  /// The time now, where the program runs.
  public static var now: TemplateDate {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .current
    let parts = calendar.dateComponents(
      [.year, .month, .day, .hour, .minute, .second], from: Date())
    return TemplateDate(
      year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1,
      hour: parts.hour ?? 0, minute: parts.minute ?? 0, second: parts.second ?? 0)
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]
  private static let weekdays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  /// The days of the year before this one.
  private var dayOfYear: Int {
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return before[month - 1] + day - 1 + (isLeap && month > 2 ? 1 : 0)
  }

  /// From 0 for Sunday.
  private var weekday: Int {
    let past = year - 1
    return (past * 365 + past / 4 - past / 100 + past / 400 + dayOfYear + 1) % 7
  }

  /// C's `strftime` in the C locale, for a time without a zone.
  ///
  /// - Throws: `TemplateFault` for letters that are not known.
  func formatted(_ format: String) throws -> String {
    var result = ""
    var letters = format.unicodeScalars.makeIterator()
    while let scalar = letters.next() {
      guard scalar == "%" else {
        result.unicodeScalars.append(scalar)
        continue
      }
      var isPlain = false
      var letter = letters.next()
      if letter == "-" {
        isPlain = true
        letter = letters.next()
      }
      guard let letter, let text = part(letter, isPlain: isPlain) else {
        throw TemplateFault.unsupported(
          "'%\(isPlain ? "-" : "")\(letter.map { String($0) } ?? "")' is not known in "
            + "'strftime_now'.")
      }
      result += text
    }
    return result
  }

  private func part(_ letter: Unicode.Scalar, isPlain: Bool) -> String? {
    func number(_ value: Int, _ width: Int = 2, _ fill: String = "0") -> String {
      let digits = String(value)
      return isPlain
        ? digits : String(repeating: fill, count: max(width - digits.count, 0)) + digits
    }
    let hour12 = hour % 12 == 0 ? 12 : hour % 12
    switch letter {
    case "Y": return String(year)
    case "y": return number(year % 100)
    case "C": return number(year / 100)
    case "m": return number(month)
    case "d": return number(day)
    case "e": return number(day, 2, " ")
    case "B": return Self.months[month - 1]
    case "b", "h": return String(Self.months[month - 1].prefix(3))
    case "A": return Self.weekdays[weekday]
    case "a": return String(Self.weekdays[weekday].prefix(3))
    case "w": return String(weekday)
    case "u": return String(weekday == 0 ? 7 : weekday)
    case "j": return number(dayOfYear + 1, 3)
    case "H": return number(hour)
    case "I": return number(hour12)
    case "k": return number(hour, 2, " ")
    case "l": return number(hour12, 2, " ")
    case "M": return number(minute)
    case "S": return number(second)
    case "p": return hour < 12 ? "AM" : "PM"
    case "F": return try? formatted("%Y-%m-%d")
    case "T", "X": return try? formatted("%H:%M:%S")
    case "R": return try? formatted("%H:%M")
    case "r": return try? formatted("%I:%M:%S %p")
    case "D", "x": return try? formatted("%m/%d/%y")
    case "c": return try? formatted("%a %b %e %H:%M:%S %Y")
    case "Z", "z": return ""
    case "n": return "\n"
    case "t": return "\t"
    case "%": return "%"
    default: return nil
    }
  }
}
