/// Finds the answer in what a model wrote, or in a reference solution.
///
/// Thinking does not count: all up to the last `</think>` is left out, and a text whose `<think>` is
/// not closed has no answer. In what is left, the first of these that is there is the answer:
///
/// 1. what stands in the last `<answer>…</answer>`, searched by the rules below;
/// 2. the last `\boxed{…}`; several that only commas, "and" or "or" separate are one list; a box that
///    the text ends in is cut, and so no answer;
/// 3. what follows the last "the final answer is", "Answer:", "A:" or "####", to the end of the
///    sentence;
/// 4. the whole text, if it is a formula, or a word or two;
/// 5. the last formula between dollar signs, `\(…\)` or `\[…\]`, or the last number, whichever comes
///    later; several formulas are one list as boxes are.
public struct AnswerExtraction: Sendable {
  /// Where an answer was found.
  public enum Source: String, Codable, Sendable {
    case box, phrase, wholeText, formula, number
  }

  /// Which of the rules count.
  public enum Rules: String, Codable, CaseIterable, Sendable {
    /// All of them, one after the other.
    case all
    /// The first two: what stands in no box is no answer, as with protocols that demand one.
    case boxes
  }

  let limits: JudgeLimits
  let rules: Rules

  public init(limits: JudgeLimits = .default, rules: Rules = .all) {
    (self.limits, self.rules) = (limits, rules)
  }

  /// The answer in a text, and where it was found; nil if there is none.
  ///
  /// - Parameters:
  ///   - isReference: A box that isn't closed counts: references are not cut.
  ///   - thinkingStarted: The prompt ended with `<think>`, so that the text begins within thinking.
  public func answer(
    in text: [UInt8], isReference: Bool = false, thinkingStarted: Bool = false
  ) -> (text: [UInt8], source: Source)? {
    guard var body = Self.withoutThinking(text[...], thinkingStarted: thinkingStarted) else {
      return nil
    }
    // Special tokens of chat templates end what was said.
    if let end = body.first(of: "<|") { body = body[..<end] }
    if let close = body.last(of: "</answer>"),
      let open = body[..<close].last(of: "<answer>")
    {
      body = body[(open + 8)..<close]
      if let inner = Self.boxes(in: body, isReference: isReference) { return found(inner, .box) }
      if rules == .boxes { return nil }
      let inner = Self.trimmed(body)
      if inner.isEmpty { return nil }
      if isUnderstood(inner) || inner.count < 64 { return (inner, .phrase) }
    }
    if let box = Self.boxes(in: body, isReference: isReference) { return found(box, .box) }
    if rules == .boxes { return nil }
    if let phrase = phrase(in: body) { return (phrase, .phrase) }
    let whole = Self.trimmed(body)
    if whole.isEmpty { return nil }
    if isWholeAnswer(whole) { return (whole, .wholeText) }
    return lastFormulaOrNumber(in: body)
  }

  private func found(_ text: [UInt8], _ source: Source) -> ([UInt8], Source)? {
    let text = Self.trimmed(text)
    return text.isEmpty ? nil : (text, source)
  }

  private func isUnderstood(_ text: [UInt8]) -> Bool {
    guard let (expression, _) = try? MathParser.parse(text, limits: limits) else { return false }
    return !expression.contains { $0.isWords }
  }

  private func isWholeAnswer(_ text: [UInt8]) -> Bool {
    if isUnderstood(text) { return true }
    // A formula that isn't understood: no part of it is the answer.
    if text.count <= 200, text.contains(UInt8(ascii: "\\")), !Self.hasSentence(text),
      !text.contains(UInt8(ascii: "$")), text[...].first(of: "\\(") == nil,
      text[...].first(of: "\\[") == nil
    {
      return true
    }
    // A name or a word: no sentence, no number.
    let words = text.split(separator: UInt8(ascii: " "))
    return text.count <= 48 && words.count <= 3
      && !text.contains { MathTokens.isDigit($0) || $0 == UInt8(ascii: "\n") }
  }

  /// Whether two words follow one another, outside of commands.
  private static func hasSentence(_ text: [UInt8]) -> Bool {
    var wasWord = false
    for word in text.split(whereSeparator: { $0 <= 32 }) {
      let isWord = word.count > 1 && word.allSatisfy(MathTokens.isLetter)
      if isWord, wasWord { return true }
      wasWord = isWord
    }
    return false
  }

  // MARK: Thinking

  static func withoutThinking(
    _ text: ArraySlice<UInt8>, thinkingStarted: Bool
  ) -> ArraySlice<UInt8>? {
    guard let close = text.last(of: "</think>") else {
      if thinkingStarted || text.first(of: "<think>") != nil { return nil }
      return text
    }
    let rest = text[(close + 8)...]
    return rest.first(of: "<think>") == nil ? rest : nil
  }

  // MARK: Boxes

  private static let boxCommands = ["\\boxed", "\\fbox"]

  /// What the last box holds, or the last boxes that are one list.
  private static func boxes(in text: ArraySlice<UInt8>, isReference: Bool) -> [UInt8]? {
    var end = text.endIndex
    var contents: [ArraySlice<UInt8>] = []
    var nextStart = end
    while let start = lastBox(in: text[..<end]) {
      guard let content = boxContent(text, at: start, isReference: isReference) else {
        // Cut: the text ends inside, so that nothing was answered.
        return contents.isEmpty ? [] : joined(contents)
      }
      if content.text.allSatisfy({ $0 == 32 }) {
        end = start
        continue
      }
      // A box around the last one adds nothing to it.
      if !contents.isEmpty,
        content.end > nextStart || !isSeparator(text[content.end..<nextStart])
      {
        break
      }
      contents.insert(content.text, at: 0)
      nextStart = start
      end = start
      if contents.count > 64 { break }
    }
    return contents.isEmpty ? nil : joined(contents)
  }

  private static func joined(_ contents: [ArraySlice<UInt8>]) -> [UInt8] {
    Array(contents.joined(separator: [UInt8(ascii: ","), UInt8(ascii: " ")]))
  }

  private static func lastBox(in text: ArraySlice<UInt8>) -> Int? {
    boxCommands.compactMap { text.last(of: $0) }.max()
  }

  private static func boxContent(
    _ text: ArraySlice<UInt8>, at start: Int, isReference: Bool
  ) -> (text: ArraySlice<UInt8>, end: Int)? {
    var i = start + 1
    while i < text.endIndex, MathTokens.isLetter(text[i]) { i += 1 }
    while i < text.endIndex, text[i] == 32 { i += 1 }
    guard i < text.endIndex else { return isReference ? (text[i..<i], i) : nil }
    guard text[i] == UInt8(ascii: "{") else {
      // `\boxed 5`
      let stop = text[i...].firstIndex { $0 == 32 || $0 == 10 || $0 == UInt8(ascii: "$") }
      return (text[i..<(stop ?? text.endIndex)], stop ?? text.endIndex)
    }
    var depth = 0
    var j = i
    while j < text.endIndex {
      if text[j] == UInt8(ascii: "\\") {
        j += 2
        continue
      }
      if text[j] == UInt8(ascii: "{") { depth += 1 }
      if text[j] == UInt8(ascii: "}") {
        depth -= 1
        if depth == 0 { return (text[(i + 1)..<j], j + 1) }
      }
      j += 1
    }
    return isReference ? (text[(i + 1)...], text.endIndex) : nil
  }

  /// Whether what stands between two boxes or formulas only says that both belong to the answer: a
  /// comma, "and" or "or", with the marks of formulas, one word before and a name after it.
  static func isSeparator(_ between: ArraySlice<UInt8>) -> Bool {
    guard between.count <= 48 else { return false }
    var words: [[UInt8]] = []
    var hasComma = false
    var i = between.startIndex
    while i < between.endIndex {
      let c = between[i]
      switch c {
      case UInt8(ascii: "\\"):
        var stop = i + 1
        while stop < between.endIndex, MathTokens.isLetter(between[stop]) { stop += 1 }
        let name = String(decoding: between[(i + 1)..<stop], as: UTF8.self)
        guard ["", "quad", "qquad", "text", "mbox", "boxed", "textrm"].contains(name) else {
          return false
        }
        i = name.isEmpty ? i + 2 : stop
        continue
      case UInt8(ascii: ","), UInt8(ascii: ";"): hasComma = true
      case 32, 9, 10, 13, UInt8(ascii: "$"), UInt8(ascii: "{"), UInt8(ascii: "}"),
        UInt8(ascii: "_"), UInt8(ascii: "*"), UInt8(ascii: "&"), UInt8(ascii: "~"):
        break
      case UInt8(ascii: "="):
        // A name before the next box: y_2 = …
        guard let last = words.last, last.count <= 3 else { return false }
        words.removeLast()
      case UInt8(ascii: "0")...UInt8(ascii: "9")
      where i > between.startIndex
        && between[i - 1] == UInt8(ascii: "_"):
        break
      default:
        guard MathTokens.isLetter(c) else { return false }
        var stop = i
        while stop < between.endIndex, MathTokens.isLetter(between[stop]) { stop += 1 }
        words.append(Array(between[i..<stop]))
        i = stop
        continue
      }
      i += 1
    }
    let conjunctions = words.indices.filter {
      words[$0].elementsEqual("and".utf8) || words[$0].elementsEqual("or".utf8)
    }
    if words.isEmpty { return hasComma || between.isEmpty }
    guard conjunctions.count == 1 else { return false }
    return words.count == 1 || (words.count == 2 && conjunctions[0] == 1)
  }
}

extension ArraySlice<UInt8> {
  /// Where an ASCII text begins last; upper and lower case are different.
  func last(of needle: String) -> Int? { position(of: needle, fromEnd: true) }
  /// Where an ASCII text begins first.
  func first(of needle: String) -> Int? { position(of: needle, fromEnd: false) }

  private func position(of needle: String, fromEnd: Bool) -> Int? {
    let wanted = Array(needle.utf8)
    return withUnsafeBufferPointer { bytes in
      guard let head = wanted.first, bytes.count >= wanted.count else { return nil }
      var k = fromEnd ? bytes.count - wanted.count : 0
      let last = bytes.count - wanted.count
      while k >= 0, k <= last {
        if bytes[k] == head {
          var n = 1
          while n < wanted.count, bytes[k + n] == wanted[n] { n += 1 }
          if n == wanted.count { return startIndex + k }
        }
        k += fromEnd ? -1 : 1
      }
      return nil
    }
  }
}
