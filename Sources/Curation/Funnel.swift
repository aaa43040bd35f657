import Storage

/// How many samples of a source came in, and what became of them.
public struct Funnel: Equatable, Sendable {
  /// A sample that was dropped, for readers to see what the rule meant.
  public struct Example: Equatable, Sendable {
    public var reason: DropReason
    /// Where the sample is: `runs/math/samples.jsonl:12`.
    public var place: String
    /// Why it was dropped, in one sentence.
    public var sentence: String
    /// A part of the sample's text, fit for one line.
    public var excerpt: String
  }

  /// What reports call the source.
  public var source: String
  public var read = 0
  /// Samples by `DropReason.rawValue`; those that are kept first.
  private(set) var counts = [Int](repeating: 0, count: DropReason.allCases.count)
  public private(set) var examples: [Example] = []

  static let examplesOfEach = 3
  /// The longest excerpt, in scalars and in bytes.
  private static let longest = (scalars: 160, bytes: 480)

  public init(_ source: String) { self.source = source }

  /// How many samples became this.
  public subscript(reason: DropReason) -> Int { counts[Int(reason.rawValue)] }

  /// How many were dropped in a stage.
  public subscript(stage: DropReason.Stage) -> Int {
    DropReason.allCases.reduce(0) { $0 + ($1.stage == stage ? self[$1] : 0) }
  }

  /// How many were not dropped up to and in a stage.
  public func left(after stage: DropReason.Stage) -> Int {
    var left = read
    for each in DropReason.Stage.allCases {
      left -= self[each]
      if each == stage { break }
    }
    return left
  }

  mutating func count(_ reason: DropReason, times: Int = 1) {
    counts[Int(reason.rawValue)] += times
  }

  /// Whether an example of a reason is still wanted.
  func wantsExample(of reason: DropReason) -> Bool {
    reason != .kept && examples.count { $0.reason == reason } < Self.examplesOfEach
  }

  mutating func add(_ example: Example) {
    var example = example
    example.place = Self.inLine(example.place, longest: 400)
    example.sentence = Self.inLine(example.sentence, longest: 400)
    examples.append(example)
  }

  /// Puts examples in the order in which rules are asked.
  mutating func sortExamples() {
    // Stable by hand: `sort` promises no order of equals.
    examples = DropReason.allCases.flatMap { reason in examples.filter { $0.reason == reason } }
  }

  /// A text as `quoted` writes it, without the quotes.
  static func inLine(_ text: String, longest: Int) -> String {
    String(
      String.UnicodeScalarView(quoted(text, longest: longest).unicodeScalars.dropFirst().dropLast())
    )
  }

  /// A stretch of a text around a byte, in quotes and without anything that breaks a line.
  static func excerpt(_ text: [UInt8], at byte: Int = 0) -> String {
    let start = min(max(0, byte), text.count)
    var from = start
    // Not within a character.
    while from > 0, from < text.count, text[from] & 0xC0 == 0x80 { from -= 1 }
    let part = text[from..<min(text.count, from + longest.bytes)]
    var line: [UInt8] = []
    var isBreak = false
    for byte in part {
      switch byte {
      case 0x0A, 0x0D: isBreak = true
      case 0x09,
        0x20 where isBreak:
        break
      default:
        // Where lines break is seen, and breaks no line.
        if isBreak { line += " ↵ ".utf8 }
        isBreak = false
        line.append(byte)
      }
    }
    return quoted(String(decoding: line, as: UTF8.self), longest: longest.scalars)
  }

  /// The sum of sources.
  static func sum(_ funnels: [Funnel], as name: String) -> Funnel {
    var sum = Funnel(name)
    for funnel in funnels {
      sum.read += funnel.read
      for (i, count) in funnel.counts.enumerated() { sum.counts[i] += count }
    }
    return sum
  }
}
