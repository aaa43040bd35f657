/// Text from a file, in quotes, fit for one line of an error: what would break the line or change
/// the terminal is written as an escape, and a long text is cut.
public func quoted(_ text: String, longest: Int = 100) -> String {
  var result = "'"
  for (i, scalar) in text.unicodeScalars.enumerated() {
    if i == longest {
      result += "…"
      break
    }
    if isUnprintable(scalar) {
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return result + "'"
}

/// Control characters, line separators, and what turns the direction of the text around it.
func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x00...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069: true
  default: false
  }
}
