import Foundation
import Interface
import Safetensors
import XCTest

@testable import Commands

/// What one run prints and returns.
struct Run: Equatable {
  var output = ""
  var errors = ""
  var status: Int32 = 0
}

/// Runs `distill` with these words in this process.
func distill(_ words: String...) -> Run {
  let transcript = Transcript()
  let status = Program.distill.run(words, on: transcript.console())
  return Run(output: transcript.output, errors: transcript.errors, status: status)
}

/// Checks that a run fails with these findings, a line each, and prints nothing else.
func assertFails(
  _ run: Run, _ findings: String..., file: StaticString = #filePath, line: UInt = #line
) {
  let errors = findings.map { "Error: \($0)\n" }.joined()
  XCTAssertEqual(run.errors, errors, file: file, line: line)
  XCTAssertEqual(run.output, "", file: file, line: line)
  XCTAssertEqual(run.status, 1, file: file, line: line)
}

/// Checks that a command line is refused with this sentence, above the usage.
func assertMisuse(
  _ run: Run, _ sentence: String, file: StaticString = #filePath, line: UInt = #line
) {
  let first = run.errors.split(separator: "\n").first.map(String.init)
  XCTAssertEqual(first, "Error: \(sentence)", file: file, line: line)
  XCTAssertTrue(run.errors.contains("\nUsage: distill "), run.errors, file: file, line: line)
  XCTAssertEqual(run.output, "", file: file, line: line)
  XCTAssertEqual(run.status, 64, file: file, line: line)
}

/// Checks that a run is done and that its output is this.
func assertPrints(
  _ run: Run, _ output: String, errors: String = "", file: StaticString = #filePath,
  line: UInt = #line
) {
  XCTAssertEqual(run.output, output + "\n", file: file, line: line)
  XCTAssertEqual(run.errors, errors, file: file, line: line)
  XCTAssertEqual(run.status, 0, file: file, line: line)
}

/// A folder for one test, removed with this object.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("command-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  /// The names in a folder, hidden ones too.
  func names(_ folder: String = "") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: file(folder))) ?? []).sorted()
  }

  func bytes(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: file(name)).map { [UInt8]($0) }
  }

  func write(_ text: String, as name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: file(name), withIntermediateDirectories: false)
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

  /// A copy of a model of the fixtures, without what it is compared with elsewhere.
  func copyModel(_ name: String, as copy: String) throws {
    try makeFolder(copy)
    for part in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(
        atPath: fixtures + "/parity/\(name)/\(part)", toPath: file("\(copy)/\(part)"))
    }
  }

  /// Replaces a text in a file; it must be there.
  func edit(_ name: String, _ old: String, _ new: String) throws {
    let text = String(decoding: try XCTUnwrap(bytes(name)), as: UTF8.self)
    XCTAssertTrue(text.contains(old), "\(name) has no \(old)")
    try write(text.replacingOccurrences(of: old, with: new), as: name)
  }

  /// Writes the tensors of a model again, as `change` has them.
  func rewrite(
    _ model: String, _ change: (SafetensorsTensor) -> [TensorSource]
  ) throws {
    let path = file(model + "/model.safetensors")
    let sources = try SafetensorsFile(at: path).tensors.flatMap(change)
    try SafetensorsFile.write(sources, to: path)
  }
}

let fixtures =
  URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().path + "/Fixtures"

func floats(_ tensor: SafetensorsTensor) -> [Float] {
  tensor.withUnsafeBytes { bytes in
    (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
  }
}

func words(_ tensor: SafetensorsTensor) -> [UInt16] {
  tensor.withUnsafeBytes { bytes in
    (0..<bytes.count / 2).map { bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self) }
  }
}
