/// The literals of a template: numbers and strings.
extension TemplateParser {
  /// The value of an integer's token.
  func integer(_ token: TemplateToken) throws -> Int {
    let digits = string(token).lowercased().filter { $0 != "_" }
    let value =
      switch digits.prefix(2) {
      case "0x": Int(digits.dropFirst(2), radix: 16)
      case "0o": Int(digits.dropFirst(2), radix: 8)
      case "0b": Int(digits.dropFirst(2), radix: 2)
      default: Int(digits)
      }
    guard let value else { throw TemplateFault.overflow }
    return value
  }

  /// A string's bytes without its escapes, which are those of Python's strings.
  func unescaped(_ raw: ArraySlice<UInt8>) throws -> [UInt8] {
    guard raw.contains(UInt8(ascii: "\\")) else { return Array(raw) }
    var text: [UInt8] = []
    text.reserveCapacity(raw.count)
    var i = raw.startIndex
    func number(_ start: Int, _ count: Int, radix: Int) -> UInt32? {
      guard start + count <= raw.endIndex else { return nil }
      let digits = String(decoding: raw[start..<start + count], as: UTF8.self)
      return digits.hasPrefix("+") ? nil : UInt32(digits, radix: radix)
    }
    while i < raw.endIndex {
      guard raw[i] == UInt8(ascii: "\\"), i + 1 < raw.endIndex else {
        text.append(raw[i])
        i += 1
        continue
      }
      let letter = raw[i + 1]
      i += 2
      switch letter {
      case 0x0A: break
      case UInt8(ascii: "n"): text.append(0x0A)
      case UInt8(ascii: "t"): text.append(0x09)
      case UInt8(ascii: "r"): text.append(0x0D)
      case UInt8(ascii: "a"): text.append(0x07)
      case UInt8(ascii: "b"): text.append(0x08)
      case UInt8(ascii: "f"): text.append(0x0C)
      case UInt8(ascii: "v"): text.append(0x0B)
      case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): text.append(letter)
      case UInt8(ascii: "0")...UInt8(ascii: "7"):
        var value = UInt32(letter - 0x30)
        var digits = 1
        while digits < 3, i < raw.endIndex, (0x30...0x37).contains(raw[i]) {
          value = value * 8 + UInt32(raw[i] - 0x30)
          digits += 1
          i += 1
        }
        text += String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8
      case UInt8(ascii: "x"), UInt8(ascii: "u"), UInt8(ascii: "U"):
        let count = letter == UInt8(ascii: "x") ? 2 : letter == UInt8(ascii: "u") ? 4 : 8
        guard let value = number(i, count, radix: 16), let scalar = Unicode.Scalar(value) else {
          throw TemplateFault.syntax(
            "the escape '\\\(Unicode.Scalar(letter))' is not followed by the \(count) hexadecimal "
              + "digits of a character.")
        }
        text += String(scalar).utf8
        i += count
      case UInt8(ascii: "N"):
        throw TemplateFault.unsupported("the escape '\\N' is not known. Write the character.")
      default:
        text.append(UInt8(ascii: "\\"))
        text.append(letter)
      }
    }
    return text
  }
}
