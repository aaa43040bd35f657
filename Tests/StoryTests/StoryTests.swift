import XCTest

@testable import Stories

/// Stories say what their chains say, and traces solve them.
final class StoryTests: XCTestCase {
  func testTheStoryTellsItsChain() throws {
    for number in 0..<3_000 {
      var draws = Draws(seed: 5, "test", number)
      let story = Story(steps: 1...8, of: .training, &draws)
      XCTAssertEqual(try chain(toldBy: story.question), story.chain, story.question)
    }
  }

  /// "He" and "She" can mean one person only.
  func testTheTwoPersonsHaveDifferentPronouns() {
    let his: Set = ["Tom", "Ben", "Sam", "Max", "Leo"]
    let her: Set = ["Mia", "Ann", "Eva", "Zoe", "Lily"]
    for number in 0..<500 {
      var draws = Draws(seed: 6, "test", number)
      let words = Set(
        Story(steps: 3...5, of: .training, &draws).question.split { " .?".contains($0) }
          .map(String.init))
      XCTAssertLessThanOrEqual(words.intersection(his).count, 1)
      XCTAssertLessThanOrEqual(words.intersection(her).count, 1)
      XCTAssertFalse(words.contains("He") && words.contains("She"))
    }
  }

  /// Every line of a trace is a true equation that begins with the result of the one before.
  func testTracesAreTrueAndLeadToTheAnswer() throws {
    var ways: Set<String> = []
    for number in 0..<3_000 {
      var draws = Draws(seed: 8, "test", number)
      let story = Story(steps: 2...5, of: .training, &draws)
      let lines = story.trace.split(separator: "\n")
      XCTAssertEqual(lines.count, story.chain.steps.count)
      for (line, (value, step)) in zip(lines, zip(story.chain.values, story.chain.steps)) {
        let sides = line.split(separator: "=")
        XCTAssertEqual(sides.count, 2)
        XCTAssertEqual(Int(sides[1]), step.applied(to: value), "\(line)")
        XCTAssertEqual(Self.value(of: String(sides[0])), step.applied(to: value), "\(line)")
        XCTAssertTrue(sides[0].split { "+-*/".contains($0) }.contains("\(value)"), "\(line)")
        ways.insert(
          step.operation.rawValue + "\(step.operation == .times ? step.operand : 0)"
            + (sides[0].hasPrefix("\(step.operand)+") && step.operand != value
              ? " turned"
              : sides[0].split(separator: "+").allSatisfy { $0 == "\(value)" }
                ? " summed" : ""))
      }
      XCTAssertEqual(
        story.tracedAnswer, "<think>\n\(story.trace)\n</think>\n\n\\boxed{\(story.chain.answer)}")
    }
    XCTAssertTrue(
      ways.isSuperset(of: ["+0", "+0 turned", "-0", "*2", "*2 summed", "*3", "*3 summed", "/0"]),
      "\(ways)")
  }

  /// The value of numbers with one operator between them.
  private static func value(of text: String) -> Int? {
    let numbers = text.split { "+-*/".contains($0) }.compactMap { Int($0) }
    guard let first = numbers.first, let sign = text.first(where: { "+-*/".contains($0) }) else {
      return nil
    }
    return numbers.dropFirst().reduce(first) {
      switch sign {
      case "+": $0 + $1
      case "-": $0 - $1
      case "*": $0 * $1
      default: $0 / $1
      }
    }
  }
}
