import Evaluation
import Scores
import Storage
import Teachers

/// Problems that one model solved and the other didn't.
///
/// A problem is solved if the answers that most samples have are right, ties of right and wrong ones
/// not; of programs, whose answers can't be compared, if more than half of the samples are right.
public struct ProblemFlips: Sendable {
  /// What most samples of a problem say.
  public struct Majority: Equatable, Sendable {
    /// The answer; nil without one, and for programs.
    public let answer: String?
    public let isRight: Bool
    /// Why it is right or wrong.
    public let reason: String
    /// Samples that are right, and all that are there.
    public let right: Int
    public let samples: Int
  }

  public struct Flip: Equatable, Sendable {
    public let problem: String
    public let first: Majority
    public let second: Majority
    /// What is right, if the problems' file tells.
    public let reference: String?

    /// Whether both gave one answer, which was judged in two ways.
    public var isSameAnswer: Bool {
      guard let one = first.answer, let other = second.answer else { return false }
      return one.utf8.elementsEqual(other.utf8)
    }
  }

  /// Problems that both were asked.
  public let shared: Int
  /// Right in the first and wrong in the second; where most changed comes first.
  public let lost: [Flip]
  /// Wrong in the first and right in the second.
  public let won: [Flip]
  public let bothSolved: Int
  public let neitherSolved: Int

  init(
    _ a: EvaluatedBenchmark, _ b: EvaluatedBenchmark, texts: ProblemTexts,
    _ otherTexts: ProblemTexts
  ) {
    var others: [[UInt8]: JudgedProblem] = [:]
    for problem in b.problems { others[Array(problem.id.utf8)] = problem }
    var (shared, solved, failed) = (0, 0, 0)
    var (lost, won) = ([Flip](), [Flip]())
    for problem in a.problems {
      guard let other = others[Array(problem.id.utf8)] else { continue }
      shared += 1
      let (one, two) = (Majority(problem), Majority(other))
      let reference = texts.reference(problem.id) ?? otherTexts.reference(problem.id)
      let flip = Flip(problem: problem.id, first: one, second: two, reference: reference)
      switch (one.isRight, two.isRight) {
      case (true, true): solved += 1
      case (false, false): failed += 1
      case (true, false): lost.append(flip)
      case (false, true): won.append(flip)
      }
    }
    (self.shared, bothSolved, neitherSolved) = (shared, solved, failed)
    self.lost = lost.sorted(by: Self.isBefore)
    self.won = won.sorted(by: Self.isBefore)
  }

  /// Larger changes of the share of right samples first, then by ids.
  private static func isBefore(_ a: Flip, _ b: Flip) -> Bool {
    let (one, other) = (change(a), change(b))
    return one == other
      ? a.problem.utf8.lexicographicallyPrecedes(b.problem.utf8) : one > other
  }

  private static func change(_ flip: Flip) -> Double {
    (flip.first.share - flip.second.share).magnitude
  }
}

extension ProblemFlips.Majority {
  var share: Double { samples == 0 ? 0 : Double(right) / Double(samples) }

  init(_ problem: JudgedProblem) {
    let there = problem.samples.map { problem.verdicts[$0.verdict] }
      .filter { $0.outcome != .infrastructure }
    samples = there.count
    right = there.count { $0.outcome == .right }
    let hasClasses = there.allSatisfy {
      $0.answerClass != nil || $0.outcome != .right && $0.outcome != .wrong
    }
    var votes: [Int: Int] = [:]
    for verdict in there {
      if let answer = verdict.answerClass { votes[answer, default: 0] += 1 }
    }
    let most = votes.values.max() ?? 0
    let winners = votes.filter { $0.value == most }.keys.sorted()
    guard hasClasses, !winners.isEmpty else {
      // Nobody votes, or votes can't be counted: what happened most often stands for all.
      let isRight = !there.isEmpty && 2 * right > there.count
      let shown = Self.mostCommon(there.filter { ($0.outcome == .right) == isRight })
      self.isRight = isRight
      answer = nil
      reason = shown?.reason ?? "There is no sample."
      return
    }
    func isRight(_ answer: Int) -> Bool {
      there.contains { $0.answerClass == answer && $0.outcome == .right }
    }
    let solved = 2 * winners.count(where: isRight) > winners.count
    self.isRight = solved
    let shown = winners.first { isRight($0) == solved } ?? winners[0]
    let verdict = there.first { $0.answerClass == shown }
    answer = verdict?.answer
    reason = verdict?.reason ?? ""
  }

  private static func mostCommon(_ verdicts: [JudgedProblem.Verdict]) -> JudgedProblem.Verdict? {
    var counts: [JudgedProblem.Verdict: Int] = [:]
    for verdict in verdicts { counts[verdict, default: 0] += 1 }
    let most = counts.values.max() ?? 0
    return verdicts.first { counts[$0] == most }
  }
}

/// What the file of a benchmark's problems says of them.
struct ProblemTexts {
  private let problems: [[UInt8]: JSONObject]

  /// - Throws: `SampleError` for a file that can't be read. Lines that are no problem are passed over.
  init(_ folder: String) throws {
    var problems: [[UInt8]: JSONObject] = [:]
    let path = folder + "/problems.jsonl"
    try SampleLines(at: path).forEach(takesUnfinished: true) { line, _, _ in
      guard case .object(let problem)? = try? JSONValue(parsing: line, source: path),
        case .string(let id)? = problem["id"]
      else { return }
      problems[Array(id.utf8)] = problem
    }
    self.problems = problems
  }

  /// The right answer in words; nil if the file doesn't tell.
  func reference(_ id: String) -> String? {
    guard case .object(let reference)? = problems[Array(id.utf8)]?["reference"] else { return nil }
    if case .string(let answer)? = reference["answer"] { return answer }
    if case .array(let options)? = reference["choices"], let correct = reference.count("correct"),
      options.indices.contains(correct), correct < 26, case .string(let option) = options[correct]
    {
      return "\(Unicode.Scalar(UInt8(0x41 + correct))) (\(option))"
    }
    if reference["program"] != nil { return "tests" }
    if case .string(let text)? = reference["text"] { return text }
    return nil
  }

  /// Whether a problem that both have asks something else, or has another reference.
  func isChanged(_ id: String, in other: ProblemTexts) -> Bool {
    let id = Array(id.utf8)
    guard let one = problems[id], let two = other.problems[id] else { return false }
    return one["question"] != two["question"] || one["reference"] != two["reference"]
  }
}
