import Foundation

/// Numbers as people read them: `1,234`, `0.0123`, `1.5e-5`, `20k`, `2 h 5 min`, `1.2 GiB`.
public enum NumberText {
  private static let powers: [Double] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

  /// With so many places behind the point, at most nine.
  public static func fixed(_ value: Double, _ places: Int, grouped: Bool = false) -> String {
    let places = min(max(places, 0), powers.count - 1)
    let scaled = (value * powers[places]).rounded()
    guard scaled.magnitude < 1e15 else { return "\(value)" }
    let digits = String(Int(scaled.magnitude))
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.utf8.count)) + digits
    let whole = String(padded.dropLast(places))
    let sign = scaled < 0 ? "-" : ""
    let text = sign + (grouped ? separated(whole) : whole)
    return places == 0 ? text : text + "." + padded.suffix(places)
  }

  /// A coordinate of a drawing: one place, and none where it is zero.
  static func coordinate(_ value: Double) -> String {
    let text = fixed(value, 1)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// With so many digits that count, as a power of ten where that is shorter to read.
  public static func significant(_ value: Double, _ digits: Int = 4) -> String {
    guard value.isFinite else { return value.isNaN ? "not a number" : "infinite" }
    if value == 0 { return "0" }
    let size = value.magnitude
    guard size >= 1e-3, size < 1e9 else { return scientific(value, digits) }
    let places = max(0, digits - 1 - Int(log10(size).rounded(.down)))
    return places == 0 ? fixed(value, 0, grouped: true) : fixed(value, places, grouped: true)
  }

  /// `1.5e-5`: a mantissa without zeros at its end.
  static func scientific(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, value.magnitude > 1e-300 else { return "\(value)" }
    var exponent = log10(value.magnitude).rounded(.down)
    var mantissa = fixed(value / pow(10, exponent), digits - 1)
    if mantissa.hasPrefix("10") || mantissa.hasPrefix("-10") {
      exponent += 1
      mantissa = fixed(value / pow(10, exponent), digits - 1)
    }
    return trimmed(mantissa) + "e\(Int(exponent))"
  }

  /// For the ticks of an axis: `20k` and `5M`, since there is little room.
  static func compact(_ value: Double) -> String {
    let size = value.magnitude
    for (unit, letter) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
    where size >= unit && size < 1e15 && (letter != "k" || size >= 1e4) {
      return trimmed(fixed(value / unit, 2)) + letter
    }
    if value == 0 { return "0" }
    return size >= 1e-3 && size < 1e4 ? trimmed(fixed(value, 6)) : scientific(value, 3)
  }

  /// A whole number with separators.
  public static func count(_ value: Int) -> String {
    (value < 0 ? "-" : "") + separated(String(value.magnitude))
  }

  /// A sum that may be larger than `Int` holds.
  public static func count(_ value: Double) -> String { fixed(value, 0, grouped: true) }

  /// A count and its word: `1 step`, `2 steps`.
  public static func count(_ value: Int, _ one: String, _ many: String) -> String {
    "\(count(value)) \(value == 1 ? one : many)"
  }

  public static func duration(seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0 else { return "an unknown time" }
    guard seconds >= 59.95 else { return fixed(seconds, 1) + " s" }
    let whole = Int(min(seconds, 1e12).rounded())
    let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60)
    if days > 0 { return "\(count(days)) d \(hours) h" }
    return hours > 0 ? "\(hours) h \(minutes) min" : "\(minutes) min \(whole % 60) s"
  }

  public static func bytes(_ value: Double) -> String {
    for (unit, name) in [(0x1p40, "TiB"), (0x1p30, "GiB"), (0x1p20, "MiB"), (0x1p10, "KiB")]
    where value >= unit {
      return fixed(value / unit, 1) + " " + name
    }
    return fixed(value, 0) + " bytes"
  }

  /// Without zeros at the end of the places.
  public static func trimmed(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: ".")) else { return text }
    var text = text
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  private static func separated(_ digits: String) -> String {
    var result = ""
    for (i, digit) in digits.enumerated() {
      if i > 0, (digits.utf8.count - i) % 3 == 0 { result += "," }
      result.append(digit)
    }
    return result
  }
}
