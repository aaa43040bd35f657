import Foundation
import Storage
import XCTest

@testable import Stories

/// Files of stories: their lines, and that training shares no chain with evaluation.
final class StoryFileTests: XCTestCase {
  /// All kinds that are made of stories; each is also read back from its words.
  func testNoFileOfTrainingSharesAChainWithEvaluation() throws {
    var chains: [Split: Set<String>] = [:]
    for split in Split.allCases {
      for kind in [StoryFile.Kind.problems, .answers, .traces, .corpus] {
        for steps in [1...3, 2...3, 4...5] {
          // There are 45 chains of one step in the smaller splits.
          let file = try StoryFile(
            kind, count: steps.contains(1) ? 90 : 400, steps: steps, of: split, seed: 1)
          for line in try lines(of: file) {
            let id = try XCTUnwrap(line["id"] as? String)
            XCTAssertEqual(Split(ofKey: id), split, id)
            let question = (line["question"] ?? line["text"]) as? String
            let turns = line["messages"] as? [[String: String]]
            let told = try XCTUnwrap(question ?? turns?.first?["content"])
            XCTAssertEqual(try chain(toldBy: told).key, id, told)
            chains[split, default: []].insert(id)
          }
        }
      }
    }
    XCTAssertGreaterThan(chains[.training]?.count ?? 0, 2_000)
    XCTAssertGreaterThan(chains[.test]?.count ?? 0, 1_000)
    let pairs: [(Split, Split)] = [
      (.training, .test), (.training, .development), (.development, .test),
    ]
    for (a, b) in pairs {
      XCTAssertEqual((chains[a] ?? []).intersection(chains[b] ?? []), [])
    }
  }

  /// The committed problems of Recipes/tiny are what the generator writes.
  func testTheProblemsOfTheTinyRecipesAreTheGenerators() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Recipes/tiny/problems")
    let files: [(name: String, count: Int, steps: ClosedRange<Int>, split: Split)] = [
      ("easy-development.jsonl", 200, 2...3, .development), ("easy.jsonl", 200, 2...3, .test),
      ("hard-development.jsonl", 200, 4...5, .development), ("hard.jsonl", 200, 4...5, .test),
      ("training.jsonl.gz", 5_000, 2...5, .training),
    ]
    for (name, count, steps, split) in files {
      let file = try StoryFile(.problems, count: count, steps: steps, of: split, seed: 1)
      var written: [UInt8] = []
      try file.write { written += Array($0.utf8) }
      var committed = Array(try Data(contentsOf: folder.appendingPathComponent(name)))
      if name.hasSuffix(".gz") {
        committed = try committed.withUnsafeBytes {
          try Gzip.unpacked($0, source: name, limit: 1 << 24)
        }
      }
      XCTAssertTrue(written == committed, "\(name): run Recipes/tiny/make-problems.sh")
    }
    XCTAssertEqual(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted(),
      files.map(\.name))
  }

  func testProblemsAreDistinctAndOfTheirSteps() throws {
    let file = try StoryFile(.problems, count: 500, steps: 2...3, of: .test, seed: 4)
    let lines = try lines(of: file)
    XCTAssertEqual(Set(lines.compactMap { $0["id"] as? String }).count, 500)
    XCTAssertEqual(
      Set(lines.compactMap { $0["difficulty"] as? String }), ["2 steps", "3 steps"])
    for line in lines {
      let chain = try chain(toldBy: XCTUnwrap(line["question"] as? String))
      XCTAssertEqual(line["answer"] as? String, "\(chain.answer)")
      XCTAssertEqual(line["difficulty"] as? String, "\(chain.steps.count) steps")
    }
    XCTAssertEqual(lines.filter { $0["difficulty"] as? String == "2 steps" }.count, 250)
  }

  func testLinesAreTheirNumbersAlone() throws {
    for kind in StoryFile.Kind.allCases {
      var some: [String] = []
      var more: [String] = []
      var other: [String] = []
      try StoryFile(kind, count: 20, steps: 2...5, of: .training, seed: 1).write {
        some.append($0)
      }
      try StoryFile(kind, count: 50, steps: 2...5, of: .training, seed: 1).write {
        more.append($0)
      }
      try StoryFile(kind, count: 20, steps: 2...5, of: .training, seed: 2).write {
        other.append($0)
      }
      XCTAssertEqual(some, Array(more.prefix(20)), kind.rawValue)
      XCTAssertNotEqual(some, other, kind.rawValue)
    }
  }

  func testWhatCanNotBe() throws {
    let cases: [(count: Int, steps: ClosedRange<Int>, kind: StoryFile.Kind, message: String)] = [
      (0, 2...3, .facts, "A file may have 1 to 10000000 lines, not 0."),
      (10_000_001, 2...3, .facts, "A file may have 1 to 10000000 lines, not 10000001."),
      (1, 0...3, .traces, "Stories have 1 to 8 steps, not 0 to 3."),
      (1, 2...9, .traces, "Stories have 1 to 8 steps, not 2 to 9."),
    ]
    for (count, steps, kind, message) in cases {
      XCTAssertThrowsError(
        try StoryFile(kind, count: count, steps: steps, of: .training, seed: 0)
      ) { XCTAssertEqual("\($0)", message) }
    }
    let file = try StoryFile(.problems, count: 500, steps: 1...1, of: .test, seed: 0)
    XCTAssertThrowsError(try file.write { _ in }) {
      XCTAssertEqual(
        "\($0)",
        "Only 45 of 500 problems were found in 10000 tries; ask for fewer or for more steps.")
    }
  }

  /// The lines of a file as JSON.
  private func lines(of file: StoryFile) throws -> [[String: Any]] {
    var lines: [[String: Any]] = []
    try file.write { line in
      XCTAssertEqual(line.utf8.filter { $0 == 0x0A }.count, 1)
      XCTAssertEqual(line.utf8.last, 0x0A)
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
      lines.append(try XCTUnwrap(object as? [String: Any]))
    }
    XCTAssertEqual(lines.count, file.count)
    return lines
  }
}
