import XCTest

@testable import TeacherGeneration

/// What is stored of a problem, in whatever order it comes.
final class RunStateTests: XCTestCase {
  func testEveryOrder() {
    var random = SplitMix64(state: 1)
    for _ in 0..<500 {
      var state = RunState(problems: 3)
      var there: Set<Int> = []
      for sample in (0..<9).shuffled(using: &random) {
        XCTAssertTrue(state.store(1, sample))
        XCTAssertFalse(state.store(1, sample))
        there.insert(sample)
        XCTAssertEqual(state.storedCount(1), (0...9).first { !there.contains($0) })
        for other in 0..<10 {
          XCTAssertEqual(state.isStored(1, other), there.contains(other))
          XCTAssertFalse(state.isStored(0, other) || state.isStored(2, other))
        }
        let missing = state.missing(1, upTo: 9, most: 2)
        XCTAssertEqual(missing.flatMap { Array($0) }, (0..<9).filter { !there.contains($0) })
        XCTAssertTrue(missing.allSatisfy { (1...2).contains($0.count) })
      }
      XCTAssertEqual(state.missing(1, upTo: 4, most: 2), [])
    }
  }

  func testCounts() {
    var state = RunState(problems: 4)
    state.setDone(0)
    state.setDone(0)
    state.setFailed(1)
    state.setFailed(2)
    XCTAssertEqual([state.doneCount, state.failedCount], [1, 2])
    // Asked again, and answered.
    state.setDone(2)
    XCTAssertEqual([state.doneCount, state.failedCount], [2, 1])
    XCTAssertFalse(state.isFailed(2))
    state.setOpen(2)
    state.setOpen(3)
    XCTAssertEqual([state.doneCount, state.failedCount], [1, 2])
  }

  func testRule() {
    var recipe = TeacherGenerationRecipe.of(["a"], output: "b", samples: 4)
    func decision(_ samples: Int, _ correct: Int = 0, judged: Int? = nil) -> SamplingRule.Decision {
      SamplingRule(recipe).decision(
        after: RoundCounts(samples: samples, correct: correct, judged: judged ?? samples))
    }
    XCTAssertEqual(decision(0), .ask(upTo: 4))
    XCTAssertEqual(decision(3), .ask(upTo: 4))
    XCTAssertEqual(decision(4), .done(.allAsked))
    recipe.adaptive = AdaptiveSampling(
      correct: 3, maxSamples: 9, round: 3, passRate: .init(min: 0.25, max: 0.5, after: 6))
    XCTAssertEqual(decision(3, 3), .ask(upTo: 4))
    XCTAssertEqual(decision(4, 3), .done(.enough))
    XCTAssertEqual(decision(4, 0, judged: 0), .done(.unjudged))
    XCTAssertEqual(decision(4, 0), .ask(upTo: 7))
    XCTAssertEqual(decision(7, 1), .done(.tooHard))
    XCTAssertEqual(decision(7, 2), .ask(upTo: 9))
    XCTAssertEqual(decision(9, 2, judged: 8), .done(.mostSamples))
    recipe.adaptive?.correct = 9
    XCTAssertEqual(decision(7, 4), .done(.tooEasy))
    XCTAssertEqual(decision(6, 3), .ask(upTo: 9))
  }
}
