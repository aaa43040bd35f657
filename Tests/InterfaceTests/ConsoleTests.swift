import Foundation
import XCTest

@testable import Interface

final class ConsoleTests: XCTestCase {
  func testTheTwoStreamsStayApart() {
    let transcript = Transcript()
    let console = transcript.console()
    console.print("a")
    console.note("b")
    console.write("c")
    console.print()
    XCTAssertEqual(transcript.output, "a\nc\n")
    XCTAssertEqual(transcript.errors, "b\n")
  }

  func testWhatIsPrintedIsWrittenAtOnce() {
    let transcript = Transcript()
    let program = Program(
      "p", version: "1", summary: "S.",
      commands: [
        Command("c", summary: "S.", discussion: "D.", example: "p c") { _, console in
          console.print("first")
          XCTAssertEqual(transcript.output, "first\n")
          console.print("second")
        }
      ])
    XCTAssertEqual(program.run(["c"], on: transcript.console()), 0)
    XCTAssertEqual(transcript.output, "first\nsecond\n")
  }

  func testAPipeWhoseReaderIsGoneSilencesTheOutputOnly() throws {
    _ = Console.standard()  // which ignores SIGPIPE
    var ends: [Int32] = [0, 0]
    XCTAssertEqual(pipe(&ends), 0)
    close(ends[0])
    defer { close(ends[1]) }
    let transcript = Transcript()
    let errors = Output { transcript.console().write($0) }
    let console = Console(output: .descriptor(ends[1]), errors: errors)
    let program = Program(
      "p", version: "1", summary: "S.",
      commands: [
        Command("c", summary: "S.", discussion: "D.", example: "p c") { _, console in
          for _ in 0..<3 { console.print("nobody reads this") }
          console.note("done")
        }
      ])
    XCTAssertEqual(program.run(["c"], on: console), 0)
    XCTAssertEqual(transcript.output, "done\n")
    XCTAssertNil(console.failure)
  }

  func testAPipeCarriesMoreThanItHolds() throws {
    var ends: [Int32] = [0, 0]
    XCTAssertEqual(pipe(&ends), 0)
    // Not blocking, so that the writer meets a full pipe and must wait.
    XCTAssertEqual(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0)
    let text = String(repeating: "0123456789", count: 50_000)
    let writer = Thread { [end = ends[1]] in
      Console(output: .descriptor(end), errors: .descriptor(end)).write(text)
      close(end)
    }
    writer.start()
    let reader = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
    XCTAssertEqual(try reader.readToEnd(), Data(text.utf8))
  }

  func testAFullDiskFailsTheRun() throws {
    let full = open("/dev/full", O_WRONLY)
    guard full >= 0 else { throw XCTSkip("This system has no /dev/full.") }
    defer { close(full) }
    let transcript = Transcript()
    let errors = Output { transcript.console().write($0) }
    let program = Program("p", version: "1", summary: "S.", commands: [])
    XCTAssertEqual(
      program.run(["--version"], on: Console(output: .descriptor(full), errors: errors)), 1)
    XCTAssertEqual(
      transcript.output, "Error: The output could not be written: No space left on device.\n")
  }

  func testADescriptorIsNoTerminalWhenItIsAFile() throws {
    let null = open("/dev/null", O_WRONLY)
    defer { close(null) }
    XCTAssertFalse(Console(output: .descriptor(null), errors: .descriptor(null)).isTerminal)
    XCTAssertEqual(Output.descriptor(null).columns(), 80)
  }

  func testTheStatusIsRewrittenBelowWhatIsPrinted() {
    let transcript = Transcript()
    let console = transcript.console(isTerminal: true)
    console.show(status: "12345")
    console.show(status: "12")
    console.note("remark")
    console.print("result")
    console.show(status: nil)
    XCTAssertEqual(
      transcript.errors,
      "\r12345" + "\r12   \r12" + "\r  \r" + "remark\n" + "\r12" + "\r  \r" + "\r12" + "\r  \r")
    XCTAssertEqual(transcript.output, "result\n")
  }

  func testTheStatusStaysAwayFromHalfALine() {
    let transcript = Transcript()
    let console = transcript.console(isTerminal: true)
    console.show(status: "busy")
    console.write("half")
    console.write(" a line\n")
    XCTAssertEqual(transcript.errors, "\rbusy" + "\r    \r" + "\rbusy")
  }

  func testTheStatusIsNarrowerThanTheTerminal() {
    let transcript = Transcript()
    transcript.console(isTerminal: true, columns: 6).show(status: "1234567")
    XCTAssertEqual(transcript.errors, "\r12345")
  }

  func testWithoutATerminalThereIsNoStatus() {
    let transcript = Transcript()
    let console = transcript.console()
    console.show(status: "busy")
    console.note("remark")
    console.show(status: nil)
    XCTAssertEqual(transcript.errors, "remark\n")
  }

  func testARunTakesTheStatusAway() {
    let transcript = Transcript()
    let program = Program(
      "p", version: "1", summary: "S.",
      commands: [
        Command("c", summary: "S.", discussion: "D.", example: "p c") { _, console in
          console.show(status: "busy")
        }
      ])
    XCTAssertEqual(program.run(["c"], on: transcript.console(isTerminal: true)), 0)
    XCTAssertEqual(transcript.errors, "\rbusy\r    \r")
  }

  // MARK: - Another process's status

  func testAStatusForAnotherProcessIsALineOfItsOwn() {
    let transcript = Transcript()
    let console = Console(
      output: Output { _ in }, errors: .relay(columns: 33) { transcript.console().write($0) })
    XCTAssertTrue(console.isTerminal)
    XCTAssertEqual(console.columns, 33)
    console.show(block: [])
    console.show(block: ["a long line that is wider than a terminal", "b\u{1F}\n"])
    console.note("said")
    console.show(status: "c")
    console.show(block: [])
    console.show(status: nil)
    XCTAssertEqual(
      transcript.output,
      "\u{1E}a long line that is wider than a terminal\u{1F}b\\u{1f}\\u{a}\nsaid\n\u{1E}c\n\u{1E}\n"
    )
    XCTAssertEqual(
      transcript.output.split(separator: "\n").map { Console.statusLines(in: String($0)) },
      [["a long line that is wider than a terminal", "b\\u{1f}\\u{a}"], nil, ["c"], []])
  }
}
