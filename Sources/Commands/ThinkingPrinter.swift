import Interface

/// Tells thinking from the answer in text that comes in pieces, and dims or hides it.
struct ThinkingPrinter {
  private(set) var isInside: Bool
  /// All thinking so far, without its tags.
  private(set) var thinking = ""
  private let hides: Bool
  private let dims: Bool
  private var held = ""
  private var tokens = 0
  private var isDimmed = false
  private var saidSo = false

  /// - Parameters:
  ///   - startsInside: Whether the prompt opened the thinking.
  ///   - dims: Whether the output is a terminal, which can.
  init(startsInside: Bool, hides: Bool, dims: Bool) {
    isInside = startsInside
    self.hides = hides
    self.dims = dims
  }

  /// What to write for a piece of text.
  mutating func append(_ text: String, tokens count: Int) -> String {
    if isInside { tokens += count }
    var rest = held + text
    held = ""
    var result = isInside ? beginning() : ""
    while let range = rest.range(of: isInside ? "</think>" : "<think>") {
      let before = String(rest[..<range.lowerBound])
      rest = String(rest[range.upperBound...])
      if isInside {
        result += inside(before) + ending()
        isInside = false
      } else {
        result += before
        isInside = true
        tokens = 0
        result += beginning()
      }
    }
    // The end may be the beginning of a tag.
    let tag = isInside ? "</think>" : "<think>"
    for count in stride(from: min(tag.count - 1, rest.count), to: 0, by: -1)
    where tag.hasPrefix(rest.suffix(count)) {
      held = String(rest.suffix(count))
      rest.removeLast(count)
      break
    }
    return result + (isInside ? inside(rest) : rest)
  }

  /// What to write at the end.
  mutating func finish() -> String {
    defer { held = "" }
    return isInside ? inside(held) + ending() : held
  }

  private mutating func inside(_ text: String) -> String {
    thinking += text
    return hides ? "" : text
  }

  private mutating func beginning() -> String {
    if saidSo { return "" }
    saidSo = true
    if hides { return dims ? "\u{1B}[2m(thinking …" : "" }
    return dims ? "\u{1B}[2m" : "<think>"
  }

  private mutating func ending() -> String {
    guard saidSo else { return "" }
    saidSo = false
    if hides {
      let count = "\(tokens) \(tokens == 1 ? "token" : "tokens"))"
      return dims ? " \(count)\u{1B}[0m\n" : "(thought for \(count)\n"
    }
    return dims ? "\u{1B}[0m" : "</think>"
  }
}
