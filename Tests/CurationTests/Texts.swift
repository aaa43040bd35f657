/// Texts with one fault each.
enum Texts {
  /// The same letters for the same number, as few as there may be.
  static func name(_ k: Int) -> String {
    var k = k
    var name: [UInt8] = []
    repeat {
      name.append(UInt8(ascii: "a") + UInt8(k % 26))
      k /= 26
    } while k > 0
    return String(decoding: name + [UInt8(ascii: "q")], as: UTF8.self)
  }

  /// Words that do not come twice in the same neighbourhood.
  static func words(_ count: Int, from first: Int = 0) -> String {
    let a = ["strong", "blue", "late", "warm", "empty", "broad", "narrow", "silent", "distant"]
    let b = ["river", "table", "garden", "window", "letter", "engine", "bridge"]
    let c = ["turns", "stands", "breaks", "opens", "follows"]
    return (first..<(first + count)).map { k in
      switch k % 4 {
      case 0: "the"
      case 1: a[k / 4 % a.count]
      case 2: b[k / 4 % b.count]
      default: c[k / 4 % c.count]
      }
    }.joined(separator: " ")
  }

  static let english =
    "We want the sum of both numbers. The first of them is even, so that we can divide it by two "
    + "and then add what is left. This is what the question asks us to find, and there is nothing "
    + "else to be done with it."

  static let spanish =
    "Queremos la suma de los dos números. El primero es par, de modo que podemos dividirlo entre "
    + "dos y luego añadir lo que queda. Esto es lo que nos pide la pregunta, y no hay nada más "
    + "que hacer con ello, porque la respuesta ya está clara para nosotros."

  static let mixed = english + "\n\n" + spanish
  static let longParagraph = words(330)
  static let code = "Let me run it.\n\n```python\nprint(1 + 1)\n```\n\nThat is it."
  static let loop = "I see. " + String(repeating: "and once more ", count: 30)
  static let sentences = (0..<20).map { "\(words(17, from: $0 * 17)).\nWait, let me check again." }
    .joined(separator: "\n\n")
  static let phrases = (0..<24).map { k in
    "So the remainder of the number \(name(k)) after division by the modulus is \(k + 3)."
  }.joined(separator: "\n\n")

  static let repeated: String = {
    let page = (0..<20).map { words(24, from: $0 * 24) + "." }.joined(separator: "\n\n")
    return [page, words(200, from: 480), page, words(200, from: 680), page].joined(
      separator: "\n\n")
  }()
}
