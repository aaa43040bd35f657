/// Wrong answers made from right ones, always the same.
struct WrongAnswers {
  enum Kind: String, CaseIterable {
    case signFlipped, signInside, digitChanged, digitDropped, digitAdded, bracketChanged,
      elementDropped, prefix, entriesExchanged, fractionInverted, letterChanged, constantDropped,
      rootDropped, relationTurned, wordChanged
  }

  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// SplitMix64.
  private mutating func next(below bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) >> 33) % bound
  }

  private mutating func pick<T>(_ items: [T]) -> T? {
    items.isEmpty ? nil : items[next(below: items.count)]
  }

  /// A wrong answer of this kind; nil where none can be made.
  mutating func wrong(_ kind: Kind, from answer: String) -> String? {
    let bytes = Array(answer.utf8)
    let c = { (s: Unicode.Scalar) in UInt8(s.value) }
    func text(_ bytes: some Sequence<UInt8>) -> String {
      String(decoding: Array(bytes), as: UTF8.self)
    }
    let digits = bytes.indices.filter { bytes[$0] >= 48 && bytes[$0] <= 57 }
    switch kind {
    case .signFlipped:
      guard digits.contains(where: { bytes[$0] != 48 }), !answer.contains("\\pm"),
        !answer.contains("\\text"), !answer.contains("\\%")
      else { return nil }
      // 0 has no sign.
      if bytes[0] == 48, bytes.count == 1 || bytes[1] != c(".") { return nil }
      if bytes.first == c("-") { return text(bytes.dropFirst()) }
      return [c("("), c("["), c("\\")].contains(bytes[0]) && !answer.hasPrefix("\\frac")
        ? nil : "-" + answer
    case .signInside:
      let places = bytes.indices.filter {
        $0 > 0 && (bytes[$0] == c("+") || bytes[$0] == c("-")) && !answer.contains("infty")
      }
      guard let at = pick(places) else { return nil }
      var changed = bytes
      changed[at] = bytes[at] == c("+") ? c("-") : c("+")
      return text(changed)
    case .digitChanged:
      guard let at = pick(digits) else { return nil }
      var changed = bytes
      changed[at] = 48 + (bytes[at] - 48 + 1 + UInt8(next(below: 8))) % 10
      return text(changed)
    case .digitDropped:
      guard digits.count > 1, let at = pick(digits), bytes[at] != 48 else { return nil }
      return text(bytes[..<at] + bytes[(at + 1)...])
    case .digitAdded:
      guard let at = pick(digits), !answer.contains(".") else { return nil }
      return text(bytes[...at] + [49 + UInt8(next(below: 8))] + bytes[(at + 1)...])
    case .bracketChanged:
      let open = bytes.first == c("\\") && answer.hasPrefix("\\left") ? 5 : 0
      guard answer.contains(","), open < bytes.count else { return nil }
      var changed = bytes
      if bytes[open] == c("["), next(below: 2) == 0 {
        changed[open] = c("(")
      } else if bytes[open] == c("("), next(below: 2) == 0 {
        changed[open] = c("[")
      } else if bytes.last == c("]") {
        changed[bytes.count - 1] = c(")")
      } else if bytes.last == c(")") {
        changed[bytes.count - 1] = c("]")
      } else {
        return nil
      }
      return text(changed)
    case .elementDropped, .prefix, .entriesExchanged:
      return split(answer, kind)
    case .fractionInverted:
      guard let (a, b) = fraction(bytes), a != b else { return nil }
      return "\\frac{\(b)}{\(a)}"
    case .letterChanged:
      let letters = bytes.indices.filter { k in
        func isLetter(_ i: Int) -> Bool {
          i >= 0 && i < bytes.count && bytes[i] | 32 >= 97 && bytes[i] | 32 <= 122
        }
        return isLetter(k) && !isLetter(k - 1) && !isLetter(k + 1)
          && (k == 0 || bytes[k - 1] != c("\\")) && bytes[k] != c("i")
      }
      guard let at = pick(letters), !answer.contains("text"), !answer.contains("=") else {
        return nil
      }
      var changed = bytes
      changed[at] = bytes[at] == c("q") ? c("w") : c("q")
      return text(changed)
    case .constantDropped:
      for name in ["\\pi", "i"] where answer.hasSuffix(name) && bytes.count > name.utf8.count + 1 {
        let rest = String(answer.dropLast(name.count))
        return name == "i" && rest.hasSuffix("p") ? nil : rest
      }
      return nil
    case .rootDropped:
      guard answer.contains("\\sqrt{"), !answer.contains("\\sqrt{0") else { return nil }
      return replaced(answer, "\\sqrt{", "{")
    case .relationTurned:
      for (a, b) in [
        ("\\le", "\\ge"), ("\\ge", "\\le"), ("<", ">"), (">", "<"), ("\\cup", "\\cap"),
      ]
      where answer.contains(a) && !answer.contains("\\left") {
        return replaced(answer, a, b)
      }
      return nil
    case .wordChanged:
      guard digits.isEmpty, answer.hasPrefix("\\text{"), bytes.count > 8 else { return nil }
      var changed = bytes
      let at = 6 + next(below: bytes.count - 7)
      guard changed[at] | 32 >= 97, changed[at] | 32 <= 122 else { return nil }
      changed[at] = changed[at] | 32 == c("k") ? c("v") : c("k")
      return text(changed)
    }
  }

  private func replaced(_ text: String, _ a: String, _ b: String) -> String {
    let (bytes, from) = (Array(text.utf8), Array(a.utf8))
    guard bytes.count >= from.count else { return text }
    for k in 0...(bytes.count - from.count) where bytes[k..<k + from.count].elementsEqual(from) {
      return String(decoding: bytes[..<k] + b.utf8 + bytes[(k + from.count)...], as: UTF8.self)
    }
    return text
  }

  private func fraction(_ bytes: [UInt8]) -> (Int, Int)? {
    let parts = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { "{}".contains($0) })
    guard parts.count == 3, parts[0] == "\\frac", let a = Int(parts[1]), let b = Int(parts[2])
    else {
      return nil
    }
    return (a, b)
  }

  /// The answer cut at its commas, with a part left out or two exchanged.
  private mutating func split(_ answer: String, _ kind: Kind) -> String? {
    guard answer.contains(","), !answer.contains("\\!"), !answer.contains("{,}"),
      !answer.contains("\\,"),
      !answer.contains("\\cup"), !answer.contains("infty")
    else { return nil }
    var inner = answer
    var (open, close) = ("", "")
    for (a, b) in [("\\left(", "\\right)"), ("(", ")"), ("\\{", "\\}")]
    where inner.hasPrefix(a) && inner.hasSuffix(b) {
      (open, close) = (a, b)
      inner = String(inner.dropFirst(a.count).dropLast(b.count))
      break
    }
    if inner.contains(where: { "()[]".contains($0) }) { return nil }
    var parts = inner.split(separator: ",").map(String.init)
    guard parts.count > 1, Set(parts).count == parts.count, parts.allSatisfy({ !$0.isEmpty }) else {
      return nil
    }
    // 1,234 is a number.
    if open.isEmpty, parts.allSatisfy({ $0.allSatisfy(\.isNumber) }) { return nil }
    switch kind {
    case .elementDropped: parts.remove(at: next(below: parts.count))
    case .prefix: parts.removeLast()
    default:
      guard open.hasSuffix("(") else { return nil }
      let a = next(below: parts.count)
      let b = (a + 1 + next(below: parts.count - 1)) % parts.count
      guard parts[a].filter({ $0 != " " }) != parts[b].filter({ $0 != " " }) else { return nil }
      parts.swapAt(a, b)
    }
    return open + parts.joined(separator: ",") + close
  }
}
