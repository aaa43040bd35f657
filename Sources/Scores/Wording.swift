/// Figures and lists as sentences have them.
enum Wording {
  private static let powers: [Double] = [1, 10, 100, 1_000, 10_000]

  /// With so many places behind the point, at most four; a half is rounded away from zero, and zero
  /// has no sign.
  static func fixed(_ value: Double, _ places: Int) -> String {
    let places = min(max(places, 0), powers.count - 1)
    let scaled = (value * powers[places]).rounded()
    guard scaled.magnitude < 1e15 else { return "\(value)" }
    let digits = String(Int(scaled.magnitude))
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.utf8.count)) + digits
    let whole = (scaled < 0 ? "-" : "") + padded.dropLast(places)
    return places == 0 ? whole : whole + "." + padded.suffix(places)
  }

  /// A share of 1 in points of 100: `43.3`.
  static func points(_ share: Double) -> String { fixed(share * 100, 1) }

  /// A confidence: `95 %`, `99.5 %`.
  static func percent(_ share: Double) -> String {
    let text = fixed(share * 100, 2)
    if text.hasSuffix(".00") { return text.dropLast(3) + " %" }
    return (text.hasSuffix("0") ? String(text.dropLast()) : text) + " %"
  }

  /// `95 %: 8.1 to 16.4`, in points.
  static func interval(_ interval: ConfidenceInterval) -> String {
    percent(interval.confidence) + ": \(points(interval.low)) to \(points(interval.high))"
  }

  /// `p 0.012`, `p 0.0004`, `p < 0.0001`.
  static func pValue(_ p: Double) -> String {
    p < 0.0001 ? "p < 0.0001" : "p " + fixed(p, p < 0.01 ? 4 : 3)
  }

  static func count(_ value: Int, _ one: String, _ many: String) -> String {
    "\(value) \(value == 1 ? one : many)"
  }

  /// `a`, `a and b`, `a, b and c`.
  static func list(_ items: [String]) -> String {
    guard let last = items.last, items.count > 1 else { return items.first ?? "" }
    return items.dropLast().joined(separator: ", ") + " and " + last
  }
}
