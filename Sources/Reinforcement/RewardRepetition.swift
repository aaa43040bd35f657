/// How much of a text repeats what it said: 1 − (different runs of n words) / (all runs), as the
/// repetition penalty of Yeo et al., "Demystifying Long Chain-of-Thought Reasoning in LLMs", 2025,
/// appendix C.2 (<https://arxiv.org/abs/2502.03373>) and open-r1 have it.
///
/// Words stand between white space; letters of ASCII are taken in lower case. Where they count words
/// of one kind only, a text without spaces would have no runs: here a letter of Chinese or Japanese
/// is a word, and one longer than 32 bytes is cut into several. The time is linear in the text.
struct RepetitionShare: Equatable {
  private(set) var runs = 0
  /// Runs that were written before.
  private(set) var repeated = 0

  /// 0 to 1; 0 for a text with fewer words than a run has.
  var share: Double { runs == 0 ? 0 : Double(repeated) / Double(runs) }

  static let longestRun = 1_000
  private static let longestWord = 32

  init(_ text: [UInt8], words length: Int) {
    precondition((1...Self.longestRun).contains(length), "runs of \(length) words")
    let words = Self.words(of: text)
    guard words.count >= length else { return }
    // A run's value is that of a polynomial of its words at a fixed point, modulo 2⁶¹ − 1, moved on
    // by a word at a time (Karp and Rabin, 1987): two runs meet by chance less than once in 10¹⁷.
    var power: UInt64 = 1
    for _ in 1..<length { power = Self.product(power, Self.point) }
    var value: UInt64 = 0
    for word in words[..<length] { value = Self.sum(Self.product(value, Self.point), word) }
    var seen: Set<UInt64> = [value]
    for i in length..<words.count {
      let gone = Self.product(words[i - length], power)
      value = Self.sum(value, Self.modulus - gone)
      value = Self.sum(Self.product(value, Self.point), words[i])
      seen.insert(value)
    }
    runs = words.count - length + 1
    repeated = runs - seen.count
  }

  private static let modulus: UInt64 = (1 << 61) - 1
  private static let point: UInt64 = 0x0B5A_D4EC_EDA1_CE2A

  private static func sum(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let sum = a + b
    return sum >= modulus ? sum - modulus : sum
  }

  private static func product(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (high, low) = a.multipliedFullWidth(by: b)
    return sum((high << 3 | low >> 61), low & modulus)
  }

  /// A number below the modulus for each word.
  private static func words(of text: [UInt8]) -> [UInt64] {
    var words: [UInt64] = []
    words.reserveCapacity(text.count / 5)
    var value: UInt64 = 0
    var length = 0
    func end() {
      guard length > 0 else { return }
      words.append(sum(product(value % modulus, point), UInt64(length)))
      (value, length) = (0, 0)
    }
    var i = 0
    while i < text.count {
      let c = text[i]
      if c <= 32 {
        end()
        i += 1
        continue
      }
      let width = isLetterAsWord(text, at: i) ? scalarWidth(text, at: i) : 0
      if width > 0 || length >= longestWord { end() }
      for _ in 0..<max(1, width) {
        let c = text[i]
        let lower = c >= 65 && c <= 90 ? c | 32 : c
        value = sum(product(value, 0x1000_0000_01B3), UInt64(lower) + 1)
        length += 1
        i += 1
      }
      if width > 0 { end() }
    }
    end()
    return words
  }

  /// Whether a letter of Chinese or Japanese begins here: kana, and the blocks of Han letters that
  /// texts are written in.
  private static func isLetterAsWord(_ text: [UInt8], at i: Int) -> Bool {
    let c = text[i]
    guard c >= 0xE3, scalarWidth(text, at: i) <= text.count - i else { return false }
    switch c {
    // U+3040 to U+30FF, and from U+3400 on.
    case 0xE3: return (0x81...0x83).contains(text[i + 1]) || text[i + 1] >= 0x90
    case 0xE4...0xE9: return true
    // U+F900 to U+FAFF.
    case 0xEF: return (0xA4...0xAB).contains(text[i + 1])
    // From U+20000 on.
    case 0xF0: return (0xA0...0xBF).contains(text[i + 1])
    default: return false
    }
  }

  private static func scalarWidth(_ text: [UInt8], at i: Int) -> Int {
    text[i] < 0x80 ? 1 : text[i] < 0xE0 ? 2 : text[i] < 0xF0 ? 3 : 4
  }
}
