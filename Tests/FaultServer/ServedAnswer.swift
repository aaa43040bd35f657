/// What the server answers: always the same to the same messages, seed and choice.
public struct ServedAnswer: Equatable, Sendable {
  /// The reasoning, a token each; empty if the server's style has none.
  public var reasoningTokens: [String]
  public var contentTokens: [String]

  public var reasoning: String { reasoningTokens.joined() }
  public var content: String { contentTokens.joined() }

  /// - Parameters:
  ///   - question: The last message's content.
  ///   - seed: As the request has it.
  ///   - choice: The number of the choice within the request.
  public init(question: String, seed: Int, choice: Int) {
    var state = UInt64(truncatingIfNeeded: seed) &* 31 &+ UInt64(choice)
    for byte in question.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var random = SplitMix(state: state)
    let words = [
      "Let", " x", " =", " 2", "\n", " é", " 漢", "字", " 😀", " \"so\"", " \\frac{1}{2}", "\t",
      " a", " a", "\u{2028}", " e\u{301}", " </b>", " data:", "\r\n",
    ]
    reasoningTokens =
      ["\n"] + (0..<Int(3 + random.next() % 10)).map { _ in words[random.index(words.count)] }
      + ["\n"]
    contentTokens =
      ["\n\n", "The", " answer", " is"]
      + (0..<Int(random.next() % 4)).map { _ in words[random.index(words.count)] }
      + [" \\boxed{", "\(random.next() % 10_000)", "}", "."]
  }
}

/// Steele and others' SplitMix64.
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func index(_ count: Int) -> Int { Int(next() % UInt64(max(count, 1))) }
}
