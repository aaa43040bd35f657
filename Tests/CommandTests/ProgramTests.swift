import Foundation
import Interface
import Tensors
import XCTest

@testable import Commands

final class ProgramTests: XCTestCase {
  func testDeclarations() {
    XCTAssertEqual(Program.distill.findings, [])
  }

  func testVersion() {
    assertPrints(distill("--version"), "distill 0.1.0")
  }

  func testUnknownCommand() {
    let run = distill("inspekt")
    XCTAssertEqual(
      run.errors,
      "Error: Unknown command 'inspekt'. Did you mean 'inspect'?\nSee 'distill --help'.\n")
    XCTAssertEqual(run.status, 64)
  }

  // MARK: - The environment

  func testWrongVariables() {
    let sets = InstructionSet.available.map { "'\($0.key)'" }.joined(separator: ", ")
    for (name, value, words) in [
      ("DISTILL_THREADS", "many", "DISTILL_THREADS is 'many', not a whole number from 1 to 1024."),
      ("DISTILL_THREADS", "0", "DISTILL_THREADS is '0', not a whole number from 1 to 1024."),
      ("DISTILL_THREADS", "1025", "DISTILL_THREADS is '1025', not a whole number from 1 to 1024."),
      ("DISTILL_THREADS", "2 ", "DISTILL_THREADS is '2 ', not a whole number from 1 to 1024."),
      ("DISTILL_ISA", "avx9", "DISTILL_ISA is 'avx9', not one of \(sets)."),
    ] {
      XCTAssertThrowsError(try checkEnvironment([name: value])) {
        XCTAssertEqual("\($0)", words)
      }
    }
    for right in [
      [:], ["DISTILL_THREADS": ""], ["DISTILL_THREADS": "1024"], ["DISTILL_ISA": ""],
      ["DISTILL_ISA": "Scalar", "DISTILL_THREADS": "1"],
    ] {
      XCTAssertNoThrow(try checkEnvironment(right), "\(right)")
    }
  }

  /// Every command that computes refuses a wrong variable; no help does.
  func testEveryCommandChecksTheVariables() {
    let before = ProcessInfo.processInfo.environment["DISTILL_THREADS"]
    setenv("DISTILL_THREADS", "many", 1)
    defer {
      if let before { setenv("DISTILL_THREADS", before, 1) } else { unsetenv("DISTILL_THREADS") }
    }
    for words in [["inspect", "x"], ["convert", "x", "y"], ["initialize", "x"], ["kernels"]] {
      let transcript = Transcript()
      XCTAssertEqual(Program.distill.run(words, on: transcript.console()), 1)
      XCTAssertEqual(
        transcript.errors,
        "Error: DISTILL_THREADS is 'many', not a whole number from 1 to 1024.\n", "\(words)")
      XCTAssertEqual(transcript.output, "")
    }
    for words in [[], ["help", "convert"], ["--version"], ["recipe"], ["kernels", "--help"]] {
      XCTAssertEqual(Program.distill.run(words, on: Transcript().console()), 0, "\(words)")
    }
  }

  func testThreads() {
    let pool = ThreadPool.shared
    let threads = pool.threads
    defer { pool.threads = threads }
    for words in [
      ["--threads", "3", "inspect", "--models"], ["inspect", "--models", "--threads=5"],
    ] {
      XCTAssertEqual(Program.distill.run(words, on: Transcript().console()), 0)
      XCTAssertEqual(pool.threads, words.contains("3") ? 3 : 5)
    }
    for value in ["0", "1025", "x", ""] {
      assertMisuse(
        distill("kernels", "--threads=\(value)"),
        "'--threads <count>' must be a whole number from 1 to 1024, but was given '\(value)'.")
    }
    XCTAssertEqual(pool.threads, 5)
  }

  // MARK: - The executable

  func testExecutable() throws {
    let folder = Bundle(for: Self.self).bundleURL
    let places = [folder, folder.deletingLastPathComponent()].map {
      $0.appendingPathComponent("distill")
    }
    let executable = try XCTUnwrap(
      places.first { FileManager.default.isExecutableFile(atPath: $0.path) }, "\(places)")
    for (words, status, output, errors) in [
      (["--version"], 0, "distill 0.1.0\n", ""),
      (["--verion"], 64, "", "Error: Unknown option '--verion'. Did you mean '--version'?\n"),
      (["convert", "/none", "x"], 1, "", "Error: /none: there is no such folder.\n"),
    ] as [([String], Int32, String, String)] {
      let process = Process()
      let (out, err) = (Pipe(), Pipe())
      process.executableURL = executable
      process.arguments = words
      process.standardOutput = out
      process.standardError = err
      try process.run()
      process.waitUntilExit()
      XCTAssertEqual(process.terminationStatus, status, "\(words)")
      let printed = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      XCTAssertEqual(printed, output)
      let noted = String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      XCTAssertTrue(noted.hasPrefix(errors), noted)
      XCTAssertEqual(noted.isEmpty, errors.isEmpty, noted)
    }
  }
}
