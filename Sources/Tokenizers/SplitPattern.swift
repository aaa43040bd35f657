/// The regular expressions that tokenizers split text with, each as a scanner written for it.
///
/// A pattern is recognized by its whole text; one that is not here is refused, since a near match
/// would give other ids without a word.
enum SplitPattern: Equatable, Sendable {
  /// GPT-2's: contractions, then words, numbers and marks with the space before them.
  case gpt2
  /// The one of Llama 3 and Qwen, after tiktoken's cl100k: a mark or space goes with the word behind
  /// it, and numbers are cut into groups of at most so many digits: 3 in Llama 3, 1 in Qwen.
  case cl100k(digits: Int)
  /// Each number character by itself (`individual`), or each run of them.
  case digits(individual: Bool)
  /// "▁" with what follows it, to the next one.
  case metaspace

  /// The pattern with this text; nil if it is not known.
  init?(_ regex: String) {
    // Compared as bytes: `String` would call other spellings of the same characters equal.
    let text = Array(regex.utf8)
    let found = Self.known.first { text.elementsEqual($0.regex.utf8) }
    guard let found else { return nil }
    self = found.pattern
  }

  /// The text of a regular expression; nil for what is none.
  var text: String? { Self.known.first { $0.pattern == self }?.regex }

  static let gpt2Text =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|"#
    + #"\s+(?!\S)|\s+"#

  private static let known: [(regex: String, pattern: SplitPattern)] =
    [(gpt2Text, .gpt2)]
    + [(#"\p{N}"#, 1), (#"\p{N}{1,3}"#, 3)].map { number, digits in
      (
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + number
          + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
        .cl100k(digits: digits)
      )
    }

  /// Where the piece that begins at `start` ends; `start` is before the end of the text.
  @inline(__always)
  func endOfPiece(in text: TextView, from start: Int) -> Int {
    switch self {
    case .cl100k(let digits): Self.endOfCl100k(text, start, digits)
    case .gpt2: Self.endOfGPT2(text, start)
    case .digits(let individual): Self.endOfDigits(text, start, individual)
    case .metaspace: Self.endOfMetaspace(text, start)
    }
  }

  /// The alternatives, in their order:
  ///
  ///     (?i:'s|'t|'re|'ve|'m|'ll|'d)   [^\r\n\p{L}\p{N}]?\p{L}+   \p{N}{1,digits}
  ///      ?[^\s\p{L}\p{N}]+[\r\n]*      \s*[\r\n]+   \s+(?!\S)   \s+
  @inline(__always)
  private static func endOfCl100k(_ text: TextView, _ start: Int, _ digits: Int) -> Int {
    let (first, length) = text.character(at: start)
    let second = start + length
    switch first {
    case .letter:
      return text.endOfRun(.letter, from: second)
    case .number:
      var end = second
      var count = 1
      while count < digits, end < text.end {
        let (found, length) = text.character(at: end)
        if found != .number { break }
        end += length
        count += 1
      }
      return end
    case .other:
      if text.bytes[start] == UInt8(ascii: "'"),
        let end = endOfContraction(text, second, anyCase: true)
      {
        return end
      }
      if text.isClass(.letter, at: second) { return text.endOfRun(.letter, from: second) }
      return endOfMarks(text, second)
    case .space:
      if second < text.end {
        let following = text.character(at: second).class
        if following == .letter { return text.endOfRun(.letter, from: second) }
        if following == .other, text.bytes[start] == UInt8(ascii: " ") {
          return endOfMarks(text, second)
        }
      }
      return endOfSpace(text, start)
    case .newline:
      return endOfSpace(text, start)
    }
  }

  /// The rest of `[^\s\p{L}\p{N}]+[\r\n]*`.
  @inline(__always)
  private static func endOfMarks(_ text: TextView, _ start: Int) -> Int {
    var end = text.endOfRun(.other, from: start)
    while end < text.end, text.bytes[end] == 0x0A || text.bytes[end] == 0x0D { end += 1 }
    return end
  }

  /// `\s*[\r\n]+|\s+(?!\S)|\s+`: to the last newline of the run if it has one, else all of it but
  /// the last character, which goes with what follows.
  private static func endOfSpace(_ text: TextView, _ start: Int) -> Int {
    let (end, newlineEnd) = text.endOfSpace(from: start)
    return newlineEnd ?? endOfPlainSpace(text, start, end)
  }

  /// `\s+(?!\S)|\s+` for the run from `start` to `end`.
  private static func endOfPlainSpace(_ text: TextView, _ start: Int, _ end: Int) -> Int {
    guard end < text.end else { return end }
    let last = end - text.lengthBefore(end, from: start)
    return last > start ? last : end
  }

  /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
  private static func endOfGPT2(_ text: TextView, _ start: Int) -> Int {
    if text.bytes[start] == UInt8(ascii: "'"),
      let end = endOfContraction(text, start + 1, anyCase: false)
    {
      return end
    }
    let first = text.character(at: start)
    if text.bytes[start] == UInt8(ascii: " "), start + 1 < text.end {
      let following = text.character(at: start + 1).class
      if following != .space, following != .newline {
        return text.endOfRun(following, from: start + 1)
      }
    }
    if first.class != .space, first.class != .newline {
      return text.endOfRun(first.class, from: start + first.length)
    }
    return endOfPlainSpace(text, start, text.endOfSpace(from: start).end)
  }

  /// Where `s`, `t`, `m`, `d`, `re`, `ve` or `ll` at `i` ends; nil if none is there.
  private static func endOfContraction(_ text: TextView, _ i: Int, anyCase: Bool) -> Int? {
    func letter(_ k: Int) -> UInt8 {
      guard i + k < text.end else { return 0 }
      let byte = text.bytes[i + k]
      return anyCase && (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
    }
    switch (letter(0), letter(1)) {
    case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _),
      (UInt8(ascii: "d"), _):
      return i + 1
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
      (UInt8(ascii: "l"), UInt8(ascii: "l")):
      return i + 2
    case (0xC5, 0xBF) where anyCase:
      // The long s, which is an s when case does not matter.
      return i + 2
    default:
      return nil
    }
  }

  /// Number characters, each alone or in runs, and what stands between them.
  private static func endOfDigits(_ text: TextView, _ start: Int, _ individual: Bool) -> Int {
    let (first, length) = text.character(at: start)
    if first == .number {
      return individual ? start + length : text.endOfRun(.number, from: start)
    }
    var end = start + length
    while end < text.end {
      let (found, length) = text.character(at: end)
      if found == .number { break }
      end += length
    }
    return end
  }

  private static func endOfMetaspace(_ text: TextView, _ start: Int) -> Int {
    let mark = PreTokenizer.metaspace
    var end = start + 1
    while end < text.end {
      if text.bytes[end] == mark[0], end + mark.count <= text.end,
        text.bytes[end + 1] == mark[1], text.bytes[end + 2] == mark[2]
      {
        break
      }
      end += 1
    }
    return end
  }
}
