import Foundation
import Storage
import XCTest

@testable import Pipelines

final class PipelineRunTests: XCTestCase {
  // MARK: - What runs

  func testStagesRunInOrderAndOnce() throws {
    let run = try threeStages()
    let summary = try run.run()
    XCTAssertEqual(run.ran, ["1-copy", "2-copy", "10-join"])
    XCTAssertEqual(run.folder.text("runs/three/text"), "hello hello world ")
    XCTAssertEqual(summary.rows.map(\.decision), [.new, .new, .new])
    XCTAssertEqual(
      run.errors,
      """
      1-copy begins.
      1-copy says so
      1-copy is done: 2.0 s, 3.0 MiB.
      2-copy begins.
      2-copy says so
      2-copy is done: 2.0 s, 3.0 MiB.
      10-join begins.
      10-join says so
      10-join is done: 2.0 s, 3.0 MiB.

      """)
    let again = try run.run()
    XCTAssertEqual(run.ran, [])
    XCTAssertEqual(
      run.errors, "1-copy: nothing changed.\n2-copy: nothing changed.\n10-join: nothing changed.\n")
    XCTAssertEqual(again.rows.map(\.seconds), [2, 2, 2])
    XCTAssertEqual(again.rows.map(\.printed), ["made 1-copy\n", "made 2-copy\n", "made 10-join\n"])
  }

  func testTouchedFilesChangeNothing() throws {
    let run = try threeStages()
    try run.run()
    try run.folder.write("hello ", as: "data/a.txt")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1e9)],
      ofItemAtPath: run.folder.file("data/b.txt"))
    XCTAssertEqual(try run.decisions(), [.unchanged, .unchanged, .unchanged])
    try run.run()
    XCTAssertEqual(run.ran, [])
    // Comments of a recipe are no part of it.
    try run.folder.write(
      "// The first.\n{output: \"runs/one\", copies: ['data/a.txt']}", as: "r/1-copy.json5")
    try run.run()
    XCTAssertEqual(run.ran, [])
  }

  func testAChangedByteRunsTheStageAndThoseThatReadWhatItMakes() throws {
    let run = try threeStages()
    try run.run()
    try run.folder.write("worle ", as: "data/b.txt")
    XCTAssertEqual(
      try run.decisions(),
      [.unchanged, .changed(["'\(run.folder.file("data/b.txt"))' changed"]), .after(["2-copy"])])
    let summary = try run.run()
    XCTAssertEqual(run.ran, ["2-copy", "10-join"])
    XCTAssertEqual(run.folder.text("runs/three/text"), "hello hello worle ")
    XCTAssertEqual(run.folder.text("runs/two.earlier-1/text"), "hello world ")
    XCTAssertEqual(run.folder.text("runs/three.earlier-1/text"), "hello hello world ")
    XCTAssertEqual(summary.rows[0].decision, .unchanged)
    XCTAssertEqual(
      run.errors,
      """
      1-copy: nothing changed.
      2-copy begins again: 'data/b.txt' changed.
      What it made before is in 'runs/two.earlier-1'.
      2-copy says so
      2-copy is done: 2.0 s, 3.0 MiB.
      10-join begins again: 'runs/two' changed.
      What it made before is in 'runs/three.earlier-1'.
      10-join says so
      10-join is done: 2.0 s, 3.0 MiB.

      """)
    try run.folder.write("worlf ", as: "data/b.txt")
    try run.run()
    XCTAssertEqual(run.folder.text("runs/two.earlier-2/text"), "hello worle ")
    XCTAssertEqual(run.folder.text("runs/two.earlier-1/text"), "hello world ")
  }

  func testAStageThatMakesTheSameAgainChangesNothingAfterIt() throws {
    let run = try threeStages()
    try run.run()
    run.choice = .init(again: ["1"])
    XCTAssertEqual(
      try run.decisions(), [.asked, .after(["1-copy"]), .after(["1-copy", "2-copy"])])
    try run.run()
    XCTAssertEqual(run.ran, ["1-copy"])
    XCTAssertEqual(run.folder.text("runs/one.earlier-1/text"), "hello ")
    XCTAssertEqual(
      run.errors.split(separator: "\n").prefix(2),
      ["1-copy begins again: as asked for.", "What it made before is in 'runs/one.earlier-1'."])
  }

  func testAChangedRecipeOrVersionRunsTheStage() throws {
    let run = try threeStages()
    try run.run()
    try run.folder.write(
      "{joins: [{path: 'runs/one'}], output: 'runs/three'}", as: "r/10-join.json5")
    try run.folder.write(
      "{copies: ['data/a.txt'], word: 'w', output: 'runs/one'}", as: "r/1-copy.json5")
    let decisions = try run.decisions()
    XCTAssertEqual(decisions[0], .changed([#"its 'word' was not there and is '"w"'"#]))
    XCTAssertEqual(decisions[1], .after(["1-copy"]))
    guard case .changed(let words) = decisions[2] else { return XCTFail("\(decisions)") }
    XCTAssertTrue(words[0].hasPrefix("its 'joins' was '[{"), words[0])
    XCTAssertEqual(words.count, 1)
    try run.run()
    XCTAssertEqual(run.ran, ["1-copy", "10-join"])
    run.version = "2"
    XCTAssertEqual(
      try run.decisions(),
      [
        .changed(["it was made by '1', and this is '2'"]),
        .changed(["it was made by '1', and this is '2'"]),
        .changed(["it was made by '1', 'rule 1', and this is '2', 'rule 1'"]),
      ])
  }

  func testAnOutputElsewhereLeavesTheOldOneWhereItIs() throws {
    let run = try threeStages()
    try run.run()
    // Made by another command, and nobody's to move.
    try run.folder.write("made by hand", as: "runs/uno/text")
    try run.folder.write("{copies: ['data/a.txt'], output: 'runs/uno'}", as: "r/1-copy.json5")
    try run.folder.write("{copies: ['runs/uno/text'], output: 'runs/two'}", as: "r/2-copy.json5")
    try run.folder.write(
      "{joins: [{path: 'runs/uno'}], output: 'runs/three'}", as: "r/10-join.json5")
    try run.run()
    XCTAssertEqual(
      run.folder.names("runs"),
      [".gitkeep", "one", "r-run", "three", "three.earlier-1", "two", "two.earlier-1", "uno"])
  }

  func testALostOutputIsMadeAgain() throws {
    let run = try threeStages()
    try run.run()
    try run.folder.remove("runs/three")
    XCTAssertEqual(try run.decisions(), [.unchanged, .unchanged, .outputGone])
    try run.run()
    XCTAssertEqual(run.ran, ["10-join"])
    XCTAssertEqual(run.folder.text("runs/three/text"), "hello hello world ")
  }

  func testWhatACommandMadeIsTakenOver() throws {
    let run = try threeStages()
    try run.folder.write("made by hand", as: "runs/one/text")
    try run.run()
    XCTAssertEqual(run.ran, ["1-copy", "2-copy", "10-join"])
    XCTAssertFalse(run.folder.names("runs").contains("one.earlier-1"))
  }

  func testChosenStagesOnly() throws {
    let run = try threeStages()
    try run.run()
    try run.folder.write("HELLO ", as: "data/a.txt")
    run.choice = .init(from: "2")
    try run.run()
    XCTAssertEqual(run.ran, [])
    run.choice = .init(only: "1")
    let summary = try run.run()
    XCTAssertEqual(run.ran, ["1-copy"])
    XCTAssertEqual(summary.rows.map(\.decision.word), ["runs", "left out", "left out"])
    run.choice = .init(from: "2")
    try run.run()
    XCTAssertEqual(run.ran, ["2-copy", "10-join"])
  }

  // MARK: - Stopping and failing

  func testAStoppedStageGoesOn() throws {
    let run = try threeStages()
    run.instead["2-copy"] = {
      try? FileManager.default.createDirectory(
        atPath: run.folder.file("runs/two"), withIntermediateDirectories: false)
      return StageEnding(.stopped, seconds: 5, peakBytes: 9 << 20)
    }
    XCTAssertThrowsError(try run.run()) {
      XCTAssertEqual("\($0)", "Stopped in '2-copy'. The same command goes on from there.")
      XCTAssertEqual(($0 as? StoppedPipeline)?.exitStatus, 75)
    }
    run.instead = [:]
    XCTAssertEqual(try run.decisions(), [.unchanged, .resumed, .new])
    let summary = try run.run()
    XCTAssertEqual(run.ran, ["2-copy", "10-join"])
    XCTAssertEqual(summary.rows.map(\.seconds), [2, 7, 2])
    XCTAssertEqual(summary.rows.map(\.peakBytes), [3 << 20, 9 << 20, 3 << 20])
    XCTAssertFalse(run.folder.names("runs").contains("two.earlier-1"))
    XCTAssertTrue(run.errors.contains("2-copy goes on.\n"), run.errors)
  }

  func testAStoppedStageWhoseInputsChangedBeginsAgain() throws {
    let run = try threeStages()
    try run.run()
    try run.folder.write("worle ", as: "data/b.txt")
    run.instead["2-copy"] = {
      try? FileManager.default.createDirectory(
        atPath: run.folder.file("runs/two"), withIntermediateDirectories: false)
      return StageEnding(.stopped, seconds: 5)
    }
    XCTAssertThrowsError(try run.run())
    try run.folder.write("worlf ", as: "data/b.txt")
    run.instead = [:]
    let summary = try run.run()
    XCTAssertEqual(summary.rows[1].seconds, 2)
    XCTAssertEqual(
      run.folder.names("runs").filter { $0.hasPrefix("two") },
      ["two", "two.earlier-1", "two.earlier-2"])
  }

  func testAStageThatWasAskedForAndStoppedGoesOn() throws {
    let run = try threeStages()
    try run.run()
    run.choice = .init(again: ["2"])
    run.instead["2-copy"] = { StageEnding(.stopped, seconds: 5) }
    XCTAssertThrowsError(try run.run())
    run.instead = [:]
    XCTAssertEqual(try run.decisions()[1], .resumed)
    try run.run()
    XCTAssertEqual(run.ran, ["2-copy"])
    XCTAssertEqual(try run.decisions()[1], .asked)
    XCTAssertEqual(
      run.folder.names("runs").filter { $0.hasPrefix("two") }, ["two", "two.earlier-1"])
  }

  func testNothingBeginsOnceItIsStopped() throws {
    let run = try threeStages()
    run.instead["1-copy"] = {
      run.isStopped = true
      try? FileManager.default.createDirectory(
        atPath: run.folder.file("runs/one"), withIntermediateDirectories: false)
      return StageEnding(.done, seconds: 1)
    }
    XCTAssertThrowsError(try run.run()) {
      XCTAssertEqual("\($0)", "Stopped in '2-copy'. The same command goes on from there.")
    }
    XCTAssertEqual(run.ran, ["1-copy"])
  }

  func testAStageThatCannotGoOnBeginsAgain() throws {
    let run = try threeStages()
    run.kinds = [
      StageKind(
        copyKind, command: "copy", reads: ["copies[]"], writes: "output", resumes: false), kinds[1],
    ]
    run.instead["1-copy"] = {
      try? FileManager.default.createDirectory(
        atPath: run.folder.file("runs/one"), withIntermediateDirectories: false)
      return StageEnding(.stopped, seconds: 5)
    }
    XCTAssertThrowsError(try run.run())
    run.instead = [:]
    try run.run()
    XCTAssertEqual(
      run.errors.split(separator: "\n").prefix(2),
      ["1-copy goes on.", "What it made before is in 'runs/one.earlier-1'."])
  }

  func testAFailureEndsTheRun() throws {
    let run = try threeStages()
    run.instead["2-copy"] = { StageEnding(.failed("data/b.txt: it is odd."), seconds: 1) }
    XCTAssertThrowsError(try run.run()) {
      XCTAssertEqual(
        "\($0)",
        "data/b.txt: it is odd.\n'2-copy' failed, and nothing after it was run. The same command "
          + "goes on with it, and with '--again 2-copy' begins it anew.")
    }
    XCTAssertEqual(run.ran, ["1-copy", "2-copy"])
    run.instead = [:]
    try run.run()
    XCTAssertEqual(run.ran, ["2-copy", "10-join"])
  }

  func testAnInputThatAnEarlierStageDidNotMakeIsRefused() throws {
    let run = try threeStages()
    run.instead["1-copy"] = { StageEnding(.done, seconds: 1) }
    XCTAssertThrowsError(try run.run()) {
      XCTAssertEqual(
        run.plain($0),
        "r/2-copy.json5: 'copies[0]' is 'runs/one/text', which '1-copy' should have made, and it is "
          + "not there.")
    }
    XCTAssertEqual(run.ran, ["1-copy"])
  }

  func testTwoRunsAtOnceAreRefused() throws {
    let folder = try Folder()
    let lock = try RunLock(in: folder.path)
    XCTAssertThrowsError(try RunLock(in: folder.path, seconds: 0.1)) {
      XCTAssertEqual(
        "\($0)", "\(folder.path): another run is at work here. Wait until it is done.")
    }
    withExtendedLifetime(lock) {}
    _ = consume lock
    XCTAssertNoThrow(try RunLock(in: folder.path, seconds: 0.1))
  }

  // MARK: - What is shown

  func testATerminalShowsABlock() throws {
    let run = try threeStages()
    run.isTerminal = true
    run.instead["10-join"] = {
      StageEnding(.failed("x"), seconds: 1)
    }
    XCTAssertThrowsError(try run.run())
    let screen = run.errors
    XCTAssertTrue(
      screen.contains(
        "✓ 1-copy    2.0 s, 3.0 MiB\n▸ 2-copy    0 s\n    half of 2-copy\n\r· 10-join"),
      screen.debugDescription)
    XCTAssertTrue(screen.contains("2-copy says so\n"))
    XCTAssertFalse(screen.contains("2-copy begins"))
    XCTAssertFalse(screen.contains("2-copy is done"))
  }

  func testSummariesAsTextAndJSON() throws {
    let run = try threeStages()
    try run.run()
    try run.folder.write("worle ", as: "data/b.txt")
    try run.folder.write("<p>", as: "runs/one/z.html")
    let summary = try run.run()
    let rule = String(repeating: "-", count: run.folder.path.count + "/runs/three".count)
    XCTAssertEqual(
      summary.text.replacingOccurrences(of: rule, with: "----------")
        .replacingOccurrences(of: run.folder.path + "/", with: ""),
      """
      stage                  time    memory   made
      -------   ---------   -----   -------   ----------
      1-copy    unchanged   2.0 s   3.0 MiB   runs/one
      2-copy    done        2.0 s   3.0 MiB   runs/two
      10-join   done        2.0 s   3.0 MiB   runs/three

      made 10-join

      The report is in runs/r-run/report.html.
      """)
    guard case .object(let whole) = try JSONValue(parsing: Array(summary.json.utf8), source: ""),
      case .array(let stages)? = whole["stages"], stages.count == 3,
      case .object(let second) = stages[1]
    else { return XCTFail(summary.json) }
    XCTAssertEqual(second["state"], .string("done"))
    XCTAssertEqual(second["why"], .string("'\(run.folder.file("data/b.txt"))' changed"))
    XCTAssertEqual(second["peakBytes"], .number(JSONNumber(3 << 20)))
    XCTAssertEqual(
      PipelineSummary.list(
        try run.plan(), [.unchanged, .outputGone, .after(["1-copy", "2-copy"])]),
      """
      stage     kind               why
      -------   ----   ---------   ----------------------------------------
      1-copy    copy   unchanged
      2-copy    copy   runs        what it made is gone
      10-join   join   perhaps     it reads what '1-copy', '2-copy' make
      """.replacingOccurrences(
        of: "----------------------------------------", with: String(repeating: "-", count: 37)))
  }

  func testThePageHoldsWhatThereIs() throws {
    let run = try threeStages()
    try run.folder.write("<p>", as: "runs/one/a b.html")
    let summary = try run.run()
    try summary.writePage(version: "1.2")
    let page = try XCTUnwrap(run.folder.text("runs/r-run/report.html"))
    XCTAssertTrue(page.contains("<a href=\"../one/a%20b.html\">1-copy: its own page</a>"), page)
    XCTAssertTrue(page.contains("<h2>Results: 10-join</h2>\n<pre class=\"printed\">made 10-join\n"))
    XCTAssertTrue(page.contains("<h2>2-copy</h2>"))
    XCTAssertTrue(page.contains("distill 1.2."))
    XCTAssertFalse(page.contains("<script") || page.contains("http"))
  }

  // MARK: - Ends of processes

  func testEndsOfProcesses() {
    func outcome(_ status: Int32, stops: Bool = false, _ words: String = "") -> StageEnding.Outcome
    {
      StageProcess.outcome(status, stopsAsked: stops, words)
    }
    XCTAssertEqual(outcome(0), .done)
    XCTAssertEqual(outcome(75 << 8), .stopped)
    XCTAssertEqual(outcome(1 << 8, "a: b."), .failed("a: b."))
    XCTAssertEqual(outcome(3 << 8), .failed("The program ended with status 3."))
    XCTAssertEqual(outcome(15, stops: true), .stopped)
    XCTAssertEqual(
      outcome(11, "a: b."),
      .failed("a: b.\nThe program was ended by signal 11 (Segmentation fault)."))
    XCTAssertEqual(
      outcome(9),
      .failed(
        "The program was ended by signal 9 (Killed). The system does that when memory runs out."))
  }

  func testLinesOfAProcess() {
    var lines = StageLines()
    var seen: [String] = []
    for part in ["a", "b\nc\n", "\n", "d"] { lines.add(Array(part.utf8)[...]) { seen.append($0) } }
    lines.finish { seen.append($0) }
    XCTAssertEqual(seen, ["ab", "c", "", "d"])
    var notes: [String] = []
    var status: [[String]] = []
    let observer = StageObserver(
      note: { notes.append($0) }, status: { status.append($0) }, tick: {}, isStopped: { false },
      lock: nil)
    var errors: [String] = []
    for line in ["x", "Error: y.", "\u{1E}a\u{1F}\u{1F}b", "\u{1E}"] {
      StageProcess.tell(line, observer, &errors)
    }
    XCTAssertEqual(notes, ["x"])
    XCTAssertEqual(errors, ["y."])
    XCTAssertEqual(status, [["a", "", "b"], []])
  }
}
