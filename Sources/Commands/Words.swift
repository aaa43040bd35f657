import Foundation
import Interface
import Models
import Safetensors

/// A whole number with its thousands apart: "494,032,768".
func groupedText(_ number: Int) -> String {
  var text = ""
  for (place, digit) in String(number.magnitude).reversed().enumerated() {
    if place > 0, place % 3 == 0 { text.append(",") }
    text.append(digit)
  }
  return (number < 0 ? "-" : "") + String(text.reversed())
}

/// A count, exact and, from a thousand on, short: "494,032,768 (494 M)".
func exactText(_ count: Int) -> String {
  count < 1000 ? "\(count)" : "\(groupedText(count)) (\(countText(count)))"
}

/// A number as short as it is exact; a whole one without a fraction.
func numberText(_ number: Double) -> String {
  Int(exactly: number).map(groupedText) ?? "\(number)"
}

/// "1 file", "3 files".
func countedText(_ count: Int, _ noun: String) -> String {
  "\(groupedText(count)) \(noun)\(count == 1 ? "" : "s")"
}

/// "a, b and c".
func listText(_ words: [String]) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return "\(words.dropLast().joined(separator: ", ")) and \(last)"
}

/// Facts, one per line, with the values below each other.
func factLines(_ facts: [(name: String, value: String)]) -> String {
  let width = facts.map(\.name.count).max() ?? 0
  return facts.map { name, value in
    name + String(repeating: " ", count: width - name.count) + "   " + value
  }.joined(separator: "\n")
}

extension SafetensorsType {
  /// What `config.json` calls the types that weights may have.
  var dtypeName: String {
    switch self {
    case .f32: "float32"
    case .bf16: "bfloat16"
    case .f16: "float16"
    default: rawValue
    }
  }
}
