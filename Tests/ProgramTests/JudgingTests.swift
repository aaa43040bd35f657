import Foundation
import Sandbox
import Storage
import XCTest

@testable import Verification

/// What a program does wrong, and what the verdict calls it.
final class JudgingTests: XCTestCase {
  private let echo = #"{"tests":[{"input":"1","output":"1"},{"input":"2","output":"2"}]}"#
  private let double =
    #"{"function":"f","seconds":1,"tests":[{"arguments":[1],"result":2},{"arguments":[2],"result":4}]}"#
  private let assertions =
    #"{"assertions":["assert f(1) == 2","assert f(2) == 4"],"entry_point":"f","seconds":1}"#

  func testStandardInput() throws {
    try check(
      echo,
      [
        ("print(input())", .pass, nil, "All 2 tests were passed."),
        ("print(1)", .wrong, 2, "Line 1 of the output is '1', where '2' was expected."),
        (
          "print(1 / (int(input()) - 2))", .wrong, 1,
          "Line 1 of the output is '-1.0', where '1' was expected."
        ),
        (
          "x = input()\nif x == '2': y\nprint(x)", .runtimeError, 2,
          "The program ended with status 1: 'NameError: name 'y' is not defined'."
        ),
        (
          "x = = 1", .runtimeError, 1,
          "The program ended with status 1: 'SyntaxError: invalid syntax'."
        ),
        (
          "import ctypes\nctypes.string_at(0)", .runtimeError, 1,
          "The program was ended by signal 11."
        ),
        (
          "print(input())\nwhile True: print('x' * 100000)", .outputLimit, 1,
          "The program printed more than 1024 KiB."
        ),
        ("x = [0] * (1 << 29)", .memoryLimit, 1, "The program ran out of memory."),
        ("import sys\nprint(input())\nsys.exit(3)", .pass, nil, "All 2 tests were passed."),
        (
          "import os\nprint(input())\nsys.stdout.flush()\nos._exit(3)", .runtimeError, 1,
          "The program ended with status 3."
        ),
        // Names that LiveCodeBench imports, and what must not be in their way.
        (
          "class Count: pass\nlog = lambda x: x\nprint(log(int(sqrt(pow(int(input()), 2)))), sep='')",
          .pass, nil, "All 2 tests were passed."
        ),
        (
          "from __future__ import annotations\ndef f(a: List[int]) -> Nothing: return max(a)\n"
            + "print(reduce(add, [int(input())]), end=string.whitespace[0])",
          .pass, nil, "All 2 tests were passed."
        ),
        (
          "import threading, dataclasses\n@dataclasses.dataclass\nclass A:\n  x: 'int'\n"
            + "threading.stack_size(1 << 26)\nt = threading.Thread(target=lambda: print(A(input()).x))\n"
            + "t.start(); t.join()",
          .pass, nil, "All 2 tests were passed."
        ),
      ])
    let slow = #"{"tests":[{"input":"","output":""}],"seconds":0.5}"#
    try check(
      slow, [("while True: pass", .timeLimit, 1, "The program took longer than 0.5 s.")])
    try check(slow, [("", .pass, nil, "The test was passed.")])
  }

  func testFunctions() throws {
    try check(
      double,
      [
        ("def f(x): return 2 * x", .pass, nil, "All 2 tests were passed."),
        (
          "class Solution:\n  def f(self, x): return 2.0 * x", .pass, nil,
          "All 2 tests were passed."
        ),
        (
          "print('{}')\ndef f(x):\n  print('x'); return x + x", .pass, nil,
          "All 2 tests were passed."
        ),
        ("def f(x): return x + 1", .wrong, 2, "The result is '3', where '4' was expected."),
        ("def g(x): return 2 * x", .runtimeError, 1, "The program defines no function 'f'."),
        ("def f(x): return [2 * x]", .wrong, 1, "The result is '[2]', where '2' was expected."),
        (
          "def f(x): return str(2 * x)", .wrong, 1, "The result is '\"2\"', where '2' was expected."
        ),
        ("def f(x): return {2}", .wrong, 1, "The result is of type 'set', which is no JSON."),
        ("def f(x): return {2: 2}", .wrong, 1, "The result is of type 'dict', which is no JSON."),
        (
          "def f(x): return float('nan')", .wrong, 1,
          "The result is of type 'float', which is no JSON."
        ),
        (
          "def f(x): return 2 if x == 1 else 1 // 0", .runtimeError, 2,
          "The program failed with 'ZeroDivisionError: integer division or modulo by zero'."
        ),
        ("def f(x): return [0] * (1 << 30)", .memoryLimit, 1, "The program ran out of memory."),
        ("def f(x):\n  while True: pass", .timeLimit, 1, "The program took longer than 1 s."),
        ("while True: pass", .timeLimit, 1, "The program took longer than 1 s."),
        (
          "raise ValueError('no')", .runtimeError, 1,
          "The program ended with status 1: 'ValueError: no'."
        ),
        (
          "def f(x):\n  while True: print('x' * 100000)", .outputLimit, 1,
          "The program printed more than 1024 KiB."
        ),
      ])
    let structures =
      #"{"function":"f","tests":[{"arguments":["é\n",[1,{"a":null}],true],"result":["é\n",[1,{"a":null}],[1,2]]}]}"#
    try check(
      structures,
      [("def f(a, b, c): return (a, b, (c, 2))", .pass, nil, "The test was passed.")])
  }

  func testAssertions() throws {
    try check(
      assertions,
      [
        ("def f(x): return 2 * x", .pass, nil, "All 2 tests were passed."),
        (
          "def f(x): return x + 1", .wrong, 2,
          "The assertion 'assert f(2) == 4' does not hold; the program's last value was 3."
        ),
        (
          "def g(x): return 2 * x", .runtimeError, 1,
          "The program failed with 'NameError: name 'f' is not defined'."
        ),
        (
          "f = 7", .wrong, 1,
          "The assertion 'assert f(1) == 2' fails with TypeError: 'int' object is not callable; the "
            + "program's last value was 7."
        ),
        (
          "def f(x): return {}[x]", .runtimeError, 1, "The program failed with 'KeyError: 1'."
        ),
        (
          "class Mine(ValueError): pass\ndef f(x): raise Mine('no')", .runtimeError, 1,
          "The program failed with 'Mine: no'."
        ),
        ("def f(x):\n  while True: pass", .timeLimit, 1, "The program took longer than 1 s."),
        ("while True: pass", .timeLimit, 1, "The program took longer than 1 s."),
        ("def f(x): return [0] * (1 << 30)", .memoryLimit, 1, "The program ran out of memory."),
        (
          "1 // 0", .runtimeError, 1,
          "The program ended with status 1: 'ZeroDivisionError: integer division or modulo by zero'."
        ),
        (
          "import os\ndef f(x): os._exit(7)", .runtimeError, 1, "The program ended with status 7."
        ),
        (
          "def f(x):\n  while True: print('x' * 100000)", .outputLimit, 1,
          "The program printed more than 1024 KiB."
        ),
        (
          "def f(x): return 'x' * (9 << 20)", .wrong, 1,
          "The program's box sent a message that is too long."
        ),
        (
          "def f(x):\n  a = []\n  a.append(a)\n  return a", .runtimeError, 1,
          "The program failed with 'RecursionError: a value is nested too deeply'."
        ),
      ])
    // Every kind of value, both ways.
    let values = #"""
      {"assertions":["for v in [None, True, 0, -1, 1 << 5000, -7 ** 99, 0.1, -0.0, float('inf'), 'é\\udc80', b'\\x00', [1, [2]], (1, (2,)), {1}, frozenset({1}), range(-1, 9, 2), {1: {'a': (2,)}}, 1j, [], (), '']:\n  w = f(v)\n  assert w == v and type(w) is type(v) and repr(w) == repr(v)", "assert f(float('nan')) != 1 and f(bytearray(b'x')) == b'x'", "assert f(int) != int"]}
      """#
    try check(values, [("def f(x): return x", .pass, nil, "All 3 tests were passed.")])
    // What is no plain value stays in the box, and is used from outside.
    let objects = #"""
      {"setup":"n = Node(1)\nn.left = Node([2])\n","assertions":["assert n.left.value == [2] and n.value == 1","assert depth(n) == 2","assert list(gen(3)) == [0, 1, 2] and sum(gen(3)) == 3","assert n == n and n != n.left and n.left == n.left","assert len(n) == 5 and n[3] == 6 and not Empty()","try:\n  depth(7)\n  assert False\nexcept AttributeError as e:\n  assert 'value' not in str(e)","assert math.sqrt(4) == two","n[1] = 9\nassert n.value == 9","assert not hasattr(n, '__shown__')"]}
      """#
    try check(
      objects,
      [
        (
          """
          two = 2
          class Node:
              __shown__ = 1
              def __init__(self, value):
                  self.value, self.left = value, None
              def __len__(self): return 5
              def __getitem__(self, key): return 2 * key
              def __setitem__(self, key, value): self.value = value
          class Empty:
              def __bool__(self): return False
          def depth(node): return 0 if node is None else 1 + depth(node.left)
          def gen(n):
              for i in range(n): yield i
          """, .pass, nil, "All 10 tests were passed."
        )
      ])
  }

  /// Tests that are themselves wrong say nothing about a program.
  func testTasksThatAreWrong() throws {
    for (text, reason) in [
      (
        #"{"assertions":["assert ("],"entry_point":"f"}"#,
        "The tests ended before they asked anything: 'SyntaxError: '(' was never closed'."
      ),
      (
        #"{"assertions":["assert g(1)"],"entry_point":"f"}"#,
        "The task's own tests fail: 'NameError: name 'g' is not defined'."
      ),
      (
        #"{"setup":"1 // 0","assertions":["assert f(1)"]}"#,
        "The task's own tests fail: 'ZeroDivisionError: integer division or modulo by zero'."
      ),
      (
        #"{"assertions":["assert f(lambda: 1)"]}"#,
        "The task's own tests fail: 'The tests give the program a value of type function.'."
      ),
      (
        #"{"tests":[{"input":"","output":""}],"command":["/usr/bin/nothing-there"]}"#,
        "The program was not run: '/usr/bin/nothing-there' can't be started (No such file or directory)."
      ),
    ] {
      let verdict = try Boxes.judge().verdict(of: "def f(x): return x", on: ProgramTask(text))
      XCTAssertEqual(verdict.outcome, .infrastructure, text)
      XCTAssertEqual(verdict.reason, reason, text)
      XCTAssertNil(verdict.failingTest)
    }
  }

  /// A right output may be longer than programs may print otherwise.
  func testLongOutputs() throws {
    let task = ProgramTask(
      tests: .standardInput([
        .init(input: "", output: String(repeating: "12345678 ", count: 150_000))
      ]))
    let judge = try Boxes.judge()
    XCTAssertTrue(judge.verdict(of: "print('12345678 ' * 150000)", on: task).passed)
    let verdict = judge.verdict(of: "print('12345678 ' * 400000)", on: task)
    XCTAssertEqual(verdict.outcome, .outputLimit)
    XCTAssertEqual(verdict.reason, "The program printed more than 2636 KiB.")
  }

  /// Right answers, before they were asked for or to other questions.
  func testForgedMessages() throws {
    try check(
      double,
      [
        (
          "import os, time\ndef f(x):\n"
            + "  os.write(3, b'{\"number\": 1, \"value\": 2}\\n{\"number\": 2, \"value\": 4}\\n')\n"
            + "  time.sleep(9)",
          .wrong, 2, "The program answered before it was asked."
        ),
        (
          "import os, time\ndef f(x):\n  os.write(3, b'{\"number\": 2, \"value\": 2}\\n')\n  time.sleep(9)",
          .wrong, 1, "The program answered another question."
        ),
        (
          "import os, time\ndef f(x):\n  os.write(3, b'{\"number\": 1, \"value\": 2,}\\n')\n  time.sleep(9)",
          .wrong, 1, "The program's answer is not JSON."
        ),
        (
          "import os, time\ndef f(x):\n  os.write(3, b'{\"number\": 1}\\n')\n  time.sleep(9)",
          .wrong, 1, "The program's answer holds no value."
        ),
      ])
    // The name is request 1, the calls are 2 and 3.
    func writing(_ messages: [String]) -> String {
      let data = messages.map { "\($0.utf8.count)\\n\($0)" }.joined()
      return "import os, time\ndef f(x):\n  os.write(3, b'\(data)')\n  time.sleep(9)"
    }
    try check(
      assertions,
      [
        (
          writing(["t3:i2;s5:valuei2;", "t3:i3;s5:valuei4;"]), .wrong, 1,
          "The program's box sent an answer before it was asked."
        ),
        (
          writing(["t3:i3;s5:valuei2;"]), .wrong, 1,
          "The program's box sent a value that can't be read."
        ),
        (
          writing(["t3:i2;s5:valuei2;x"]), .wrong, 1,
          "The program's box sent a value that can't be read."
        ),
        (
          writing(["t3:i2;s5:othersi2;"]), .wrong, 1,
          "The program's box sent a value that can't be read."
        ),
        (
          writing(["t3:i2;s5:otheri2;"]), .wrong, 1,
          "The program's box sent an answer of no known kind."
        ),
      ])
  }

  /// A program can't call for another try by returning what no test expects.
  func testTypesOfHandles() throws {
    try check(
      #"{"assertions":["assert f(type(f(1))) == 1"]}"#,
      [
        (
          "def f(x): return object()", .wrong, 1,
          "The assertion 'assert f(type(f(1))) == 1' does not hold; the program's last value was "
            + "something that is no plain value."
        )
      ])
  }

  func testOtherLanguages() throws {
    try check(
      #"{"tests":[{"input":"3\n4\n","output":"7"}],"command":["/usr/bin/perl","{program}"],"file_name":"a.pl"}"#,
      [
        ("my $s = 0; $s += $_ while <STDIN>; print $s;", .pass, nil, "The test was passed."),
        ("print 8;", .wrong, 1, "Line 1 of the output is '8', where '7' was expected."),
        ("die 'no';", .runtimeError, 1, "The program ended with status 255: 'no at a.pl line 1.'."),
      ])
  }

  func testReplies() throws {
    let judge = try Boxes.judge()
    let task = try ProgramTask(double)
    XCTAssertTrue(
      judge.verdict(ofReply: "<think>?</think>\n```\ndef f(x): return 2 * x\n```", on: task).passed)
    let none = judge.verdict(ofReply: "def f(x): return 2 * x", on: task)
    XCTAssertEqual(none.outcome, .wrong)
    XCTAssertEqual(none.reason, "The reply holds no closed block of code.")
    XCTAssertFalse(none.isUnsafe)
    XCTAssertEqual(none.version, Judge.version)
  }

  func testWithoutASandbox() throws {
    // It is marked in every verdict; programs that mean no harm are judged alike.
    let judge = ProgramJudge(sandbox: try Sandbox(isolation: .none))
    for (text, program) in [
      (echo, "print(input())"), (double, "def f(x): return 2 * x"),
      (assertions, "def f(x): return 2 * x"),
    ] {
      let verdict = judge.verdict(of: program, on: try ProgramTask(text))
      XCTAssertTrue(verdict.passed, "\(verdict)")
      XCTAssertTrue(verdict.isUnsafe)
    }
  }

  func testStoppedBetweenTests() throws {
    let judge = ProgramJudge(sandbox: try Sandbox(isolation: .none))
    let lock = NSLock()
    for (text, program) in [
      (echo, "print(input())"), (double, "def f(x): return 2 * x"),
    ] {
      let task = try ProgramTask(text)
      XCTAssertGreaterThan(task.count, 1)
      nonisolated(unsafe) var asked = 0
      let stopped = judge.verdict(of: program, on: task) {
        lock.withLock {
          asked += 1
          return asked > 1
        }
      }
      XCTAssertEqual(stopped.outcome, .infrastructure)
      XCTAssertEqual(stopped.reason, "Judging was stopped.")
      // Before the first test, before the second, and whether to try once more, until that ends.
      XCTAssertEqual(asked, 2 + ProgramJudge.retries)
    }
  }

  func testInfrastructureIsRetriedAndCounted() throws {
    let task = try ProgramTask(echo)
    @Sendable func verdict(_ outcome: ProgramVerdict.Outcome) -> ProgramVerdict {
      ProgramVerdict(outcome, tests: 2, isUnsafe: false, reason: "It \(outcome.rawValue).")
    }
    // Each program is the number of attempts that fail before one that doesn't.
    final class Attempts: @unchecked Sendable {
      var counts: [String: Int] = [:]
      let lock = NSLock()
      func next(_ program: String) -> Int {
        lock.withLock {
          counts[program, default: 0] += 1
          return counts[program, default: 0]
        }
      }
    }
    let attempts = Attempts()
    let judge = ProgramJudge { program, _ in
      let fails = Int(program.split(separator: " ")[0]) ?? 0
      return verdict(attempts.next(program) > fails ? .pass : .infrastructure)
    }
    XCTAssertTrue(judge.verdict(of: "2 a", on: task).passed)
    XCTAssertEqual(judge.verdict(of: "3 a", on: task).outcome, .infrastructure)
    XCTAssertEqual(attempts.counts, ["2 a": 3, "3 a": 3])

    func judged(_ failing: (Int) -> Bool, _ count: Int) throws -> [ProgramVerdict] {
      try judge.verdicts(
        of: (0..<count).map { ("\(failing($0) ? 9 : 0) \(UUID())", task) }, threads: 1)
    }
    XCTAssertEqual(try judged({ $0 % 5 != 0 }, 5).filter(\.passed).count, 1)
    XCTAssertThrowsError(try judged({ $0 % 6 != 0 }, 6)) { error in
      XCTAssertEqual(
        "\(error)", "Judging failed for 5 programs in a row; the last time: It infrastructure.")
    }
    // 5 of 500 is 1 %, 6 is more; before that a few are none.
    XCTAssertEqual(try judged({ $0 < 250 && $0 % 50 == 1 }, 500).filter(\.passed).count, 495)
    XCTAssertEqual(try judged({ $0 % 50 == 1 }, 450).filter(\.passed).count, 441)
    XCTAssertThrowsError(try judged({ $0 < 300 && $0 % 50 == 1 }, 600)) { error in
      XCTAssertEqual(
        "\(error)",
        "Judging failed for 6 of 500 programs, which is more than 1 %; the last time: It "
          + "infrastructure.")
    }
    var written: [Int] = []
    try judge.verdicts(of: [("0 x", task), ("0 y", task), ("0 z", task)], threads: 2) { number, _ in
      written.append(number)
    }
    XCTAssertEqual(written.sorted(), [0, 1, 2])
  }

  private func check(
    _ task: String,
    _ programs: [(String, ProgramVerdict.Outcome, Int?, String)], line: UInt = #line
  ) throws {
    let task = try ProgramTask(task)
    let verdicts = try Boxes.judge().verdicts(of: programs.map { ($0.0, task) }, threads: 2)
    for ((program, outcome, test, reason), verdict) in zip(programs, verdicts) {
      XCTAssertEqual(verdict.outcome, outcome, "\(program)\n\(verdict.reason)", line: line)
      XCTAssertEqual(verdict.failingTest, test, program, line: line)
      XCTAssertEqual(verdict.reason, reason, program, line: line)
      XCTAssertEqual(verdict.tests, task.count, line: line)
      XCTAssertFalse(verdict.isUnsafe, line: line)
      XCTAssertEqual(verdict.version, Judge.version, line: line)
    }
  }
}
