import Adapters
import Foundation
import Models
import Safetensors
import Storage
import XCTest

/// The folder of what PEFT made; see its `generate.py`.
let fixtures =
  URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().path + "/Fixtures/adapters"

/// The adapters in it.
let adapterNames = ["all-linear", "rank-stabilized", "pattern", "some-layers", "bfloat16"]

/// The model that they are for: three layers of 21 channels.
func baseModel() throws -> ModelConfiguration {
  try Checkpoint.readConfiguration(in: fixtures + "/base")
}

func readJSON(_ path: String) throws -> JSONValue {
  let file = try MappedFile(at: path)
  return try withExtendedLifetime(file) { try JSONValue(parsing: file.bytes, source: path) }
}

func parse(_ text: String) throws -> JSONValue {
  try Array(text.utf8).withUnsafeBytes { try JSONValue(parsing: $0, source: "text") }
}

/// A small adapter's configuration, with some keys set to other values, or left out by nil.
func configuration(_ changes: [String: String?] = [:]) throws -> JSONValue {
  var members: [(key: String, value: JSONValue)] = []
  let usual: [String: String?] = [
    "peft_type": "\"LORA\"", "r": "3", "lora_alpha": "7", "target_modules": "[\"q_proj\"]",
    "task_type": "\"CAUSAL_LM\"",
  ]
  for (key, text) in usual.merging(changes, uniquingKeysWith: { $1 }).sorted(by: { $0.key < $1.key }
  ) {
    if let text { members.append((key, try parse(text))) }
  }
  return .object(JSONObject(members: members))
}

/// A folder for one test, removed with this object.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("adapter-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  /// The names in a folder within it, hidden ones too.
  func names(_ folder: String = "") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: file(folder))) ?? []).sorted()
  }

  func write(_ text: String, as name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
  }

  func data(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: file(name)))
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

  /// A copy of an adapter of the fixtures.
  func copyAdapter(_ name: String, as copy: String = "adapter") throws {
    try makeFolder(copy)
    for part in ["adapter_config.json", "adapter_model.safetensors"] {
      try FileManager.default.copyItem(
        atPath: "\(fixtures)/\(name)/\(part)", toPath: file("\(copy)/\(part)"))
    }
  }

  /// Changes the tensors of the adapter's copy.
  func edit(_ change: (inout [StoredTensor]) throws -> Void) throws {
    let path = file("adapter/adapter_model.safetensors")
    var tensors = try SafetensorsFile(at: path).tensors.map(StoredTensor.init)
    try change(&tensors)
    try SafetensorsFile.write(tensors.map(\.source), to: path)
  }

  func edit(_ name: String, _ change: (inout StoredTensor) throws -> Void) throws {
    try edit { tensors in
      let index = try XCTUnwrap(tensors.firstIndex { $0.name == name }, name)
      try change(&tensors[index])
    }
  }

  /// Sets a key of the copy's configuration.
  func configure(_ key: String, _ text: String) throws {
    let path = file("adapter/adapter_config.json")
    guard case .object(let object) = try readJSON(path) else { return XCTFail("no object") }
    let members = try object.members.filter { $0.key != key } + [(key, parse(text))]
    try AtomicFile.write(JSONValue.object(JSONObject(members: members)).serialized(), to: path)
  }

  /// Opens the copy.
  func open(_ model: ModelConfiguration? = nil) throws -> AdapterCheckpoint {
    try AdapterCheckpoint(at: file("adapter"), for: model ?? baseModel())
  }
}

/// A tensor of a file, to be changed.
struct StoredTensor: Equatable {
  var name: String
  var dtype: SafetensorsType
  var shape: [Int]
  var bytes: [UInt8]

  init(_ tensor: SafetensorsTensor) {
    name = tensor.name
    dtype = tensor.dtype
    shape = tensor.shape
    bytes = tensor.withUnsafeBytes { Array($0) }
  }

  init(_ name: String, _ dtype: SafetensorsType, _ shape: [Int]) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    bytes = Array(repeating: 0, count: shape.reduce(1, *) * dtype.bitCount / 8)
  }

  var source: TensorSource { TensorSource(name, dtype, shape, bytes) }

  /// The numbers, of float32, bfloat16 or float16.
  var floats: [Float] {
    let size = dtype.bitCount / 8
    return (0..<bytes.count / size).map { index in
      var bits: UInt32 = 0
      for byte in 0..<size { bits |= UInt32(bytes[index * size + byte]) << UInt32(8 * byte) }
      switch dtype {
      case .f32: return Float(bitPattern: bits)
      case .bf16: return Float(bitPattern: bits << 16)
      default: return half(UInt16(bits))
      }
    }
  }
}

/// A float16 as a number, by the definition.
private func half(_ bits: UInt16) -> Float {
  let sign: Float = bits >> 15 == 1 ? -1 : 1
  let (exponent, fraction) = (Int(bits >> 10 & 31), Float(bits & 1023))
  return exponent == 0
    ? sign * fraction * 0x1p-24
    : sign * (1 + fraction / 1024) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
}

/// Asserts the words of an `AdapterError`, in which FOLDER stands for `path`.
func assertRefused(
  _ words: String..., in path: String? = nil, about what: String = "",
  file: StaticString = #filePath,
  line: UInt = #line, _ body: () throws -> Void
) {
  XCTAssertThrowsError(try body(), what, file: file, line: line) { error in
    XCTAssertTrue(error is AdapterError, "\(error)", file: file, line: line)
    var found = "\(error)"
    if let path { found = found.replacingOccurrences(of: path, with: "FOLDER") }
    XCTAssertEqual(found, words.joined(separator: "\n"), what, file: file, line: line)
  }
}

/// Random numbers that come out the same each time.
struct Dice: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// The cases of a fuzz test: `DISTILL_FUZZ_CASES`, or the test's own number.
func fuzzCases(_ usual: Int) -> Int {
  ProcessInfo.processInfo.environment["DISTILL_FUZZ_CASES"].flatMap(Int.init) ?? usual
}
