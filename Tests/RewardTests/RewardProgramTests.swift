import Foundation
import Problems
import Storage
import XCTest

@testable import Reinforcement

/// The user's program, with every fault it can have. The programs are scripts of the shell.
final class RewardProgramTests: XCTestCase {
  /// Reads a line and takes its `id` from it.
  private static let reading = """
    next() {
      IFS= read -r line || return 1
      id=${line#'{"id":'}; id=${id%%,*}
    }

    """

  private func program(_ script: String, timeout: Double = 20) -> RewardProgram {
    RewardProgram(
      .init(
        weight: 1, command: ["/bin/sh", "-c", Self.reading + script, "reward.sh"],
        timeoutSeconds: timeout))
  }

  private func answers(_ count: Int, _ text: String = "a") -> [SampledAnswer] {
    (0..<count).map { sampled("\(text)\($0)", sample: $0) }
  }

  private func failure(_ outcome: RewardOutcome) -> String? {
    guard case .failed(let words) = outcome else { return nil }
    // The command is long.
    guard let start = words.range(of: "…' ") else { return words }
    return "it " + words[start.upperBound...]
  }

  private func ask(
    _ program: RewardProgram, _ answers: [SampledAnswer]
  ) throws -> [RewardOutcome] {
    try program.outcomes(of: answers, isStopped: { false })
  }

  // MARK: What goes well

  func testRewardsComeInTheOrderOfTheAnswers() throws {
    // Replies in pairs, the second first, with blank lines and members nobody asked for.
    let program = program(
      """
      while next; do a=$id; next; echo "{\\"id\\":$id,\\"reward\\":$id.5}"; echo
      printf '{"x":[1],"reward":-%s,"id":%s}\\r\\n' $a $a; done
      """)
    XCTAssertEqual(
      try ask(program, answers(4)),
      [.value(0, nil), .value(1.5, nil), .value(-2, nil), .value(3.5, nil)])
    XCTAssertEqual(try ask(program, []), [])
    // The same program goes on, and numbers are given once.
    XCTAssertEqual(try ask(program, answers(2)), [.value(-4, nil), .value(5.5, nil)])
  }

  func testWhatTheProgramIsTold() throws {
    let folder = try temporaryFolder(self)
    let program = program(
      "while next; do printf '%s\\n' \"$line\" >> \(folder)/seen; echo \"{\\\"id\\\":$id,\\\"reward\\\":1}\"; done"
    )
    let text = "<think>\nA \"quote\",\u{2028}a\u{0}zero\n</think>\n\nIt is 4.\n"
    let rows: [(String, Problem.Reference)] = [
      (text, .answer("4")), ("<think>cut", .choices(["x", "y"], correct: 1)),
      ("no tags", .none("z")), ("</think> a <think> b", .none(nil)),
      ("<think>a</think> b <think> c", .none(nil)),
    ]
    _ = try ask(program, rows.map { sampled($0, $1, tokens: 7, isCut: $0 == "<think>cut") })
    let lines = try String(contentsOfFile: folder + "/seen", encoding: .utf8)
      .split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8), source: "seen") }
    let expected: [(String?, String, String?)] = [
      ("A \"quote\",\u{2028}a\u{0}zero", "It is 4.", "4"), ("cut", "", "y"), (nil, "no tags", "z"),
      ("b", "", nil), ("a", "b", nil),
    ]
    XCTAssertEqual(lines.count, 5)
    for (i, (reasoning, content, reference)) in expected.enumerated() {
      let thought: JSONValue = reasoning.map { .string($0) } ?? .null
      let known: JSONValue = reference.map { .string($0) } ?? .null
      let members: [(key: String, value: JSONValue)] = [
        ("id", .number(JSONNumber(i))), ("question", .string("What is 2+2?")),
        ("prompt", .string("What is 2+2? Box it.")), ("answer", .string(rows[i].0)),
        ("reasoning", thought), ("content", .string(content)), ("reference", known),
        ("problem", .string("sum")), ("tokens", .number(JSONNumber(7))), ("cut", .bool(i == 1)),
      ]
      XCTAssertEqual(lines[i], .object(JSONObject(members: members)))
    }
  }

  /// More than pipes hold goes in before anything comes out, and more than they hold comes out
  /// before anything goes in.
  func testNeitherSideWaitsForTheOther() throws {
    let long = answers(40, String(repeating: "x", count: 10_000))
    let late = program(
      "ids=; n=0; while next; do ids=\"$ids $id\"; n=$((n+1)); [ $n = 40 ] || continue\n"
        + "for i in $ids; do echo \"{\\\"id\\\":$i,\\\"reward\\\":1}\"; done; done")
    XCTAssertEqual(
      try ask(late, long), [RewardOutcome](repeating: .value(1, nil), count: 40))
    // Replies of 60,000 bytes each, and as much to standard error, while lines still go in.
    let loud = program(
      """
      filler=x; while [ ${#filler} -lt 60000 ]; do filler=$filler$filler; done
      filler=$(printf %.60000s $filler)
      while next; do echo $filler >&2; echo "{\\"id\\":$id,\\"x\\":\\"$filler\\",\\"reward\\":2}"; done
      """)
    XCTAssertEqual(
      try ask(loud, long), [RewardOutcome](repeating: .value(2, nil), count: 40))
  }

  func testAnAnswerMayBeLeftOut() throws {
    let program = program(
      """
      next; echo "{\\"id\\":$id,\\"reward\\":null}"; next; echo "{\\"id\\":$id,\\"error\\":\\"no idea\\"}"
      next; echo "{\\"id\\":$id,\\"error\\":null,\\"reward\\":3}"
      next; echo "{\\"id\\":$id,\\"error\\":\\"x\\",\\"reward\\":3}"; next
      """)
    XCTAssertEqual(
      try ask(program, answers(4)),
      [
        .failed("The reward 'program' has none for this answer."),
        .failed("The reward 'program' has none for this answer: 'no idea'."), .value(3, nil),
        .failed("The reward 'program' has none for this answer: 'x'."),
      ])
  }

  // MARK: What goes wrong

  /// Each script answers the first of three answers, and then does something else.
  func testFaults() throws {
    let good = "next; echo \"{\\\"id\\\":$id,\\\"reward\\\":1}\"; next\n"
    let aReply =
      "and a reply is a line '{\"id\": …, \"reward\": …}'; what else it says belongs to "
      + "standard error."
    let rows: [(String, String)] = [
      ("echo hello; next", "it wrote 'hello', \(aReply)"),
      ("echo '{\"id\":1,\"reward\":NaN}'; next", "it wrote '{\"id\":1,\"reward\":NaN}', \(aReply)"),
      ("echo '[1]'; next", "it wrote '[1]', \(aReply)"),
      (
        "echo '{\"id\":1,\"reward\":1} {}'; next",
        "it wrote '{\"id\":1,\"reward\":1} {}', \(aReply)"
      ),
      ("printf '\\377\\033[2J\\n'; next", "it wrote '\u{FFFD}\\u001b[2J', \(aReply)"),
      ("echo '{\"reward\":1}'; next", "it wrote '{\"reward\":1}', which has no whole number 'id'."),
      (
        "echo '{\"id\":\"1\",\"reward\":1}'; next",
        "it wrote '{\"id\":\"1\",\"reward\":1}', which has no whole number 'id'."
      ),
      (
        "echo '{\"id\":1.5,\"reward\":1}'; next",
        "it wrote '{\"id\":1.5,\"reward\":1}', which has no whole number 'id'."
      ),
      (
        "echo '{\"id\":3,\"reward\":1}'; next",
        "it wrote '{\"id\":3,\"reward\":1}', and no answer that it was asked for has this 'id'."
      ),
      (
        "echo '{\"id\":-9223372036854775808,\"reward\":1}'; next",
        "it wrote '{\"id\":-9223372036854775808,\"reward\":1}', and no answer that it was asked for "
          + "has this 'id'."
      ),
      (
        "echo '{\"id\":0,\"reward\":1}'; next",
        "it wrote '{\"id\":0,\"reward\":1}', and had replied to this 'id' before."
      ),
      (
        "echo '{\"id\":1,\"reward\":1e999}'; next",
        "it wrote '{\"id\":1,\"reward\":1e999}', whose 'reward' is too large."
      ),
      (
        "echo '{\"id\":1}'; next",
        "it wrote '{\"id\":1}', which has neither a number 'reward' nor a text 'error'."
      ),
      (
        "echo '{\"id\":1,\"reward\":\"1\"}'; next",
        "it wrote '{\"id\":1,\"reward\":\"1\"}', which has neither a number 'reward' nor a text "
          + "'error'."
      ),
      (
        "echo '{\"id\":1,\"error\":2,\"reward\":1}'; next",
        "it wrote '{\"id\":1,\"error\":2,\"reward\":1}', which has neither a number 'reward' nor a "
          + "text 'error'."
      ),
      ("exit 3", "it ended with exit status 3."), ("exit 0", "it ended with exit status 0."),
      ("kill -9 $$", "it was ended by signal 9."),
      ("printf '{\"id\":1,'; exit 1", "it ended with exit status 1, in the middle of a line."),
      ("exec >&-; next; next; sleep 100", "it closed its output, and was ended."),
      // A gigabyte, of one line and of many.
      ("exec cat /dev/zero", "it wrote a line of more than 65536 bytes."),
      ("exec yes", "it wrote 'y', \(aReply)"),
      (
        "next; sleep 100",
        "it gave no reply for 1.5 seconds, and was ended; it must answer each line as it comes, and "
          + "flush its output."
      ),
      // It goes away, and something that it started keeps its output open.
      ("sleep 100 & exit 5", "it ended with exit status 5."),
    ]
    for (script, words) in rows {
      let program = program(good + script, timeout: script.contains("next; sleep") ? 1.5 : 20)
      let given = try ask(program, answers(3))
      XCTAssertEqual(given[0], .value(1, nil), script)
      XCTAssertEqual(given[1...].map { failure($0) }, [words, words], script)
    }
    let silent = try ask(program("while :; do sleep 1; done", timeout: 0.2), answers(2))
    XCTAssertTrue(silent.allSatisfy { failure($0)?.hasPrefix("it gave no reply for 0.2") ?? false })
  }

  /// Its input is closed while lines still wait: an error number, and no signal that ends us all.
  func testAProgramThatDoesNotRead() throws {
    // Whoever runs these tests may ignore it.
    let before = signal(SIGPIPE, SIG_DFL)
    defer { signal(SIGPIPE, before) }
    let long = answers(40, String(repeating: "x", count: 100_000))
    let program = program(
      "next; echo \"{\\\"id\\\":$id,\\\"reward\\\":1}\"; exec <&-; sleep 0.2; exit 4")
    let given = try ask(program, long)
    XCTAssertEqual(given[0], .value(1, nil))
    XCTAssertEqual(failure(given[39]), "it ended with exit status 4.")
    let deaf = self.program("exec sleep 100", timeout: 0.3)
    XCTAssertTrue(failure(try ask(deaf, long)[0])?.hasPrefix("it gave no reply") ?? false)
  }

  /// What counts is how long nothing comes, however long a batch takes.
  func testASlowProgramIsWaitedFor() throws {
    let program = program(
      "while next; do sleep 0.45; echo \"{\\\"id\\\":$id,\\\"reward\\\":1}\"; done", timeout: 2)
    XCTAssertEqual(
      try ask(program, answers(5)), [RewardOutcome](repeating: .value(1, nil), count: 5))
  }

  func testAProgramIsStartedAgainThreeTimes() throws {
    let folder = try temporaryFolder(self)
    let program = program(
      "echo start >> \(folder)/starts; echo 'Traceback:' >&2; printf '\\tbad \\033[31m\\n' >&2; next; exit 3"
    )
    for _ in 0..<3 {
      XCTAssertEqual(
        try ask(program, answers(2)).map { failure($0) },
        Array(
          repeating: "it ended with exit status 3. It wrote to standard error:\nTraceback:\n\tbad "
            + "\u{FFFD}[31m", count: 2))
    }
    XCTAssertThrowsError(try ask(program, answers(2))) { error in
      let words = "\(error)"
      XCTAssertEqual((error as? RewardError)?.reason, .program)
      XCTAssertTrue(words.hasPrefix("The reward 'program': '/bin/sh -c next() {\\u000a"), words)
      XCTAssertTrue(
        words.hasSuffix(
          "…' failed 4 times in a row, at last since it ended with exit status 3. Run it on its own "
            + "with a line of an answer, and mend it. It wrote to standard error:\nTraceback:\n"
            + "\tbad \u{FFFD}[31m"), words)
    }
    XCTAssertEqual(try String(contentsOfFile: folder + "/starts", encoding: .utf8).utf8.count, 24)
  }

  /// A whole batch in between makes good for what was before.
  func testFailuresInARowAreCounted() throws {
    let folder = try temporaryFolder(self)
    let program = program(
      "next; if [ -e \(folder)/bad ]; then exit 1; fi; echo \"{\\\"id\\\":$id,\\\"reward\\\":1}\"; next; exit 1"
    )
    for _ in 0..<3 {
      XCTAssertNil(failure(try ask(program, answers(1))[0]))
      FileManager.default.createFile(atPath: folder + "/bad", contents: nil)
      for _ in 0..<3 {
        XCTAssertEqual(failure(try ask(program, answers(1))[0]), "it ended with exit status 1.")
      }
      try FileManager.default.removeItem(atPath: folder + "/bad")
    }
  }

  /// A program that ends between batches, or with the first line of the next, has failed nothing.
  func testAProgramMayEndBetweenBatches() throws {
    for end in ["sleep 0; exit 0", "next; exit 0"] {
      let program = program("next; echo \"{\\\"id\\\":$id,\\\"reward\\\":$id}\"; \(end)")
      for i in 0..<6 {
        XCTAssertEqual(try ask(program, answers(1)), [.value(Double(i), nil)])
      }
    }
  }

  func testTheLastWordsAreKept() throws {
    let program = program(
      "i=0; while [ $i -lt 9000 ]; do echo \"line $i\" >&2; i=$((i+1)); done; next; exit 1")
    for _ in 0..<3 { _ = try ask(program, answers(1)) }
    XCTAssertThrowsError(try ask(program, answers(1))) { error in
      let told = "\(error)".components(separatedBy: "standard error:\n").last ?? ""
      XCTAssertTrue(told.hasSuffix("\nline 8998\nline 8999"))
      XCTAssertTrue((2_040...2_048).contains(told.utf8.count), "\(told.utf8.count)")
    }
  }

  func testAProgramThatCannotBeStarted() throws {
    let folder = try temporaryFolder(self)
    try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/plain"))
    for (path, reason) in [
      (folder + "/missing", "No such file or directory"), (folder + "/plain", "Permission denied"),
    ] {
      let program = RewardProgram(.init(weight: 1, command: [path, "a"], timeoutSeconds: 1))
      XCTAssertThrowsError(try ask(program, answers(1))) { error in
        XCTAssertEqual(
          "\(error)",
          "The reward 'program': \(quoted(path + " a")) can't be started: \(reason). Give the "
            + "program's path, or a name that is in PATH, and make it executable.")
      }
    }
  }

  func testStoppingDoesNotWaitForTheProgram() throws {
    let folder = try temporaryFolder(self)
    let program = program(
      "echo $$ > \(folder)/pid; next; sleep 1000 & echo $! > \(folder)/child; wait")
    XCTAssertThrowsError(
      try program.outcomes(
        of: answers(2),
        isStopped: {
          (try? String(contentsOfFile: folder + "/child", encoding: .utf8))?.hasSuffix("\n")
            ?? false
        })
    ) { XCTAssertEqual($0 as? RewardError, .stopped) }
    // Nothing is left of it, nor of what it started.
    for name in ["pid", "child"] {
      let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
      try assertGone(XCTUnwrap(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))))
    }
  }

  /// The end of the run closes its input, so that it can put its things in order.
  func testTheProgramEndsWithTheRun() throws {
    let folder = try temporaryFolder(self)
    var program: RewardProgram? = program(
      "echo $$ > \(folder)/pid; while next; do echo \"{\\\"id\\\":$id,\\\"reward\\\":1}\"; done; echo bye > \(folder)/bye"
    )
    XCTAssertEqual(try ask(try XCTUnwrap(program), answers(1)), [.value(1, nil)])
    program = nil
    XCTAssertEqual(try String(contentsOfFile: folder + "/bye", encoding: .utf8), "bye\n")
    let text = try String(contentsOfFile: folder + "/pid", encoding: .utf8)
    try assertGone(XCTUnwrap(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))))
  }

  private func assertGone(_ pid: pid_t) throws {
    // What was killed in its group is somebody else's to collect.
    for _ in 0..<500 {
      let state = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
      if kill(pid, 0) != 0 || state?.contains(") Z ") ?? false { return }
      usleep(10_000)
    }
    XCTFail("process \(pid) still runs")
  }

  /// The program has its three descriptors, the usual signals and no others of ours.
  func testWhatTheProgramInherits() throws {
    #if os(Linux)
      let folder = try temporaryFolder(self)
      signal(SIGINT, SIG_IGN)
      defer { signal(SIGINT, SIG_DFL) }
      // A descriptor that anybody left open for those who come after.
      var ends: [Int32] = [-1, -1]
      XCTAssertEqual(pipe(&ends), 0)
      defer { for end in ends { close(end) } }
      let left = try FileManager.default.destinationOfSymbolicLink(
        atPath: "/proc/self/fd/\(ends[0])")
      XCTAssertTrue(left.hasPrefix("pipe:"))
      let program = program(
        """
        next; ls -l /proc/$$/fd > \(folder)/fds
        grep -E 'SigIgn|SigBlk' /proc/self/status > \(folder)/signals
        echo "{\\"id\\":$id,\\"reward\\":1}"; next
        """)
      XCTAssertEqual(try ask(program, answers(1)), [.value(1, nil)])
      let open = try String(contentsOfFile: folder + "/fds", encoding: .utf8)
      XCTAssertTrue(open.contains(" 0 -> pipe:"), open)
      XCTAssertFalse(open.contains(left), open)
      XCTAssertFalse(open.contains("socket:"), open)
      let signals = try String(contentsOfFile: folder + "/signals", encoding: .utf8)
        .split(separator: "\n").map { $0.split(separator: "\t")[1] }
      let masks = signals.compactMap { UInt64($0, radix: 16) }
      XCTAssertEqual(masks.count, 2, "\(signals)")
      for mask in masks {
        XCTAssertEqual(mask & (1 << UInt64(SIGINT - 1) | 1 << UInt64(SIGPIPE - 1)), 0)
      }
    #endif
  }

  /// Any output at all: what is read of it agrees with its lines, and nothing traps or waits.
  func testFuzz() throws {
    let folder = try temporaryFolder(self)
    let pieces = [
      "{\"id\":0,\"reward\":1}\n", "{\"id\":1,\"reward\":-2e3}\n", "{\"id\":2,\"error\":\"x\"}\n",
      "\n",
      "{", "}", "\"id\"", ":", "0", ",", "\"reward\"", "null", "\u{0}", "é", "[", "1e400", " ",
      "\r",
    ]
    var random = Seeded(state: 3)
    var whole = 0
    for _ in 0..<150 {
      let text = (0..<Int.random(in: 0...5, using: &random)).map { _ in
        // Mostly lines, so that some outputs are right.
        pieces[Int.random(in: 0..<(Bool.random(using: &random) ? 4 : pieces.count), using: &random)]
      }.joined()
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/output"))
      let program = RewardProgram(
        .init(weight: 1, command: ["/bin/cat", folder + "/output"], timeoutSeconds: 20))
      let given = try ask(program, answers(3))
      let values: [RewardOutcome] = [.value(1, nil), .value(-2000, nil)]
      for i in 0..<2 {
        if case .value = given[i] { XCTAssertEqual(given[i], values[i]) }
      }
      let known = given.filter { failure($0)?.hasPrefix("The reward 'program': '/bin/cat") != true }
      XCTAssertLessThanOrEqual(known.count, text.utf8.filter { $0 == 0x0A }.count)
      if known.count == 3 { whole += 1 }
    }
    XCTAssertGreaterThan(whole, 0)
  }
}
