import Foundation
import Models
import Safetensors
import Storage
import XCTest

@testable import Adapters

/// Files with anything in them: an error or an adapter, never a trap.
final class AdapterFuzzTests: XCTestCase {
  /// Texts of members that are numbers, names, lists or nothing where something else is meant.
  private let values = [
    "null", "true", "false", "0", "-1", "1", "3", "65536", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "1e308", "1e-400", "0.5", "\"\"", "\"q_proj\"",
    "\"all-linear\"", "\".*\"", "\"(\"", "\"pissa\"", "\"\\u0000\"", "\"é\"", "[]", "[[]]", "[1]",
    "[0, 2]", "[\"q_proj\"]", "[\"lm_head\", \"\"]", "[\".\"]", "[null]", "{}",
    "{\"q_proj\": 2}", "{\".*\": 2}", "{\"\": 1}", "{\"(\": 1}", "{\"q_proj\": null}",
    "{\"a\": {\"b\": [1, {}]}}",
  ]

  func testConfigurations() throws {
    let model = try baseModel()
    var keys = AdapterConfiguration(rank: 1, alpha: 1, targetModules: ["q_proj"]).json.members
      .map(\.key)
    keys += ["kasa_config", "use_bdlora", "velora_config", "unknown", ""]
    var dice = Dice(state: 1)
    var (read, selected) = (0, 0)
    for _ in 0..<fuzzCases(20000) {
      var changes: [String: String?] = [:]
      for _ in 0..<Int.random(in: 1...4, using: &dice) {
        guard let key = keys.randomElement(using: &dice) else { continue }
        changes[key] = .some(values.randomElement(using: &dice))
      }
      do {
        let json = try configuration(changes)
        let adapter = try AdapterConfiguration(reading: json)
        read += 1
        XCTAssertEqual(try AdapterConfiguration(reading: .object(adapter.json)).json, adapter.json)
        XCTAssertTrue(adapter.scale.isFinite)
        selected += try adapter.adaptedLayers(of: model).count
      } catch let error as AdapterError {
        XCTAssertFalse(error.findings.isEmpty)
        for finding in error.findings { XCTAssertTrue(finding.hasSuffix("."), finding) }
      }
    }
    XCTAssertGreaterThan(read, 1000)
    XCTAssertGreaterThan(selected, 1000)
  }

  /// Bytes of either file changed, cut or doubled.
  func testBytes() throws {
    let model = try baseModel()
    var dice = Dice(state: 2)
    var (opened, refused) = (0, 0)
    for (number, name) in adapterNames.enumerated() {
      let folder = try TemporaryFolder()
      try folder.copyAdapter(name)
      for part in ["adapter_config.json", "adapter_model.safetensors"] {
        let whole = try [UInt8](folder.data("adapter/" + part))
        // The header's end: what is behind it are numbers.
        let head = part.hasSuffix("json") ? whole.count : 8 + Int(whole[0]) + Int(whole[1]) << 8
        for _ in 0..<fuzzCases(250) / (1 + number) {
          var bytes = whole
          switch Int.random(in: 0..<4, using: &dice) {
          case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &dice))
          case 1:
            let start = Int.random(in: 0..<head, using: &dice)
            let end = min(head, start + Int.random(in: 1...40, using: &dice))
            bytes.insert(contentsOf: bytes[start..<end], at: Int.random(in: 0..<head, using: &dice))
          default:
            for _ in 0..<Int.random(in: 1...3, using: &dice) {
              let place = Int.random(in: 0..<min(head, bytes.count), using: &dice)
              bytes[place] =
                Bool.random(using: &dice)
                ? UInt8.random(in: 0...255, using: &dice)
                : "{}[]:,\"0123456789.lora_ABFTx".utf8.randomElement(using: &dice) ?? 0
            }
          }
          try Data(bytes).write(to: URL(fileURLWithPath: folder.file("adapter/" + part)))
          do {
            let adapter = try folder.open(model)
            for pair in adapter.pairs { _ = (pair.readA(), pair.readB()) }
            opened += 1
          } catch let error as AdapterError {
            XCTAssertFalse(error.findings.isEmpty)
            refused += 1
          }
        }
        try Data(whole).write(to: URL(fileURLWithPath: folder.file("adapter/" + part)))
      }
      XCTAssertNoThrow(try folder.open(model))
    }
    XCTAssertGreaterThan(opened, 50)
    XCTAssertGreaterThan(refused, 500)
  }

  /// Sets of tensors with some left out, renamed, of other shapes or other types.
  func testTensors() throws {
    let model = try baseModel()
    var dice = Dice(state: 3)
    var refused = 0
    let folder = try TemporaryFolder()
    try folder.copyAdapter("pattern")
    let path = folder.file("adapter/adapter_model.safetensors")
    let whole = try SafetensorsFile(at: path).tensors.map(StoredTensor.init)
    let cases = fuzzCases(150)
    for _ in 0..<cases {
      var tensors = whole
      for _ in 0..<Int.random(in: 1...3, using: &dice) {
        let index = Int.random(in: 0..<tensors.count, using: &dice)
        let name = tensors[index].name
        switch Int.random(in: 0..<4, using: &dice) {
        case 0: tensors.remove(at: index)
        case 1:
          let shape = [[], [0], [2], [0, 21], [2, 21, 1], [22, 2], [1, 1]].randomElement(
            using: &dice)
          tensors[index] = StoredTensor(name, .bf16, shape ?? [])
        case 2:
          let type = SafetensorsType.allCases.filter { $0.bitCount >= 8 }.randomElement(
            using: &dice)
          let shape = tensors[index].shape
          tensors[index] = StoredTensor(name, type == .bf16 ? .u8 : type ?? .u8, shape + [1])
        default:
          tensors[index].name =
            ["", "x", name + ".", "é" + name].randomElement(using: &dice)! + "\(index)"
        }
      }
      guard Set(tensors.map(\.name)).count == tensors.count else { continue }
      try SafetensorsFile.write(tensors.map(\.source), to: path)
      XCTAssertThrowsError(try folder.open(model)) { error in
        XCTAssertTrue(error is AdapterError, "\(error)")
        refused += 1
      }
    }
    XCTAssertGreaterThan(refused, cases / 2)
  }
}
