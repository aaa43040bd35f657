// Measures a model on a benchmark of one's own: problems made here, asked, judged and scored by the
// rules by which the package does it everywhere. From the root of the package, in seconds:
//
//   swift run -c release custom-benchmark
//   swift run -c release custom-benchmark Checkpoints/tiny-teacher 16
//
// The arguments are a checkpoint's folder and the number of answers to each problem; those at the
// end may be left out.
import Foundation
import Problems
import Scores
import Teachers

struct Mistake: Error, CustomStringConvertible { let description: String }

/// Sums of three numbers, in the words that the tiny models know, and as large as they know them.
let problems: [Problem] = (0..<20).map { i in
  let (name, things) = (["Ann", "Eva", "Mia", "Zoe"][i % 4], ["cards", "pens", "coins"][i % 3])
  let (a, b, c) = (10 + 5 * i % 21, 2 + 7 * i % 11, 2 + 3 * i % 11)
  return Problem(
    id: "\(a)+\(b)+\(c)",
    question: "\(name) has \(a) \(things). She finds \(b) more. Then she wins \(c) more. "
      + "How many \(things) does \(name) have now?",
    reference: .answer("\(a + b + c)"), source: "sums", place: "sums:\(i + 1)")
}

let judge = AnswerJudge()

/// What became of the answers to a problem. Equal ones, such as 7 and 7.0, are of one class, for
/// which they vote together.
func scored(_ answers: [TeacherAnswer], to problem: Problem) -> ScoredProblem {
  let judged = judge.judgedAnswers(of: answers.map(\.text), on: problem)
  let samples = zip(answers, judged).map { answer, judged in
    let tokens = answer.completionTokens ?? 0
    if answer.finishReason == .length { return ScoredSample(.cut, tokens: tokens) }
    let outcome: SampleOutcome =
      switch judged.verdict.outcome {
      case .correct: .right
      case .wrong: .wrong
      case .noAnswer: .noAnswer
      case .unjudged: .unreadable
      case .infrastructure: .infrastructure
      }
    return ScoredSample(outcome, answerClass: judged.answerClass, tokens: tokens)
  }
  return ScoredProblem(id: problem.id, samples: samples)
}

func main() async throws {
  let arguments = CommandLine.arguments
  let path = arguments.count > 1 ? arguments[1] : "Checkpoints/tiny-base"
  guard let samples = arguments.count > 2 ? Int(arguments[2]) : 16, samples > 0 else {
    throw Mistake(description: "'\(arguments[2])' is no number of answers.")
  }

  // A server would be a `RemoteTeacher`, and the rest of this file the same.
  let teacher = try LocalTeacher(LocalTeacherSettings(checkpoint: path))
  let choices = SamplingChoices(temperature: 0.6, topP: 0.95, maxTokens: 128, seed: 1)
  let answered = try await withThrowingTaskGroup(of: ScoredProblem.self) { group in
    for problem in problems {
      group.addTask {
        let answers = try await teacher.answers(
          to: TeacherQuestion(
            [.init(role: "user", content: problem.question)], samples: 0..<samples,
            settings: choices, place: problem.place))
        return scored(answers, to: problem)
      }
    }
    return try await group.reduce(into: []) { $0.append($1) }
  }

  let benchmark = try ScoredBenchmark(
    name: "sums of three", samplesAsked: samples, problems: answered)
  print(OutcomeCounts(benchmark).sentence)
  let passAt1 = try PassRates(benchmark).passAt1
  for score in [passAt1, try Votes(benchmark).consensus(at: samples)] {
    print(score.sentence(for: path, try Bootstrap.standard.interval(of: score)))
  }
  print(passAt1.coverage())
}

do {
  try await main()
} catch {
  FileHandle.standardError.write(Data("Error: \(error)\n".utf8))
  exit(1)
}
