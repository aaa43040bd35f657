import Evaluation
import Foundation
import Interface
import Problems
import Scores
import Storage
import Teachers

extension Command {
  /// `responses`: what models wrote, and what was found of it.
  static let responses = Command(
    "responses", summary: "Shows what a model answered, and why it was judged so.",
    discussion: """
      Reads the folder of a benchmark within an evaluation, and prints responses: the question, the \
      whole text, what was taken from it as the answer, the verdict and its reason. Without options \
      the first sample of each of the first problems is shown.
      """,
    example: """
      distill responses my-evaluation/student/aime-2024 --outcome wrong --most 3
      distill responses my-evaluation/student/aime-2024 --problem aime24.jsonl#7 --json
      """,
    takes: folder, problem, outcome, number, most, json,
    run: prepared { arguments, console in
      let found = try Responses(
        at: arguments[folder], problem: arguments[problem],
        outcome: arguments[outcome].map { try outcome(named: $0) }, sample: arguments[number],
        most: arguments[most] ?? (arguments[problem] == nil ? 5 : 1_000))
      if arguments[json] {
        return console.print(JSONValue.array(found.responses.map(\.json)).printed)
      }
      if found.responses.isEmpty { console.print("No response fits.") }
      for response in found.responses { console.print(response.text + "\n") }
      if found.left > 0 {
        console.note(
          "\(countedText(found.left, "response")) more fit; '--most' shows more of them.")
      }
    })

  private static let folder = Positional(
    "folder", help: "The folder of a benchmark in a model's evaluation.")
  private static let problem = Option(
    "problem", "id", help: "Only this problem's, all its samples.", .texts)
  private static let outcome = Option(
    "outcome", "name",
    help: "Only those that are right, wrong, cut, noAnswer, unreadable, timeout or infrastructure.",
    .texts)
  private static let number = Option(
    "sample", "number", help: "Only the sample with this number, from 0.",
    .wholeNumbers(in: 0...Int.max))
  private static let most = Option(
    "most", "count", help: "How many are shown; without it 5, or all of a problem.",
    .wholeNumbers(in: 1...Int.max))
  private static let json = Flag("json", help: "Print them as JSON.")

  private static func outcome(named name: String) throws -> SampleOutcome {
    guard let outcome = SampleOutcome(rawValue: name) else {
      throw CommandError(
        "'--outcome' is \(quoted(name)); there are \(SampleOutcome.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", "))."
      )
    }
    return outcome
  }
}

/// Responses of a benchmark's folder that were asked for.
private struct Responses {
  struct Response {
    let shown: ShownProblem
    let record: SampleRecord
    /// Nil for a sample that is not judged yet.
    let verdict: JudgedProblem.Verdict?

    var text: String {
      var facts = [
        ("problem", record.problem), ("sample", "\(record.sample)"),
        ("verdict", verdict.map { "\($0.outcome.rawValue): \($0.reason)" } ?? "not judged yet"),
      ]
      if let answer = verdict?.answer { facts.append(("answer", answer)) }
      if let reference = shown.reference { facts.append(("reference", reference)) }
      if let tokens = record.answer.completionTokens {
        facts.append(("tokens", groupedText(tokens)))
      }
      return factLines(facts) + "\n\n" + shown.text + "\n\n" + record.text
    }

    var json: JSONValue {
      .members([
        ("problem", .text(record.problem)), ("question", .text(shown.text)),
        ("reference", shown.reference.map { .text($0) } ?? .null),
        ("sample", .count(record.sample)),
        ("outcome", verdict.map { .text($0.outcome.rawValue) } ?? .null),
        ("class", verdict?.answerClass.map { .count($0) } ?? .null),
        ("answer", verdict?.answer.map { .text($0) } ?? .null),
        ("reason", verdict.map { .text($0.reason) } ?? .null),
        ("tokens", record.answer.completionTokens.map { .count($0) } ?? .null),
        ("text", .text(record.text)),
      ])
    }
  }

  var responses: [Response] = []
  /// How many more fit.
  var left = 0

  init(
    at path: String, problem id: String?, outcome: SampleOutcome?, sample: Int?, most: Int
  ) throws {
    if let evaluation = try? ModelEvaluation(at: path) {
      throw CommandError(
        "\(path): the evaluation of a model; name the folder of a benchmark in it: "
          + listText(evaluation.benchmarks.map { "\(path)/\($0.folder)" }) + ".")
    }
    let folder = try SampleFolder(at: path)
    let judged = try JudgedProblem.byID(inBenchmark: path)
    var problems: [(problem: Problem, places: [(sample: Int, place: SampleFolder.Place)])] = []
    var numbers: [[UInt8]: Int] = [:]
    try folder.forEachProblem { json, place in
      let problem = try Problem(json, place: place)
      if let id, !id.utf8.elementsEqual(problem.id.utf8) { return }
      numbers[Array(problem.id.utf8)] = problems.count
      problems.append((problem, []))
    }
    if let id, problems.isEmpty {
      throw CommandError(
        "\(path): there is no problem \(quoted(id)). Its 'problems.jsonl' has the ids.")
    }
    try folder.forEachRecord { record, place in
      guard let number = numbers[Array(record.problem.utf8)] else { return }
      problems[number].places.append((record.sample, place))
    }
    for (problem, places) in problems {
      // Without a wish, one sample of each problem tells more than many of the first.
      let takesAll = id != nil || outcome != nil || sample != nil
      let sorted = places.sorted { $0.sample < $1.sample }
      for (number, place) in takesAll ? sorted : Array(sorted.prefix(1)) {
        if let sample, number != sample { continue }
        let verdict = judged[Array(problem.id.utf8)]?.verdict(ofSample: number)
        if let outcome, verdict?.outcome != outcome { continue }
        if responses.count == most {
          left += 1
          continue
        }
        let record = try folder.record(at: place)
        responses.append(
          Response(
            shown: try ShownProblem(
              problem, to: number, prompt: folder.shards.first?.identity["prompt"],
              seed: record.settings.seed), record: record, verdict: verdict))
      }
    }
  }
}
