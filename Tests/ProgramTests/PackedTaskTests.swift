import Foundation
import Storage
import XCTest

@testable import Verification

/// Tests that are published packed are those that were packed.
final class PackedTaskTests: XCTestCase {
  /// Rows with packed tests, as Python packs them, beside the same rows with plain ones.
  private func rows() throws -> [(name: String, packed: JSONObject, plain: JSONValue)] {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/pickles/tasks.jsonl")
    return try SharedFixture.objects(Data(contentsOf: url), "tasks.jsonl").map { row in
      let packed = try XCTUnwrap(row["packed"]?.object)
      return (try packed.text("id"), packed, try XCTUnwrap(row["plain"]))
    }
  }

  func testRowsAreReadAsTheirPlainForm() throws {
    let rows = try rows()
    XCTAssertEqual(rows.count, 22)
    for row in rows {
      let packed = try ProgramTask(.object(row.packed), source: "packed")
      let plain = try ProgramTask(row.plain, source: "plain")
      XCTAssertEqual(packed.count, plain.count, row.name)
      switch (packed.tests, plain.tests) {
      case (.standardInput(let a), .standardInput(let b)):
        for (a, b) in zip(a, b) {
          XCTAssertEqual(Array(a.input.utf8), Array(b.input.utf8), row.name)
          XCTAssertEqual(Array(a.output.utf8), Array(b.output.utf8), row.name)
        }
      case (.function(let a, let calls), .function(let b, let others)):
        XCTAssertEqual(a, b, row.name)
        for (a, b) in zip(calls, others) { XCTAssertEqual(a, b, row.name) }
      default: XCTFail("\(row.name): \(packed) \(plain)")
      }
      XCTAssertEqual(packed, plain, row.name)
    }
    let first = try ProgramTask(.object(rows[0].packed), source: "packed")
    guard case .standardInput(let tests) = first.tests else { return XCTFail("\(first)") }
    // One public test, and the 39 that are packed.
    XCTAssertEqual(tests.count, 40)
    XCTAssertEqual(tests[39], .init(input: "39\nß😀 \\ \"\n", output: "1521\n"))
  }

  /// A published file and its own decoding by Python.
  func testRowsOfSandboxFusion() throws {
    let name = "benchmarks/livecodebench/sandboxfusion_lcb_v1_sample"
    let packed = try SharedFixture.lines(name + ".jsonl")
    let decoded = try SharedFixture.lines(name + ".decoded.jsonl")
    XCTAssertEqual(packed.count, 3)
    XCTAssertEqual(decoded.count, 3)
    for (row, expected) in zip(packed, decoded) {
      XCTAssertEqual(row["id"], expected["id"])
      let value = try ProgramTaskRow(row, source: "row").unpacked("test").object["test"]
      let text = try XCTUnwrap(value?.object?.text("input_output"))
      let found = try XCTUnwrap(JSONValue(text).object)
      let tests = try XCTUnwrap(expected["tests"]?.object)
      XCTAssertEqual(value?.object?.members.map(\.key), ["input_output"])
      XCTAssertEqual(found.members.map(\.key), tests.members.map(\.key))
      XCTAssertEqual(found["fn_name"], tests["fn_name"])
      for key in ["inputs", "outputs"] {
        let a = try XCTUnwrap(found[key]?.array)
        let b = try XCTUnwrap(tests[key]?.array)
        XCTAssertEqual(a.count, b.count)
        for (a, b) in zip(a, b) { XCTAssertEqual(a, b) }
      }
    }
    let tasks = try ProgramTask.tasks(at: SharedFixture.path(name + ".jsonl"))
    let others = try ProgramTask.tasks(at: SharedFixture.path(name + ".decoded.jsonl"))
    XCTAssertEqual(tasks.map(\.count), [5, 14, 15])
    for (a, b) in zip(tasks, others) { XCTAssertEqual(a, b) }
  }

  func testRefusals() throws {
    func sentence(_ text: String, limit: Int = 1 << 20) -> String? {
      do {
        let row = JSONObject(members: [("test", .string(text))])
        _ = try ProgramTaskRow(row, source: "a.jsonl:7").unpacked("test", limit: limit)
        return nil
      } catch { return "\(error)" }
    }
    for text in ["", " ", "x = 1", "eJ", "eJx", "eJx!", "true", "\"a\"", "AAAA"] {
      XCTAssertEqual(
        sentence(text),
        "a.jsonl:7: 'test' is neither JSON nor base64 of tests that are packed.", text)
    }
    XCTAssertEqual(
      sentence("[1"), "a.jsonl:7: 'test' is not JSON (the text ends where ',' or ']' must be).")
    let row = try XCTUnwrap(rows().first { $0.name == "stdin 4" }).packed
    let text = try row.text("private_test_cases")
    XCTAssertNil(sentence(text))
    XCTAssertEqual(
      sentence(String(text.dropLast(8))),
      "a.jsonl:7, 'test': the packed bytes end too early. Get them again.")
    XCTAssertEqual(
      sentence(text, limit: 3_000),
      "a.jsonl:7, 'test': unpacked it has more than 3000 bytes. Unpack it first.")
    let refused = try self.refused()
    for (name, words) in [
      (
        "os.system 4",
        "a.jsonl:7, 'test': the pickle has STACK_GLOBAL at byte 28, which makes more than plain "
          + "data. Nothing of it was run; write it as JSON."
      ),
      (
        "os.system 0",
        "a.jsonl:7, 'test': the pickle has GLOBAL at byte 0, which makes more than plain data. "
          + "Nothing of it was run; write it as JSON."
      ),
      ("bomb", "a.jsonl:7, 'test': unpacked it has more than 1048576 bytes. Unpack it first."),
    ] {
      XCTAssertEqual(sentence(try XCTUnwrap(refused[name])), words)
    }
  }

  /// No row makes anything but a sentence of what is hostile, with the limits that files have.
  func testHostileRows() throws {
    for (name, text) in try refused() {
      for field in ["private_test_cases", "test"] {
        let row = JSONObject(members: [(field, .string(text))])
        XCTAssertThrowsError(try ProgramTask(.object(row), source: "a.jsonl:7"), name) {
          XCTAssertTrue("\($0)".hasPrefix("a.jsonl:7, '\(field)': the "), "\(name): \($0)")
        }
      }
    }
  }

  /// 257 MiB of zeros, packed as far as they can be: the limit of files stops before they are there.
  func testBombOfFileSize() throws {
    guard Boxes.isLong else { throw XCTSkip("Set DISTILL_LONG_TESTS=1 to unpack 256 MiB.") }
    var bytes: [UInt8] = [0x78, 0x9C]
    var held: UInt64 = 0
    var heldCount: UInt64 = 0
    func write(_ bits: UInt64, _ count: UInt64) {
      held |= bits << heldCount
      heldCount += count
      while heldCount >= 8 {
        bytes.append(UInt8(truncatingIfNeeded: held))
        held >>= 8
        heldCount -= 8
      }
    }
    write(0b011, 3)  // the last block, of fixed codes
    write(0b0000_1100, 8)  // the byte 0: RFC 1951, section 3.2.6, highest bit of a code first
    for _ in 0..<(257 << 20) / 258 { write(0b1010_0011, 13) }  // 258 bytes from 1 before
    write(0, 15)
    let row = JSONObject(members: [("test", .string(Data(bytes).base64EncodedString()))])
    XCTAssertThrowsError(try ProgramTask(.object(row), source: "a.jsonl:7")) {
      XCTAssertEqual(
        "\($0)", "a.jsonl:7, 'test': unpacked it has more than 268435456 bytes. Unpack it first.")
    }
  }

  private func refused() throws -> [String: String] {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/pickles/refused.jsonl")
    let rows = try SharedFixture.objects(Data(contentsOf: url), "refused.jsonl")
    return Dictionary(
      uniqueKeysWithValues: try rows.map { (try $0.text("name"), try $0.text("packed")) })
  }

  /// A pickled value may be JSON that holds no tests.
  func testPickledJSONOfAnotherForm() throws {
    let refused: [(field: String, packed: String, sentence: String)] = [
      // The texts "7" and "[1]", the number 7, the texts '{"a": "[]"}' and "[", pickled and packed.
      (
        "private_test_cases", "eJxrYJnKygABPYzmU/QAFW4CpQ==",
        "a.jsonl:7: 'private_test_cases' must be an array of objects."
      ),
      (
        "private_test_cases", "eJxrYJnKzgABPczRhrFT9AAb7QNb",
        "a.jsonl:7: 'private_test_cases' must be an array of objects."
      ),
      (
        "private_test_cases", "eJxrYPFm1wMAA7IBBQ==",
        "a.jsonl:7: 'private_test_cases' must be an array of objects."
      ),
      (
        "test", "eJxrYJnKzwABPdzVSolKVgpK0bFKtVP0AD4zBXU=",
        "a.jsonl:7: 'test' must hold the arrays 'inputs' and 'outputs'."
      ),
      (
        "test", "eJxrYJnKygABPYzRU/QAFdoCyQ==",
        "a.jsonl:7: 'test' is not JSON (the text ends where a value must be)."
      ),
    ]
    for (field, packed, sentence) in refused {
      let row = JSONObject(members: [(field, .string(packed))])
      XCTAssertThrowsError(try ProgramTask(.object(row), source: "a.jsonl:7")) {
        XCTAssertEqual("\($0)", sentence)
      }
    }
  }
}
