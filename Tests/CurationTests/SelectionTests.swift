import Problems
import XCTest

@testable import Curation

final class SelectionTests: XCTestCase {
  /// Samples of problems, each problem a list of (tokens, longest paragraph).
  private func made(_ problems: [[(Int, Int)]]) -> Selection {
    var selection = Selection(entries: [], problems: [])
    for (p, samples) in problems.enumerated() {
      selection.problems.append(
        ProblemEntry(
          run: 0, source: 0, difficulty: 0, record: UInt32(p),
          question: Digest(of: ["question \(p)"]), group: UInt32(p)))
      for (s, (tokens, paragraph)) in samples.enumerated() {
        selection.entries.append(
          SampleEntry(
            offset: 0, length: 0, file: 0, run: 0, problem: UInt32(p), sample: UInt32(s),
            tokens: UInt32(tokens), promptTokens: 0, longestParagraph: UInt32(paragraph),
            key: UInt64(1_000 * p + s), text: Digest(of: ["\(p) \(s)"]), reason: .kept,
            outcome: .correct, counting: .told))
      }
    }
    return selection
  }

  private func kept(_ selection: Selection) -> [Int] {
    selection.entries.indices.filter { selection.entries[$0].reason == .kept }
  }

  func testAProblemKeepsTheBest() {
    let problems = [[(5, 9), (3, 9), (4, 1)], [(7, 7)], [(2, 2), (2, 1), (1, 3), (9, 0)]]
    func kept(_ choose: CurationRecipe.ProblemLimit.Choosing, most: Int?) -> [Int] {
      var selection = made(problems)
      let dropped = selection.drop(
        beyond: CurationRecipe.ProblemLimit(most: most, choose: choose), seed: 1)
      XCTAssertEqual(dropped, dropped.sorted())
      XCTAssertEqual(Set(dropped).union(self.kept(selection)), Set(0..<8))
      for entry in dropped { XCTAssertEqual(selection.entries[entry].reason, .problemLimit) }
      return self.kept(selection)
    }
    XCTAssertEqual(kept(.first, most: 1), [0, 3, 4])
    XCTAssertEqual(kept(.shortest, most: 1), [1, 3, 6])
    XCTAssertEqual(kept(.shortest, most: 2), [1, 2, 3, 4, 6], "of equal ones the first sampled")
    XCTAssertEqual(kept(.mostReadable, most: 1), [2, 3, 7])
    XCTAssertEqual(kept(.first, most: nil), Array(0..<8))
    XCTAssertEqual(kept(.first, most: 9), Array(0..<8))
  }

  func testTheSeedDecidesWhichAreDrawn() {
    let problems = (0..<200).map { _ in [(1, 1), (1, 1), (1, 1), (1, 1)] }
    func drawn(_ seed: UInt64) -> [Int] {
      var selection = made(problems)
      _ = selection.drop(
        beyond: CurationRecipe.ProblemLimit(most: 1, choose: .random), seed: seed)
      return kept(selection)
    }
    XCTAssertEqual(drawn(1), drawn(1))
    XCTAssertNotEqual(drawn(1), drawn(2))
    XCTAssertEqual(drawn(1).count, 200)
    // Every place is drawn about as often: chi-square with 3 degrees of freedom, 0.999 quantile.
    var counts = [Double](repeating: 0, count: 4)
    for entry in drawn(3) { counts[entry % 4] += 1 }
    XCTAssertLessThan(counts.reduce(0) { $0 + ($1 - 50) * ($1 - 50) / 50 }, 16.27, "\(counts)")
    // The limit's own seed comes first.
    var selection = made(problems)
    _ = selection.drop(
      beyond: CurationRecipe.ProblemLimit(most: 1, choose: .random, seed: 2), seed: 1)
    XCTAssertEqual(kept(selection), drawn(2))
  }

  func testProblemsWithOneQuestionAreOne() {
    var selection = made([[(5, 1)], [(4, 1)], [(3, 1), (2, 1)]])
    selection.problems[2].question = selection.problems[0].question
    selection.problems[0].judged = 4
    selection.problems[0].correct = 4
    selection.problems[2].judged = 4
    XCTAssertEqual(selection.groupQuestions(), 1)
    XCTAssertEqual(selection.problems.map(\.group), [0, 1, 0])
    XCTAssertEqual(selection.judgedByGroup().judged, [8, 0, 0])
    XCTAssertEqual(selection.judgedByGroup().correct, [4, 0, 0])
    var copy = selection
    _ = copy.drop(beyond: CurationRecipe.ProblemLimit(most: 1, choose: .shortest), seed: 0)
    XCTAssertEqual(kept(copy), [1, 3])
    copy = selection
    // Half of all answers to the question are right, so that neither problem is too easy.
    XCTAssertTrue(
      copy.drop(outside: CurationRecipe.PassRateBand(min: 0.5, max: 0.5)).isEmpty)
    copy.entries[3].text = copy.entries[0].text
    let same = copy.dropSameAnswers()
    XCTAssertEqual(same.map(\.entry), [3])
    XCTAssertEqual(same.map(\.earlier), [0])
  }

  func testPassRates() {
    func dropped(_ band: CurationRecipe.PassRateBand) -> [DropReason] {
      var selection = made([[(1, 1)], [(1, 1)], [(1, 1)], [(1, 1)], [(1, 1)]])
      for (p, (correct, judged)) in [(0, 4), (1, 4), (4, 4), (1, 1), (0, 0)].enumerated() {
        selection.problems[p].correct = UInt32(correct)
        selection.problems[p].judged = UInt32(judged)
      }
      _ = selection.drop(outside: band)
      return selection.entries.map(\.reason)
    }
    XCTAssertEqual(
      dropped(.init(min: 0.25, max: 0.75)), [.tooHard, .kept, .tooEasy, .tooEasy, .kept])
    XCTAssertEqual(
      dropped(.init(min: 0.25, max: 0.75, fewest: 2)), [.tooHard, .kept, .tooEasy, .kept, .kept])
    XCTAssertEqual(dropped(.init(min: 0, max: 1)), [.kept, .kept, .kept, .kept, .kept])
    XCTAssertEqual(
      dropped(.init(min: 0.3, max: 1)), [.tooHard, .tooHard, .kept, .kept, .kept])
  }

  func testNearQuestions() {
    var selection = made([[(1, 1)], [(1, 1), (2, 2)], [(1, 1)]])
    selection.entries[0].reason = .wrong
    var asked: [Int] = []
    let dropped = selection.dropNearQuestions { problem in
      asked.append(problem)
      return problem == 2 ? (problem: 1, likeness: 0.9) : nil
    }
    // A problem with nothing left is not looked at, and keeps no other from being kept.
    XCTAssertEqual(asked, [1, 2])
    XCTAssertEqual(dropped.map(\.entry), [3])
    XCTAssertEqual(selection.entries.map(\.reason), [.wrong, .kept, .kept, .nearQuestion])
  }

  func testSurplusIsLeftOutBySeed() {
    var selection = made((0..<50).map { _ in [(1, 1)] })
    selection.entries[7].reason = .wrong
    selection.drop(ofRun: 0, beyond: 20, seed: 5)
    XCTAssertEqual(kept(selection).count, 20)
    XCTAssertEqual(selection.entries.count { $0.reason == .surplus }, 29)
    let first = kept(selection)
    selection.drop(ofRun: 0, beyond: 20, seed: 6)
    XCTAssertEqual(kept(selection), first, "what is no more than asked for stays")
    XCTAssertEqual(Selection.surplus(of: 3, beyond: 0, seed: 1, source: 0), [0, 1, 2])
    XCTAssertEqual(Selection.surplus(of: 3, beyond: 3, seed: 1, source: 0), [])
    XCTAssertNotEqual(
      Selection.surplus(of: 100, beyond: 50, seed: 1, source: 0),
      Selection.surplus(of: 100, beyond: 50, seed: 1, source: 1))
  }
}
