import Reports

/// Figures as tables have them.
enum Words {
  /// What stands where nothing is known.
  static let unknown = "—"

  /// Points of 100: `43.3`.
  static func points(_ value: Double) -> String {
    let text = NumberText.fixed(value, 1)
    return text == "-0.0" ? "0.0" : text
  }

  /// A difference of points, with its sign: `+4.0`.
  static func signed(_ value: Double) -> String {
    let text = points(value)
    return text.hasPrefix("-") || text == "0.0" ? text : "+" + text
  }

  /// `91.4 [88.5, 93.9]`; a rating is whole.
  static func cell(_ cell: ComparedCell?, _ score: ScoreName) -> String {
    guard let cell else { return unknown }
    func text(_ value: Double) -> String {
      score.isShare ? points(value) : NumberText.fixed(value, 0)
    }
    let sign: String =
      switch cell.bound {
      case .atLeast?: "≥ "
      case .atMost?: "≤ "
      case nil: ""
      }
    var words = sign + text(cell.value)
    if let low = cell.low, let high = cell.high { words += " [\(text(low)), \(text(high))]" }
    return cell.missing == nil ? words : words + " *"
  }

  /// A mean number of tokens.
  static func tokens(_ value: Double?) -> String {
    value.map { NumberText.fixed($0, $0 < 1_000 ? 1 : 0, grouped: true) } ?? unknown
  }

  /// A whole number with separators.
  static func count(_ value: Double?) -> String { value.map { NumberText.count($0) } ?? unknown }

  /// `1.2e18`, `35,000`: four digits.
  static func operations(_ value: Double?) -> String {
    guard let value else { return unknown }
    return value < 1e6 ? NumberText.count(value) : scientific(value)
  }

  private static func scientific(_ value: Double) -> String {
    var (mantissa, exponent) = (value, 0)
    while mantissa >= 10, exponent < 400 {
      mantissa /= 10
      exponent += 1
    }
    let text = NumberText.fixed(mantissa, 2)
    return text.hasPrefix("10") ? "1.00e\(exponent + 1)" : "\(text)e\(exponent)"
  }

  /// Hours: `0.012`, `3.4`, `1,234`.
  static func hours(seconds: Double?) -> String {
    guard let seconds else { return unknown }
    let hours = seconds / 3_600
    return NumberText.fixed(
      hours, hours < 0.1 ? 4 : hours < 10 ? 2 : hours < 100 ? 1 : 0, grouped: true)
  }

  /// `p 0.012`, `p < 0.0001`.
  static func pValue(_ p: Double) -> String {
    p < 0.0001 ? "< 0.0001" : NumberText.fixed(p, p < 0.01 ? 4 : 3)
  }

  /// A share of 1 as a percentage: `95 %`.
  static func percent(_ share: Double) -> String {
    NumberText.trimmed(NumberText.fixed(100 * share, 2)) + " %"
  }

  /// `a`, `a and b`, `a, b and c`.
  static func list(_ items: [String]) -> String {
    guard let last = items.last, items.count > 1 else { return items.first ?? "" }
    return items.dropLast().joined(separator: ", ") + " and " + last
  }
}
