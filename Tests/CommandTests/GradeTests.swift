import XCTest

@testable import Commands

final class GradeTests: XCTestCase {
  func testOnePair() {
    assertPrints(
      distill("grade", "--reference", "\\frac12", "--answer", "so it is \\boxed{0.5}."),
      """
      verdict     right
      reference   \\frac12
      answer      0.5
      rule        canonicalForm
      reason      Algebra makes them equal.
      judge       1
      """)
    let wrong = distill("grade", "--reference", "(1,2]", "--answer", "[1,2]", "--json")
    XCTAssertEqual(wrong.status, 0)
    XCTAssertTrue(wrong.output.contains("\"equivalent\": false"), wrong.output)
  }

  func testFiles() throws {
    let folder = try TemporaryFolder()
    let (pairs, verdicts) = (folder.file("pairs.jsonl"), folder.file("verdicts.jsonl"))
    try folder.write(
      """
      {"id":1,"gold":"7","answer":"The answer is 7."}
      {"id":2,"reference":"x+1","answer":"1+x"}

      {"id":3,"reference":"2","answer":"3"}

      """, as: "pairs.jsonl")
    let run = distill("grade", "--input", pairs, "--output", verdicts)
    XCTAssertEqual(run, Run(errors: "3 pairs, 2 right: \(verdicts).\n"))
    let printed = distill("grade", "--input", pairs)
    XCTAssertEqual(
      printed.output, String(decoding: folder.bytes("verdicts.jsonl") ?? [], as: UTF8.self))
    XCTAssertEqual(printed.output.split(separator: "\n").count, 3)
    assertPrints(distill("regrade", verdicts), "0 verdicts of 3 flipped.")
    try folder.edit(
      "verdicts.jsonl", "\"id\":3,\"reference\":\"2\",\"answer\":\"3\",\"equivalent\":false",
      "\"id\":3,\"reference\":\"2\",\"answer\":\"3\",\"equivalent\":true")
    let again = distill("regrade", verdicts)
    XCTAssertTrue(again.output.hasPrefix("line 3: was right, is wrong. "), again.output)
    XCTAssertTrue(again.output.hasSuffix("\n1 verdict of 3 flipped.\n"), again.output)
    try folder.write("{\"answer\":\"3\"}\n", as: "pairs.jsonl")
    assertFails(
      distill("grade", "--input", pairs),
      "\(pairs):1: there is no 'gold' and no 'reference'.")
  }

  func testMistakes() {
    for run in [
      distill("grade"), distill("grade", "--reference", "1"),
      distill("grade", "--reference", "1", "--answer", "2", "--input", "x"),
      distill("grade", "--reference", "1", "--answer", "2", "--output", "x"),
    ] {
      assertMisuse(run, "Give '--reference' and '--answer', or '--input'.")
    }
  }

  func testPages() {
    assertPrints(
      distill("help", "grade"),
      #"""
      Judges answers to problems of mathematics.

      Compares an answer with the reference and prints the verdict, what was taken
      from both texts, and the rule that decided. Both may be formulas, or whole
      solutions, in which the answer is looked for: the last box, an announced answer,
      the last formula or number.

      With '--input' it reads JSON lines with the fields 'reference' (or 'gold') and
      'answer', and writes each with its verdict, in order.

      Usage: distill grade [--reference <text>] [--answer <text>] [--input <file>]
                           [--output <file>] [--json]

      Options:
        --reference <text>  The right answer.
        --answer <text>     The answer to judge.
        --input <file>      Pairs, a JSON object a line.
        --output <file>     Write the verdicts here.
        --json              Print the verdict as JSON.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Examples:
        distill grade --reference 1/2 --answer "so it is \boxed{0.5}"
        distill grade --input pairs.jsonl --output verdicts.jsonl
      """#)
    assertPrints(
      distill("help", "regrade"),
      """
      Judges graded answers again.

      Reads a file that 'grade' wrote, judges every pair again, and lists the verdicts
      that are no longer what they were. The file is left alone, unless '--output'
      names one for the new verdicts.

      Usage: distill regrade <verdicts> [--output <file>]

      Arguments:
        <verdicts>  A file that 'grade' wrote.

      Options:
        --output <file>  Write the verdicts here.

      Every command accepts:
        --threads <count>  Worker threads; without it what DISTILL_THREADS says, or
                           one for each core.

      Example:
        distill regrade verdicts.jsonl
      """)
  }
}
