import Foundation

extension JSONValue {
  /// The value as JSON text in UTF-8: the same value gives the same bytes.
  ///
  /// Members stay in their order. Only quotes, backslashes and control characters are escaped.
  ///
  /// - Parameter pretty: One line for each element and member, indented by two spaces, and a line
  ///   feed at the end, as the `config.json` of a checkpoint has it; otherwise one line.
  public func serialized(pretty: Bool = false) -> Data {
    var text: [UInt8] = []
    write(to: &text, indentation: pretty ? 0 : nil)
    if pretty { text.append(0x0A) }
    return Data(text)
  }

  /// Appends the value; `indentation` is the spaces of the line it is on, nil for no lines.
  private func write(to text: inout [UInt8], indentation: Int?) {
    switch self {
    case .null: text.append(contentsOf: "null".utf8)
    case .bool(let bool): text.append(contentsOf: (bool ? "true" : "false").utf8)
    case .number(let number):
      precondition(
        Array(number.text.utf8).withUnsafeBytes(JSONNumber.isNumber),
        "'\(number.text)' is not a JSON number.")
      text.append(contentsOf: number.text.utf8)
    case .string(let string): Self.write(string, to: &text)
    case .array(let elements):
      Self.write(elements, in: "[]", to: &text, indentation) { element, text, inner in
        element.write(to: &text, indentation: inner)
      }
    case .object(let object):
      Self.write(object.members, in: "{}", to: &text, indentation) { member, text, inner in
        Self.write(member.key, to: &text)
        text.append(contentsOf: (inner == nil ? ":" : ": ").utf8)
        member.value.write(to: &text, indentation: inner)
      }
    }
  }

  private static func write<Item>(
    _ items: [Item], in brackets: StaticString, to text: inout [UInt8], _ indentation: Int?,
    item: (Item, inout [UInt8], Int?) -> Void
  ) {
    let inner = indentation.map { $0 + 2 }
    func breakLine(_ spaces: Int?) {
      guard let spaces else { return }
      text.append(0x0A)
      text.append(contentsOf: repeatElement(0x20, count: spaces))
    }
    text.append(brackets.utf8Start[0])
    for (i, each) in items.enumerated() {
      if i > 0 { text.append(UInt8(ascii: ",")) }
      breakLine(inner)
      item(each, &text, inner)
    }
    if !items.isEmpty { breakLine(indentation) }
    text.append(brackets.utf8Start[1])
  }

  private static func write(_ string: String, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        text.append(UInt8(ascii: "\\"))
        text.append(byte)
      case 0x08: text.append(contentsOf: "\\b".utf8)
      case 0x09: text.append(contentsOf: "\\t".utf8)
      case 0x0A: text.append(contentsOf: "\\n".utf8)
      case 0x0C: text.append(contentsOf: "\\f".utf8)
      case 0x0D: text.append(contentsOf: "\\r".utf8)
      case 0x00..<0x20:
        text.append(contentsOf: "\\u00".utf8)
        for digit in [byte >> 4, byte & 0xF] {
          text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }
}
