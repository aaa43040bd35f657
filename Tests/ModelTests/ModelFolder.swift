import Foundation
import Models
import Safetensors
import Storage
import Tensors
import XCTest

/// An empty folder for one test, removed with this object.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("model-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = try resolvedPath(url.path)
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

  func link(_ name: String, to destination: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: file(name), withDestinationPath: destination)
  }
}

/// A tensor of a file, to be changed.
struct StoredTensor: Equatable {
  var name: String
  var dtype: SafetensorsType
  var shape: [Int]
  var bytes: [UInt8]

  /// Its numbers as `Float`; for float32 only.
  var floats: [Float] {
    get {
      bytes.withUnsafeBytes { raw in
        (0..<raw.count / 4).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
      }
    }
    set { bytes = newValue.withUnsafeBytes { Array($0) } }
  }

  var source: TensorSource { TensorSource(name, dtype, shape, bytes) }
}

/// A saved model in a temporary folder, whose parts a test changes.
final class ModelFolder {
  let folder: TemporaryFolder
  let decoder: Decoder
  var path: String { folder.path }

  /// Saves a small model in float32.
  init(_ model: TinyModel) throws {
    folder = try TemporaryFolder()
    decoder = model.decoder(.float32)
    try Checkpoint.save(decoder, to: folder.path, options: .init(dtype: .float32))
  }

  func tensors() throws -> [StoredTensor] {
    try TensorFolder(at: path).files.flatMap { file in
      file.tensors.map { tensor in
        StoredTensor(
          name: tensor.name, dtype: tensor.dtype, shape: tensor.shape,
          bytes: tensor.withUnsafeBytes { Array($0) })
      }
    }
  }

  /// Changes the stored tensors.
  func edit(_ change: (inout [StoredTensor]) throws -> Void) throws {
    var tensors = try tensors()
    try change(&tensors)
    try SafetensorsFile.write(tensors.map(\.source), to: path + "/model.safetensors")
  }

  func edit(_ name: String, _ change: (inout StoredTensor) throws -> Void) throws {
    try edit { tensors in
      let index = try XCTUnwrap(tensors.firstIndex { $0.name == name }, name)
      try change(&tensors[index])
    }
  }

  /// Sets a key of the configuration.
  func configure(_ key: String, _ value: JSONValue) throws {
    let file = try MappedFile(at: path + "/config.json")
    let json = try withExtendedLifetime(file) {
      try JSONValue(parsing: file.bytes, source: file.path)
    }
    guard case .object(let object) = json else { return XCTFail("no object") }
    var members = object.members.filter { $0.key != key }
    members.append((key, value))
    try AtomicFile.write(
      JSONValue.object(JSONObject(members: members)).serialized(pretty: true),
      to: path + "/config.json")
  }
}

/// Asserts the words of an error, in which FOLDER stands for `path`.
func assertRefused(
  _ words: String..., in path: String, _ what: String = "", file: StaticString = #filePath,
  line: UInt = #line, _ body: () throws -> Void
) {
  XCTAssertThrowsError(try body(), what, file: file, line: line) { error in
    XCTAssertTrue(error is CheckpointError, "\(error)", file: file, line: line)
    XCTAssertEqual(
      "\(error)".replacingOccurrences(of: path, with: "FOLDER"), words.joined(separator: "\n"),
      what, file: file, line: line)
  }
}

/// Asserts that two decoders have the same parameters with the same bits.
func assertSameParameters(
  _ found: Decoder, _ expected: Decoder, _ what: String, file: StaticString = #filePath,
  line: UInt = #line
) {
  XCTAssertEqual(
    found.parameters.map(\.name), expected.parameters.map(\.name), what, file: file, line: line)
  for (a, b) in zip(found.parameters, expected.parameters) {
    XCTAssertEqual(a.shape, b.shape, what, file: file, line: line)
    assertSame(
      a.value.elements, b.value.elements, "\(what): \(a.name)", file: file, line: line)
  }
}
