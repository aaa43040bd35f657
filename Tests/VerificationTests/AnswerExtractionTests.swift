import XCTest

@testable import Verification

final class AnswerExtractionTests: XCTestCase {
  private func extract(
    _ text: String, isReference: Bool = false, thinkingStarted: Bool = false
  ) -> String? {
    let found = AnswerExtraction().answer(
      in: Array(text.utf8), isReference: isReference, thinkingStarted: thinkingStarted)
    return found.map { String(decoding: $0.text, as: UTF8.self) }
  }

  func testFindsTheAnswer() {
    let cases: [(String, String?)] = [
      // Boxes.
      (
        #"So \boxed{5}, and \boxed{\frac{1}{2}}. Then \boxed{\sqrt{\frac{3}{4}}}."#,
        #"\sqrt{\frac{3}{4}}"#
      ),
      (#"\boxed{1}. Wait, no: \boxed{2}"#, "2"),
      (#"\boxed{1} and \boxed{2}"#, "1, 2"),
      (#"\boxed{1} papers and \boxed{2} bins"#, "1, 2"),
      (#"$x = \boxed{3}$ or $x = \boxed{4}$"#, "3, 4"),
      (#"$\boxed{2}, \boxed{3}, \boxed{5}$"#, "2, 3, 5"),
      (#"First \boxed{1}, then we find that also \boxed{2}"#, "2"),
      (#"\boxed{1} is not it, and so we get \boxed{2}"#, "2"),
      (#"\boxed 7 is it"#, "7"),
      (#"\boxed{x = \boxed{7}}"#, "7"),
      (#"\fbox{7}"#, "7"),
      (#"\boxed{\{1,2\}}"#, #"\{1,2\}"#),
      (#"\boxed{5} \boxed{}"#, "5"),
      (#"The answer is 4. \boxed{12"#, nil),
      (#"The answer is 4, so \boxed{5}. The final answer is 6."#, "5"),
      // Phrases.
      ("The final answer is 12. I hope it is correct.", "12"),
      ("Answer: 5 apples", "5 apples"),
      ("**Answer:** $x=2$", "x=2"),
      ("... so\n#### 1,234", "1,234"),
      ("He pays 3 + 4 = 7\nA: 7", "7"),
      ("The answer is 4. No, the answer is 5.", "5"),
      ("Final Answer: Jane started growing Sphere 3 hours ago.", "3"),
      ("The answer is $\\frac{1}{2}$ of the cake.", "\\frac{1}{2} of the cake"),
      ("Answer \\[ \n 9 \n \\]", "9"),
      // Tags.
      ("<think>5</think><answer>6</answer>", "6"),
      ("<answer>It is \\boxed{6}.</answer> 7", "6"),
      // The whole text.
      ("x = 5", "x = 5"),
      ("  $7$ ", "7"),
      ("\\(x+1\\)", "x+1"),
      ("Evelyn", "Evelyn"),
      ("-3", "-3"),
      // The last formula or number.
      ("We have $x=1$. Hence $y=2$.", "y=2"),
      ("There are $n$ cows and 19 sheep.", "19"),
      ("First 19 sheep, then $n+1$ cows.", "n+1"),
      ("The solutions are $x=1$ and $x=2$.", "x=1, x=2"),
      ("It grows by 100%.", "100%"),
      ("That is 2/3.", "2/3"),
      ("It costs $5 and then $6 more", "6"),
      ("the change is -4 degrees", "-4"),
      ("pages 3-4", "4"),
      ("AZYUK2A", nil),
      ("It is AZYUK2A, they said, and left the room.", nil),
      ("", nil),
      ("   ", nil),
      ("I do not know what the answer to this question could be", nil),
    ]
    for (text, answer) in cases { XCTAssertEqual(extract(text), answer, text) }
  }

  func testThinkingIsNoAnswer() {
    XCTAssertNil(extract("<think>So \\boxed{5}."))
    XCTAssertNil(extract("<think>So \\boxed{5}.</think> <think> \\boxed{6}"))
    XCTAssertNil(extract("So \\boxed{5}.", thinkingStarted: true))
    XCTAssertNil(extract("<think>So \\boxed{5}.</think>"))
    XCTAssertEqual(extract("So \\boxed{5}.</think> \\boxed{6}", thinkingStarted: true), "6")
    XCTAssertEqual(extract("<think>\\boxed{5}</think>\n\n\\boxed{6}"), "6")
    XCTAssertEqual(extract("<think>\\boxed{5}</think>\n\nThe answer is 6."), "6")
    let verdict = Judge().verdict(reference: "5", answer: "<think>So \\boxed{5}.")
    XCTAssertEqual(verdict.outcome, .noAnswer)
    XCTAssertEqual(verdict.reason, "No answer was found.")
    XCTAssertEqual(verdict.reference, "5")
    XCTAssertNil(verdict.answer)
  }

  func testReferencesAreNotCut() {
    XCTAssertEqual(extract("\\boxed{x = 1", isReference: true), "x = 1")
    let verdict = Judge().verdict(reference: "", answer: "5")
    XCTAssertEqual(verdict.outcome, .notUnderstood)
    XCTAssertEqual(verdict.reason, "The reference has no answer.")
  }

  func testAnswersThatHedgeAreWrong() {
    for answer in [
      "\\boxed{3} or \\boxed{4}", "\\boxed{3, 4}", "3 or 4", "\\boxed{3 \\text{ or } 4}",
    ] {
      XCTAssertFalse(Judge().verdict(reference: "4", answer: answer).equivalent, answer)
    }
  }
}
