import Dispatch
import Foundation
import Problems
import Scores
import Storage
import TeacherGeneration
import Teachers

/// Judges the samples of a benchmark that are stored, and keeps the verdicts.
///
/// A problem's verdicts are a line of `scores.jsonl`, in the order of the problems, written once all of
/// its samples, and all problems before it, are judged: an evaluation that was stopped, or killed,
/// judges the rest. What another version of the judge found, what has other samples by now, and what
/// the infrastructure failed at is judged again; the last line of a problem counts.
struct BenchmarkJudging {
  let path: String
  let judge: AnswerJudge
  /// Samples beyond it are of a recipe that asked for more, and don't count.
  let samplesPerProblem: Int
  /// How problems were asked: options may stand in an order of each sample's own.
  let prompt: ProblemPrompt
  let seed: UInt64
  let isStopped: @Sendable () -> Bool
  /// Called before each line, one thread at a time; the first makes figures of earlier lines stale.
  let willWrite: @Sendable () throws -> Void
  /// Told how many problems are judged, and of how many.
  let observer: @Sendable (Int, Int) -> Void

  /// Problems that are kept in memory to be judged.
  private static let batch = 64
  /// Texts of a benchmark that are kept in memory; beyond it they are read again.
  private static let mostBytesKept = 256 << 20
  /// The most of an answer that is kept beside its verdict.
  private static let mostScalars = 400

  private struct Stored {
    let sample: Int
    let place: SampleFolder.Place
    /// What was read, if it is kept.
    let record: SampleRecord?
  }

  /// What is known of all problems.
  struct Outcome {
    /// In their order, those without a sample too.
    var problems: [JudgedProblem] = []
    /// How many of them were judged now.
    var judgedNow = 0
    /// The teacher didn't tell the tokens of all answers.
    var tokensAreEstimated = false
  }

  private struct Stopped: Error {}

  /// - Returns: Nil if it was stopped.
  /// - Throws: `EvaluationError`, `SampleError`, `ProblemError`, `FileError`, and what `willWrite`
  ///   throws.
  func run() throws -> Outcome? {
    do {
      return try outcome()
    } catch is Stopped {
      return nil
    }
  }

  private func outcome() throws -> Outcome? {
    let folder = try SampleFolder(at: path)
    var outcome = Outcome()
    let stored = try samples(of: folder, &outcome)
    let scores = path + "/" + EvaluatedBenchmark.scoresName
    var known: [[UInt8]: JudgedProblem] = [:]
    let journal = try SampleJournal(at: scores) { object, number, _ in
      let problem = try JudgedProblem(object, place: "\(scores):\(number)")
      known[Array(problem.id.utf8)] = problem
    }
    var count = 0
    try folder.forEachProblem { _, _ in count += 1 }
    var waiting: [(problem: Problem, samples: [Stored])] = []
    func judgeWaiting() throws {
      let judged = try self.judged(
        waiting, folder, after: outcome.problems.count, of: count, into: journal)
      outcome.problems += judged
      outcome.judgedNow += judged.count
      if judged.count < waiting.count { throw Stopped() }
      waiting = []
    }
    try folder.forEachProblem { json, place in
      let problem = try Problem(json, place: place)
      let samples = stored[Array(problem.id.utf8)] ?? []
      if let was = known[Array(problem.id.utf8)], was.judge == judge.version,
        was.samples.map(\.number) == samples.map(\.sample), was.count(.infrastructure) == 0
      {
        // In its place: what waits stands before it.
        try judgeWaiting()
        outcome.problems.append(was)
      } else {
        waiting.append((problem, samples))
      }
      if waiting.count == Self.batch { try judgeWaiting() }
    }
    try judgeWaiting()
    try journal.synchronize()
    observer(count, count)
    return outcome
  }

  /// Where the samples of each problem are, in the order of their numbers, by the bytes of its id.
  private func samples(
    of folder: SampleFolder, _ outcome: inout Outcome
  ) throws -> [[UInt8]: [Stored]] {
    var stored: [[UInt8]: [Stored]] = [:]
    var bytes = 0
    try folder.forEachRecord { record, place in
      if isStopped() { throw Stopped() }
      guard record.sample < samplesPerProblem else { return }
      if record.answer.completionTokens == nil { outcome.tokensAreEstimated = true }
      bytes += place.length
      stored[Array(record.problem.utf8), default: []].append(
        Stored(
          sample: record.sample, place: place,
          record: bytes <= Self.mostBytesKept ? record : nil))
    }
    return stored.mapValues { samples in
      var numbers: Set<Int> = []
      return samples.filter { numbers.insert($0.sample).inserted }
        .sorted { $0.sample < $1.sample }
    }
  }

  /// - Returns: Fewer than there are if it was stopped.
  private func judged(
    _ problems: [(problem: Problem, samples: [Stored])], _ folder: SampleFolder, after done: Int,
    of count: Int, into journal: SampleJournal
  ) throws -> [JudgedProblem] {
    let results = Results(problems.count) { problem in
      try willWrite()
      try journal.append(problem.json)
    }
    DispatchQueue.concurrentPerform(iterations: problems.count) { i in
      if results.hasFailed || isStopped() { return }
      do {
        guard let judged = try judged(problems[i].problem, problems[i].samples, folder) else {
          return
        }
        observer(done + results.set(i, .success(judged)), count)
      } catch {
        _ = results.set(i, .failure(error))
      }
    }
    return try results.written()
  }

  /// - Returns: Nil if it was stopped.
  private func judged(
    _ problem: Problem, _ samples: [Stored], _ folder: SampleFolder
  ) throws -> JudgedProblem? {
    let records = try samples.map { try $0.record ?? folder.record(at: $0.place) }
    var verdicts: [JudgedProblem.Verdict] = []
    var numbers: [JudgedProblem.Verdict: Int] = [:]
    var judgedSamples: [JudgedProblem.Sample] = []
    let whole = records.filter { $0.answer.finishReason != .length }
    let asked = try whole.map { record in
      (text: record.text, problem: try prompt.shown(problem, to: record.sample, seed: seed))
    }
    guard var answers = judge.judgedAnswers(of: asked, isStopped: isStopped)?[...] else {
      return nil
    }
    for record in records {
      let verdict: JudgedProblem.Verdict
      if record.answer.finishReason == .length {
        verdict = JudgedProblem.Verdict(
          .cut, answerClass: nil, answer: nil, reason: "It was cut at the limit of tokens.")
      } else {
        verdict = Self.verdict(answers.removeFirst())
      }
      let number = numbers[verdict] ?? verdicts.count
      if number == verdicts.count {
        numbers[verdict] = number
        verdicts.append(verdict)
      }
      judgedSamples.append(
        JudgedProblem.Sample(
          number: record.sample, verdict: number, tokens: record.answer.tokens.completion))
    }
    return JudgedProblem(
      id: problem.id, judge: judge.version, verdicts: verdicts, samples: judgedSamples,
      rating: problem.rating)
  }

  private static func verdict(_ judged: AnswerJudge.JudgedAnswer) -> JudgedProblem.Verdict {
    let outcome: SampleOutcome =
      switch judged.verdict.outcome {
      case .correct: .right
      case .wrong: judged.isTimeout ? .timeout : .wrong
      case .noAnswer: .noAnswer
      case .unjudged: .unreadable
      case .infrastructure: .infrastructure
      }
    let mayHaveClass = [.right, .wrong, .unreadable].contains(outcome)
    return JudgedProblem.Verdict(
      outcome, answerClass: mayHaveClass ? judged.answerClass : nil,
      answer: judged.verdict.answer.map { String($0.unicodeScalars.prefix(mostScalars)) },
      reason: judged.verdict.reason)
  }
}

/// Verdicts as they come from several threads; they are written in the order of their problems.
private final class Results: @unchecked Sendable {
  private let lock = NSLock()
  private let write: (JudgedProblem) throws -> Void
  private var results: [Result<JudgedProblem, any Error>?]
  private var finished = 0
  /// Those from the first on that are written.
  private var prefix: [JudgedProblem] = []
  private var failure: (any Error)?

  /// - Parameter write: Called by one thread at a time.
  init(_ count: Int, write: @escaping (JudgedProblem) throws -> Void) {
    results = Array(repeating: nil, count: count)
    self.write = write
  }

  /// - Returns: How many have come.
  func set(_ index: Int, _ result: Result<JudgedProblem, any Error>) -> Int {
    lock.withLock {
      results[index] = result
      finished += 1
      do {
        while failure == nil, prefix.count < results.count, let next = results[prefix.count] {
          let problem = try next.get()
          try write(problem)
          prefix.append(problem)
          results[prefix.count - 1] = nil
        }
        if case .failure(let error) = result { failure = failure ?? error }
      } catch {
        failure = failure ?? error
      }
      return finished
    }
  }

  var hasFailed: Bool { lock.withLock { failure != nil } }

  /// Those before the first that did not come.
  ///
  /// - Throws: The error of one, or of writing.
  func written() throws -> [JudgedProblem] {
    try lock.withLock {
      if let failure { throw failure }
      return prefix
    }
  }
}
