// Answers that are announced by words, and the last formula or number.
extension AnswerExtraction {
  private static let phrases = [
    "final answer is", "final answer:", "answer is", "answer:", "####",
  ]

  /// What follows the last phrase that announces an answer.
  func phrase(in body: ArraySlice<UInt8>) -> [UInt8]? {
    let lower = body.map { $0 >= 65 && $0 <= 90 ? $0 | 32 : $0 }[...]
    var start: Int?
    for phrase in Self.phrases {
      if let at = lower.last(of: phrase), at + phrase.utf8.count > start ?? -1 {
        start = at + phrase.utf8.count
      }
    }
    // `A: 18`, at the beginning of a line.
    if let at = lower.last(of: "a:"), at == 0 || lower[at - 1] == 10, at + 2 > start ?? -1 {
      start = at + 2
    }
    guard let start else { return nil }
    var rest = body[(body.startIndex + start)...]
    let marks: [UInt8] = [32, 9, 10, 13, UInt8(ascii: ":"), UInt8(ascii: "*"), UInt8(ascii: "_")]
    while let c = rest.first, marks.contains(c) { rest = rest.dropFirst() }
    guard !rest.isEmpty else { return nil }
    let sentence = Self.sentence(rest)
    let trimmed = Self.trimmed(sentence)
    if trimmed.isEmpty { return nil }
    if isWhole(trimmed) {
      return trimmed.indices.filter {
        trimmed[$0] != UInt8(ascii: "$") || ($0 > 0 && trimmed[$0 - 1] == UInt8(ascii: "\\"))
      }.map { trimmed[$0] }
    }
    if let inner = lastFormulaOrNumber(in: sentence) { return inner.text }
    return trimmed.count <= 64 ? trimmed : nil
  }

  private func isWhole(_ text: [UInt8]) -> Bool {
    guard let (expression, _) = try? MathParser.parse(text, limits: limits) else { return false }
    if expression.isWords { return text.count <= 32 }
    return !expression.contains { $0.isWords }
  }

  /// Up to the end of a sentence or line that is not within a formula.
  private static func sentence(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var inDollars = false
    var displays = 0
    var i = text.startIndex
    while i < text.endIndex {
      let next = i + 1 < text.endIndex ? text[i + 1] : 10
      switch text[i] {
      case UInt8(ascii: "\\"):
        if next == UInt8(ascii: "[") || next == UInt8(ascii: "(") { displays += 1 }
        if next == UInt8(ascii: "]") || next == UInt8(ascii: ")") { displays -= 1 }
        i += 1
      case UInt8(ascii: "$"): inDollars.toggle()
      case 10 where displays <= 0 && !inDollars: return text[..<i]
      case UInt8(ascii: ".") where displays <= 0 && !inDollars && (next == 32 || next == 10):
        return text[..<i]
      default: break
      }
      i += 1
    }
    return text
  }

  // MARK: Formulas and numbers

  /// The last formula or number of a text, whichever ends later.
  func lastFormulaOrNumber(in text: ArraySlice<UInt8>) -> (text: [UInt8], source: Source)? {
    let number = Self.lastNumber(in: text)
    if let formula = lastFormula(in: text, after: number?.upperBound ?? text.startIndex) {
      return (formula, .formula)
    }
    // A number inside of a formula that isn't understood is no answer by itself.
    if let number, let range = Self.formula(endingIn: text), range.contains(number.lowerBound) {
      return (Self.trimmed(text[range]), .formula)
    }
    return number.map { (Array(text[$0]), .number) }
  }

  /// The last formula that ends behind a place; with those that separators join to it.
  private func lastFormula(in text: ArraySlice<UInt8>, after limit: Int) -> [UInt8]? {
    var formulas: [ArraySlice<UInt8>] = []
    var end = text.endIndex
    var next: Range<Int>?
    while let range = Self.formula(endingIn: text[..<end]) {
      if let next {
        guard Self.isSeparator(text[range.upperBound..<next.lowerBound]) else { break }
      } else if range.upperBound < limit {
        return nil
      }
      let content = text[range].drop { $0 == UInt8(ascii: "$") }
      let trimmed = Self.trimmed(content)
      guard !trimmed.isEmpty, next != nil || isFormula(trimmed) else { return nil }
      formulas.insert(trimmed[...], at: 0)
      next = range
      end = range.lowerBound
      if formulas.count > 64 { break }
    }
    guard !formulas.isEmpty else { return nil }
    return Array(formulas.joined(separator: [UInt8(ascii: ","), UInt8(ascii: " ")]))
  }

  private func isFormula(_ text: [UInt8]) -> Bool {
    (try? MathParser.parse(text, limits: limits)) != nil
  }

  /// The last formula with its delimiters.
  private static func formula(endingIn text: ArraySlice<UInt8>) -> Range<Int>? {
    var best: Range<Int>?
    for (open, close) in [("\\(", "\\)"), ("\\[", "\\]")] {
      if let stop = text.last(of: close), let start = text[..<stop].last(of: open),
        stop + 2 > best?.upperBound ?? -1
      {
        best = start..<(stop + 2)
      }
    }
    // Dollar signs, of which `\$` are money.
    func dollar(before end: Int) -> Int? {
      var i = end - 1
      while i >= text.startIndex {
        if text[i] == UInt8(ascii: "$"), i == text.startIndex || text[i - 1] != UInt8(ascii: "\\") {
          return i
        }
        i -= 1
      }
      return nil
    }
    guard let stop = dollar(before: text.endIndex), stop + 1 > best?.upperBound ?? -1 else {
      return best
    }
    var close = stop
    while close > text.startIndex, text[close - 1] == UInt8(ascii: "$") { close -= 1 }
    guard let start = dollar(before: close) else { return best }
    var open = start
    while open > text.startIndex, text[open - 1] == UInt8(ascii: "$") { open -= 1 }
    return open..<(stop + 1)
  }

  /// The last number that no letter touches, with its sign, fraction and percent sign.
  private static func lastNumber(in text: ArraySlice<UInt8>) -> Range<Int>? {
    var end = text.endIndex
    while let last = text[..<end].lastIndex(where: MathTokens.isDigit) {
      var start = last
      func isPart(_ i: Int) -> Bool {
        if MathTokens.isDigit(text[i]) { return true }
        guard i > text.startIndex, MathTokens.isDigit(text[i + 1]) else { return false }
        let c = text[i]
        let isJoint = c == UInt8(ascii: ".") || c == UInt8(ascii: ",") || c == UInt8(ascii: "/")
        return isJoint && MathTokens.isDigit(text[i - 1])
      }
      while start > text.startIndex, isPart(start - 1) { start -= 1 }
      if start > text.startIndex, text[start - 1] == UInt8(ascii: ".") { start -= 1 }
      let before = start > text.startIndex ? text[start - 1] : 32
      let after = last + 1 < text.endIndex ? text[last + 1] : 32
      if MathTokens.isLetter(before) || MathTokens.isLetter(after) || before == UInt8(ascii: "_") {
        end = start
        continue
      }
      if before == UInt8(ascii: "-") {
        // A minus sign, unless it joins two numbers or words.
        let far = start - 2 >= text.startIndex ? text[start - 2] : 32
        if !MathTokens.isDigit(far), !MathTokens.isLetter(far) { start -= 1 }
      }
      var stop = last + 1
      if after == UInt8(ascii: "%") { stop += 1 }
      if after == UInt8(ascii: "\\"), stop + 1 < text.endIndex, text[stop + 1] == UInt8(ascii: "%")
      {
        stop += 2
      }
      return start..<stop
    }
    return nil
  }

  // MARK: Trimming

  /// A text without the spaces, delimiters of formulas and final marks around it.
  static func trimmed(_ text: some Collection<UInt8>) -> [UInt8] {
    var rest = Array(text)[...]
    while true {
      let count = rest.count
      while let c = rest.first, c <= 32 || c == UInt8(ascii: "$") { rest = rest.dropFirst() }
      while let c = rest.last, c <= 32 || c == UInt8(ascii: "$") || c == UInt8(ascii: ".") {
        if c == UInt8(ascii: "$"), rest.dropLast().last == UInt8(ascii: "\\") { break }
        rest = rest.dropLast()
      }
      for (open, close) in [("\\(", "\\)"), ("\\[", "\\]"), ("**", "**")] where rest.count >= 4 {
        if rest.starts(with: open.utf8), rest.suffix(2).elementsEqual(close.utf8),
          rest.dropFirst(2).first(of: close).map({ $0 == rest.endIndex - 2 }) ?? false
        {
          rest = rest.dropFirst(2).dropLast(2)
        }
      }
      if rest.count == count { return Array(rest) }
    }
  }
}
