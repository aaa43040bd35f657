import Comparison
import Interface
import Storage

extension Command {
  /// `diff`: why two evaluations have different scores.
  static let diff = Command(
    "diff", summary: "Explains why two evaluations differ.",
    discussion: """
      Sets two evaluations beside each other that 'distill evaluate' left: both scores and the \
      interval of their difference, every setting that is another (model, sampling, prompt, problems, \
      judge, preset, version), and the problems that flipped from right to wrong or back, with the \
      answers that most samples have and the reference.
      """,
    example: """
      distill diff my-evaluation/base my-evaluation/student
      distill diff last-week/student my-evaluation/student --problems 50
      """,
    takes: first, second, problems, json,
    run: prepared { arguments, console in
      let difference = try EvaluationDifference(arguments[first], arguments[second])
      if arguments[json] {
        console.write(String(decoding: difference.json.serialized(pretty: true), as: UTF8.self))
      } else {
        console.print(difference.text(problems: arguments[problems] ?? 10))
      }
    })

  private static let first = Positional("first", help: "A model's folder of an evaluation.")
  private static let second = Positional("second", help: "Another one.")
  private static let problems = Option(
    "problems", "count",
    help: "Flipped problems that are listed in each direction; without it, 10.",
    .wholeNumbers(in: 0...1_000_000))
  private static let json = Flag("json", help: "Print it as JSON, with all flipped problems.")
}
