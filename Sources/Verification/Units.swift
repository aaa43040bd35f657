/// What a number counts or is measured in.
///
/// Units are part of an answer's wording, not of its value: a reference in dollars and a bare number
/// agree. Two different measures, such as centimetres and metres, do not.
enum Unit: Hashable, Sendable {
  case percent
  case degree
  case currency
  /// A measure with a power, in its usual short form: `cm`, 2.
  case measure(String, power: Int)
  /// Any other words, in lower case: what is counted.
  case words(String)
}

enum Units {
  /// Short names of measures, by all their usual names in lower case.
  private static let measures: [String: String] = {
    let names: [String: [String]] = [
      "mm": ["mm", "millimeter", "millimetre"], "cm": ["cm", "centimeter", "centimetre", "cms"],
      "m": ["meter", "metre"], "km": ["km", "kilometer", "kilometre", "kms"],
      "in": ["inch", "inches", "in"], "ft": ["ft", "foot", "feet"], "yd": ["yd", "yard", "yds"],
      "mi": ["mile", "mi"], "g": ["gram", "gm", "gms"], "kg": ["kg", "kilogram", "kgs"],
      "mg": ["mg", "milligram"], "lb": ["lb", "lbs", "pound"], "oz": ["oz", "ounce"],
      "s": ["sec", "second", "secs"], "min": ["min", "minute", "mins"],
      "h": ["hour", "hr", "hrs"], "day": ["day"], "week": ["week"], "month": ["month"],
      "year": ["year", "yr", "yrs"], "l": ["liter", "litre"], "ml": ["ml", "milliliter"],
      "gal": ["gallon", "gal"], "mph": ["mph"], "kph": ["kph", "kmh"], "cent": ["cent"],
      "am": ["am"], "pm": ["pm"], "rad": ["radian", "rad"], "unit": ["unit"],
      "thousand": ["thousand"], "million": ["million"], "billion": ["billion"],
      "trillion": ["trillion"], "dozen": ["dozen"], "ton": ["ton"], "hz": ["hz", "hertz"],
      "acre": ["acre"], "cup": ["cup"], "pint": ["pint"], "quart": ["quart"],
    ]
    var all: [String: String] = [:]
    for (short, many) in names {
      for name in many {
        all[name] = short
        all[name + "s"] = short
      }
    }
    return all
  }()

  private static let percents: Set<String> = [
    "percent", "percents", "pct", "percentage", "percentages",
  ]
  private static let currencies: Set<String> = [
    "dollar", "dollars", "usd", "euro", "euros", "eur", "gbp", "rupees", "yuan", "bucks",
  ]

  /// Words between a number and its unit, which say nothing.
  private static let fillers: Set<String> = ["of", "the", "a", "an", "in", "per", "total", "about"]

  /// Whether letters outside `\text` are a unit where they follow a number.
  static func isUnit(_ word: String) -> Bool {
    let word = word.lowercased()
    return word.utf8.count > 1
      && (measures[word] != nil || percents.contains(word) || currencies.contains(word)
        || word == "degrees" || word == "degree" || word == "deg" || word == "square"
        || word == "cubic" || word == "sq")
  }

  /// The unit that words name; `power` is the exponent that follows them.
  static func unit(of words: [String], power: Int) -> Unit {
    var words = words.map { $0.lowercased() }
    var power = power
    if words.count > 1 {
      if words[0] == "square" || words[0] == "sq" {
        power *= 2
        words.removeFirst()
      } else if words[0] == "cubic" {
        power *= 3
        words.removeFirst()
      } else if words.last == "squared" || words.last == "cubed" {
        power *= words.removeLast() == "squared" ? 2 : 3
      }
    }
    if words.count == 1 {
      let word = words[0]
      if percents.contains(word) { return .percent }
      if currencies.contains(word) { return .currency }
      if word == "degree" || word == "degrees" || word == "deg" { return .degree }
      if let short = measures[word] ?? (word.utf8.count == 1 ? word : nil) {
        return .measure(short, power: power)
      }
    }
    let rest = words.filter { !fillers.contains($0) }
    return .words(rest.joined(separator: " ") + (power == 1 ? "" : "^\(power)"))
  }

  /// Whether an answer with one unit may stand for an answer with the other: not if they are two
  /// different measures.
  static func agree(_ a: Unit?, _ b: Unit?) -> Bool {
    guard let a, let b, a != b else { return true }
    switch (a, b) {
    case (.words, _), (_, .words): return true
    case (.measure("unit", let p), .measure(_, let q)),
      (.measure(_, let p), .measure("unit", let q)):
      return p == q
    default: return false
    }
  }

  /// By how much a word multiplies the number before it; nil if it is no such word.
  static func multiple(_ unit: Unit) -> Rational? {
    guard case .measure(let name, power: 1) = unit else { return nil }
    switch name {
    case "thousand": return Rational(1_000)
    case "million": return Rational(1_000_000)
    case "billion": return Rational(1_000_000_000)
    case "trillion": return Rational(1_000_000_000_000)
    case "dozen": return Rational(12)
    default: return nil
    }
  }
}
