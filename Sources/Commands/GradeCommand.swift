import Foundation
import Interface
import Storage
import Verification

extension Command {
  /// `grade`: whether answers are right.
  static let grade = Command(
    "grade", summary: "Judges answers to problems of mathematics.",
    discussion: """
      Compares an answer with the reference and prints the verdict, what was taken from both texts, \
      and the rule that decided. Both may be formulas, or whole solutions, in which the answer is \
      looked for: the last box, an announced answer, the last formula or number.

      With '--input' it reads JSON lines with the fields 'reference' (or 'gold') and 'answer', and \
      writes each with its verdict, in order.
      """,
    example: """
      distill grade --reference 1/2 --answer "so it is \\boxed{0.5}"
      distill grade --input pairs.jsonl --output verdicts.jsonl
      """,
    takes: reference, answer, input, output, json,
    run: { arguments, console in
      switch (arguments[reference], arguments[answer], arguments[input]) {
      case (let reference?, let answer?, nil) where arguments[output] == nil:
        let verdict = Judge().verdict(reference: reference, answer: answer)
        console.print(arguments[json] ? verdict.json.printed : verdict.text)
      case (nil, nil, let path?):
        let count = try grade(path, to: arguments[output], console).count
        if let output = arguments[output] {
          console.note(
            "\(countedText(count.all, "pair")), \(groupedText(count.right)) right: \(output).")
        }
      default:
        throw UsageError("Give '--reference' and '--answer', or '--input'.")
      }
    })

  /// `regrade`: verdicts of an older judge, given again.
  static let regrade = Command(
    "regrade", summary: "Judges graded answers again.",
    discussion: """
      Reads a file that 'grade' wrote, judges every pair again, and lists the verdicts that are no \
      longer what they were. The file is left alone, unless '--output' names one for the new verdicts.
      """,
    example: """
      distill regrade verdicts.jsonl
      """,
    takes: graded, output,
    run: { arguments, console in
      let result = try grade(arguments[graded], to: arguments[output] ?? "", console)
      for flipped in result.flipped {
        console.print(
          "line \(flipped.line): was \(flipped.earlier ? "right" : "wrong"), is "
            + "\(flipped.verdict.equivalent ? "right" : "wrong"). \(flipped.verdict.reason)")
      }
      console.print(
        "\(countedText(result.flipped.count, "verdict")) of \(groupedText(result.count.all)) flipped."
      )
    })

  private static let reference = Option("reference", "text", help: "The right answer.", .texts)
  private static let answer = Option("answer", "text", help: "The answer to judge.", .texts)
  private static let input = Option("input", "file", help: "Pairs, a JSON object a line.", .texts)
  private static let output = Option(
    "output", "file", help: "Write the verdicts here.", .texts)
  private static let graded = Positional("verdicts", help: "A file that 'grade' wrote.")
  private static let json = Flag("json", help: "Print the verdict as JSON.")

  /// Judges a file of pairs; nil writes to the standard output, "" nowhere.
  private static func grade(
    _ path: String, to output: String?, _ console: Console
  ) throws -> (count: (all: Int, right: Int), flipped: [FlippedVerdict]) {
    let text = Data(try MappedFile(at: path).contents)
    var lines = Data()
    var all = 0
    var right = 0
    let flipped = try Judge().grade(text, source: path) { line in
      all += 1
      if try GradedPair(line: line, source: path).earlier == true { right += 1 }
      if output == nil {
        console.print(String(decoding: line, as: UTF8.self))
      } else {
        lines += line + Data([0x0A])
      }
    }
    if let output, !output.isEmpty { try AtomicFile.write(lines, to: output) }
    return ((all, right), flipped)
  }
}

extension Verdict {
  fileprivate var text: String {
    factLines([
      ("verdict", equivalent ? "right" : outcome.rawValue), ("reference", reference ?? "none"),
      ("answer", answer ?? "none"), ("rule", rule.rawValue), ("reason", reason),
      ("judge", version),
    ])
  }

  fileprivate var json: JSONValue {
    .members([
      ("equivalent", .bool(equivalent)), ("outcome", .string(outcome.rawValue)),
      ("reference", .text(reference)), ("answer", .text(answer)),
      ("rule", .string(rule.rawValue)), ("reason", .string(reason)), ("judge", .string(version)),
    ])
  }
}
