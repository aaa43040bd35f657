import Foundation
import Storage
import XCTest

@testable import Verification

/// Rows of LiveCodeBench and of CodeContests, with programs that are right and programs that are
/// wrong in one place.
final class LiveCodeBenchTests: XCTestCase {
  private let folder = "benchmarks/livecodebench/"

  /// Three rows whose tests are whole; their own solutions are `sys.exit(0)`.
  func testRowsOfSandboxFusion() throws {
    let tasks = try ProgramTask.tasks(
      at: SharedFixture.path(folder + "sandboxfusion_lcb_v1_sample.decoded.jsonl"))
    XCTAssertEqual(tasks.map(\.count), [5, 14, 15])
    let programs = [
      """
      for _ in range(int(input())):
          print("YES" if sum(a != b for a, b in zip(input(), "abc")) <= 2 else "NO")
      """,
      """
      class Solution:
          def countSeniors(self, details: List[str]) -> int:
              return sum(int(detail[11:13]) > 60 for detail in details)
      """,
      """
      n, s = int(input()), input()
      t = s.count("T")
      print("T" if t > n - t or (t == n - t and s[-1] == "A") else "A")
      """,
    ]
    for (task, program) in zip(tasks, programs) {
      try assertPasses(program, task)
      let refused = try Boxes.judge().verdict(of: "import sys; sys.exit(0)", on: task)
      XCTAssertFalse(refused.passed)
      XCTAssertNotEqual(refused.outcome, .infrastructure)
      XCTAssertEqual(refused.failingTest, 1)
    }
    try assertWrong(programs[0], "<= 2", "<= 1", tasks[0], test: 1)
    try assertWrong(programs[1], "> 60", ">= 60", tasks[1], test: 11)
    try assertWrong(programs[2], "== \"A\"", "== \"T\"", tasks[2], test: 2)
  }

  /// The answers of the few-shot prompts, on the examples in their questions.
  func testFewShotAnswers() throws {
    let calls = try fewShot("few_shot_func.json")
    try assertPasses(
      calls[0],
      ProgramTask(
        """
        {"function":"unequalTriplets","tests":[{"arguments":[[4,4,2,4,3]],"result":3},
        {"arguments":[[1,1,1,1,1]],"result":0}]}
        """))
    let strings = try ProgramTask(
      #"""
      {"question_id":"2486","metadata":"{\"func_name\":\"appendCharacters\"}",
      "public_test_cases":"[{\"input\":\"\\\"coaching\\\"\\n\\\"coding\\\"\",\"output\":\"4\",\"testtype\":\"functional\"},{\"input\":\"\\\"abcde\\\"\\n\\\"a\\\"\",\"output\":\"0\",\"testtype\":\"functional\"}]",
      "private_test_cases":"[{\"input\":\"\\\"z\\\"\\n\\\"abcde\\\"\",\"output\":\"5\",\"testtype\":\"functional\"}]"}
      """#)
    XCTAssertEqual(strings.count, 3)
    try assertPasses(calls[1], strings)
    try assertWrong(calls[1], "len(t) - i", "len(s) - i", strings, test: 1)
    let scripts = try fewShot("few_shot_stdin.json")
    let gifts = try ProgramTask(
      #"""
      {"tests":[{"input":"5\n3\n3 5 6\n3 2 3\n5\n1 2 3 4 5\n5 4 3 2 1\n3\n1 1 1\n2 2 2\n6\n1 1000000000 1000000000 1000000000 1000000000 1000000000\n1 1 1 1 1 1\n3\n10 12 8\n7 5 4\n","output":"6\n16\n0\n4999999995\n7\n"}]}
      """#)
    try assertPasses(scripts[0], gifts)
    try assertWrong(scripts[0], "max(candies[i]", "min(candies[i]", gifts, test: 1)
    let phones = try ProgramTask(
      #"""
      {"input_output":"{\"inputs\":[\"11\\n00000000008\\n\",[\"22\",\"0011223344556677889988\"],\"11\\n31415926535\"],\"outputs\":[\"1\",\"2\",\"0\"]}"}
      """#)
    try assertPasses(scripts[1], phones)
    try assertWrong(scripts[1], "// 11", "// 12", phones, test: 1)
  }

  /// Problems with about a hundred tests each; all five in the long tests.
  func testCodeContests() throws {
    let tasks = try ProgramTask.tasks(
      at: SharedFixture.path(folder + "sandboxfusion_code_contests_sample.jsonl"))
    XCTAssertEqual(tasks.count, 20)
    XCTAssertEqual(tasks.reduce(0) { $0 + $1.count }, 2_233)
    var right: [(program: String, task: ProgramTask)] = []
    for (index, program, old, new) in Self.solutions.suffix(Boxes.isLong ? 5 : 3) {
      let task = try XCTUnwrap(tasks.first { $0.id == "\(index)" })
      right.append((program, task))
      let wrong = program.replacingOccurrences(of: old, with: new)
      XCTAssertNotEqual(program, wrong)
      let verdict = try Boxes.judge().verdict(of: wrong, on: task)
      XCTAssertEqual(verdict.outcome, .wrong, "\(index): \(verdict.reason)")
    }
    for (verdict, pair) in zip(try Boxes.judge().verdicts(of: right, threads: 2), right) {
      XCTAssertTrue(verdict.passed, "\(pair.task.id ?? ""): \(verdict)")
    }
  }

  private static let solutions: [(Int, String, String, String)] = [
    (
      3,
      """
      n = int(input())
      a = Counter(input() for _ in range(n))
      b = Counter(input() for _ in range(n))
      print(n - sum((a & b).values()))
      """, "n - sum", "n + 1 - sum"
    ),
    (
      12,
      """
      from collections import Counter
      n, size = map(int, input().split())
      a = sorted(Counter(map(int, input().split())).items())
      k = min(20, 8 * size // n)
      counts = [c for _, c in a]
      width = 1 << k
      total = sum(counts[:width])
      best = total
      for i in range(width, len(counts)):
          total += counts[i] - counts[i - width]
          best = max(best, total)
      print(n - best)
      """, "1 << k", "(1 << k) + 1"
    ),
    (
      14,
      """
      import sys
      def main():
          data = sys.stdin.read().split()
          at = 1
          for _ in range(int(data[0])):
              n, r = int(data[at]), int(data[at + 1])
              xs = sorted(set(map(int, data[at + 2:at + 2 + n])), reverse=True)
              at += 2 + n
              shots = 0
              for x in xs:
                  if x - shots * r <= 0:
                      break
                  shots += 1
              print(shots)
      if __name__ == "__main__":
          main()
          exit()
      """, "<= 0", "<= 1"
    ),
    (
      17,
      """
      n, m = input().strip(), input().strip()
      d = sorted(n)
      if d[0] == "0":
          i = next((i for i, c in enumerate(d) if c != "0"), 0)
          d[0], d[i] = d[i], d[0]
      print("OK" if "".join(d) == m else "WRONG_ANSWER")
      """, "== m", "== str(int(m))"
    ),
    (
      9,
      """
      n, k = map(int, input().split())
      parent = list(range(n + 1))
      def root(x):
          while parent[x] != x:
              parent[x] = parent[parent[x]]
              x = parent[x]
          return x
      for _ in range(n - 1):
          u, v, color = map(int, input().split())
          if color == 0:
              parent[root(u)] = root(v)
      sizes = defaultdict(int)
      for x in range(1, n + 1):
          sizes[root(x)] += 1
      print((n ** k - sum(size ** k for size in sizes.values())) % (10 ** 9 + 7))
      """, "color == 0", "color == 1"
    ),
  ]

  private func fewShot(_ name: String) throws -> [String] {
    let path = try SharedFixture.path(folder + name)
    // They hold questions and answers, and no tests.
    XCTAssertThrowsError(try ProgramTask.tasks(at: path)) { error in
      XCTAssertEqual(
        "\(error)",
        "\(path): element 1: there are no tests: no 'tests', and no field of a known benchmark.")
    }
    let rows = try JSONValue(
      parsing: try Data(contentsOf: URL(fileURLWithPath: path)), source: path)
    return try XCTUnwrap(rows.array).map { try XCTUnwrap($0.object).text("answer") }
  }

  private func assertPasses(_ program: String, _ task: ProgramTask, line: UInt = #line) throws {
    let verdict = try Boxes.judge().verdict(of: program, on: task)
    XCTAssertTrue(verdict.passed, "\(verdict)", line: line)
    XCTAssertNil(verdict.failingTest, line: line)
  }

  private func assertWrong(
    _ program: String, _ old: String, _ new: String, _ task: ProgramTask, test: Int,
    line: UInt = #line
  ) throws {
    let wrong = program.replacingOccurrences(of: old, with: new)
    XCTAssertNotEqual(wrong, program, line: line)
    let verdict = try Boxes.judge().verdict(of: wrong, on: task)
    XCTAssertEqual(verdict.outcome, .wrong, "\(verdict)", line: line)
    XCTAssertEqual(verdict.failingTest, test, "\(verdict)", line: line)
  }
}
