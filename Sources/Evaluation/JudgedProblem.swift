import Scores
import Storage

/// A problem's samples with their verdicts: a line of `scores.jsonl`.
///
/// Answers that say the same have one verdict, so that 64 samples are a few verdicts and 64 numbers.
public struct JudgedProblem: Equatable, Sendable {
  /// What was found of one answer, or of several that are the same text.
  public struct Verdict: Hashable, Sendable {
    public let outcome: SampleOutcome
    /// Equal answers of the problem have one number; nil without an answer, and for programs.
    public let answerClass: Int?
    /// What was taken from the text, in its beginning; nil if nothing was.
    public let answer: String?
    /// Why, in one sentence.
    public let reason: String

    public init(_ outcome: SampleOutcome, answerClass: Int?, answer: String?, reason: String) {
      (self.outcome, self.answerClass) = (outcome, answerClass)
      (self.answer, self.reason) = (answer, reason)
    }
  }

  public struct Sample: Equatable, Sendable {
    /// The sample's number within the problem, from 0.
    public let number: Int
    /// Which of the problem's verdicts it has.
    public let verdict: Int
    /// Tokens of the answer, its reasoning included.
    public let tokens: Int

    public init(number: Int, verdict: Int, tokens: Int) {
      (self.number, self.verdict, self.tokens) = (number, verdict, tokens)
    }
  }

  public let id: String
  /// The rules by which it was judged, with their versions.
  public let judge: String
  public let verdicts: [Verdict]
  /// Those that came, in the order of their numbers.
  public let samples: [Sample]

  /// How hard the problem is, as contests rate it, where a model is to be rated.
  public let rating: Double?

  public init(
    id: String, judge: String, verdicts: [Verdict], samples: [Sample], rating: Double? = nil
  ) {
    (self.id, self.judge, self.rating) = (id, judge, rating)
    (self.verdicts, self.samples) = (verdicts, samples)
  }

  /// What figures are computed from.
  var scored: ScoredProblem {
    ScoredProblem(
      id: id,
      samples: samples.map { sample in
        let verdict = verdicts[sample.verdict]
        return ScoredSample(
          verdict.outcome, answerClass: verdict.answerClass, tokens: sample.tokens)
      })
  }

  // MARK: Lines

  public var json: JSONObject {
    func numbers(_ values: [Int]) -> JSONValue {
      .array(values.map { .number(JSONNumber($0)) })
    }
    return JSONObject(present: [
      ("problem", .string(id)), ("judge", .string(judge)),
      ("rating", rating.flatMap { JSONNumber($0) }.map { .number($0) }),
      (
        "verdicts",
        .array(
          verdicts.map { verdict in
            .object(
              JSONObject(present: [
                ("outcome", .string(verdict.outcome.rawValue)),
                ("class", verdict.answerClass.map { .number(JSONNumber($0)) }),
                ("answer", verdict.answer.map { .string($0) }), ("reason", .string(verdict.reason)),
              ]))
          })
      ),
      ("samples", numbers(samples.map(\.number))), ("verdict", numbers(samples.map(\.verdict))),
      ("tokens", numbers(samples.map(\.tokens))),
    ])
  }

  /// - Parameter place: The file and line, for errors.
  /// - Throws: `EvaluationError` for an object that is no judged problem.
  public init(_ object: JSONObject, place: String) throws(EvaluationError) {
    do throws(JSONMemberError) {
      let members = JSONMembers(object, place: place)
      id = try members.text("problem")
      judge = try members.text("judge")
      rating = members.has("rating") ? try members.number("rating") : nil
      var verdicts: [Verdict] = []
      if case .array(let values)? = object["verdicts"] {
        for value in values {
          let verdict = try JSONMembers(value, place: place)
          verdicts.append(
            Verdict(
              try verdict.choice("outcome", as: SampleOutcome.self),
              answerClass: try verdict.optionalCount("class"),
              answer: try verdict.optionalText("answer"), reason: try verdict.text("reason")))
        }
      }
      self.verdicts = verdicts
    } catch {
      throw EvaluationError("\(error)")
    }
    let numbers = try Self.counts(object, "samples", place)
    let chosen = try Self.counts(object, "verdict", place)
    let tokens = try Self.counts(object, "tokens", place)
    guard chosen.count == numbers.count, tokens.count == numbers.count,
      chosen.allSatisfy(verdicts.indices.contains), zip(numbers, numbers.dropFirst()).allSatisfy(<)
    else {
      throw EvaluationError(
        place,
        "'samples', 'verdict' and 'tokens' don't fit together. Remove the file; what is in "
          + "it is judged again.")
    }
    samples = numbers.indices.map {
      Sample(number: numbers[$0], verdict: chosen[$0], tokens: tokens[$0])
    }
  }

  private static func counts(
    _ object: JSONObject, _ name: String, _ place: String
  ) throws(EvaluationError) -> [Int] {
    guard case .array(let values)? = object[name] else {
      throw EvaluationError(place, "'\(name)' must be a list of whole numbers.")
    }
    var counts: [Int] = []
    counts.reserveCapacity(values.count)
    for value in values {
      guard case .number(let number) = value, let count = number.int, count >= 0 else {
        throw EvaluationError(place, "'\(name)' must be a list of whole numbers.")
      }
      counts.append(count)
    }
    return counts
  }
}

extension JudgedProblem {
  /// The verdict of a sample; nil if it is not judged.
  public func verdict(ofSample number: Int) -> Verdict? {
    samples.first { $0.number == number }.map { verdicts[$0.verdict] }
  }

  /// The judged problems of a benchmark's folder, by the bytes of their ids.
  ///
  /// - Throws: `EvaluationError`, `SampleError`, `FileError`.
  public static func byID(inBenchmark path: String) throws -> [[UInt8]: JudgedProblem] {
    let problems = try EvaluatedBenchmark.judged(at: path + "/" + EvaluatedBenchmark.scoresName)
    return Dictionary(problems.map { (Array($0.id.utf8), $0) }, uniquingKeysWith: { $1 })
  }
}
