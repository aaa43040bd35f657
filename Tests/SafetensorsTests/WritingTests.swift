import Foundation
import Storage
import XCTest

@testable import Safetensors

final class WritingTests: XCTestCase {
  private func numbers(_ count: Int, from first: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: first + $0 * 7) }
  }

  func testTheBytesOfAFile() throws {
    let folder = try TemporaryFolder()
    let tensors = [
      TensorSource("b", .bf16, [2], [1, 2, 3, 4]),
      TensorSource("é\"/", .f32, [1, 1], [5, 6, 7, 8]),
      TensorSource("a", .bf16, [], [9, 10]),
      TensorSource("none", .i64, [0, 3], []),
    ]
    let header =
      #"{"__metadata__":{"format":"pt"},"none":{"dtype":"I64","shape":[0,3],"data_offsets":[0,0]},"#
      + #""é\"/":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"#
      + #""a":{"dtype":"BF16","shape":[],"data_offsets":[4,6]},"#
      + #""b":{"dtype":"BF16","shape":[2],"data_offsets":[6,10]}}"#
    let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    let expected = safetensors(padded) + [5, 6, 7, 8, 9, 10, 1, 2, 3, 4]
    for tensors in [tensors, tensors.reversed()] {
      try SafetensorsFile.write(tensors, to: folder.file("x"))
      XCTAssertEqual(folder.bytes("x"), expected)
    }
    XCTAssertEqual(folder.names(), ["x"])
  }

  func testThePaddingOfEveryLength() throws {
    let folder = try TemporaryFolder()
    for count in 1...9 {
      let name = String(repeating: "n", count: count)
      try SafetensorsFile.write(
        [TensorSource(name, .u8, [3], [1, 2, 3])], metadata: [:], to: folder.file("x"))
      let bytes = try XCTUnwrap(folder.bytes("x"))
      XCTAssertEqual((bytes.count - 3) % 8, 0)
      XCTAssertEqual(Int(bytes[0]) % 8, 0)
      XCTAssertLessThan(bytes.dropLast(3).reversed().prefix { $0 == 0x20 }.count, 8)
      XCTAssertEqual(try SafetensorsFile(at: folder.file("x"))[name]?.shape, [3])
      XCTAssertEqual(try SafetensorsFile(at: folder.file("x")).metadata, [:])
    }
  }

  func testEveryTypeReadsBackTheSame() throws {
    let folder = try TemporaryFolder()
    var tensors: [TensorSource] = []
    for (i, dtype) in SafetensorsType.allCases.enumerated() {
      for (j, shape) in [[], [4], [3, 8], [0], [2, 0, 3]].enumerated() {
        let bits = shape.reduce(dtype.bitCount, *)
        guard bits.isMultiple(of: 8) else { continue }
        tensors.append(
          TensorSource("\(dtype).\(j)", dtype, shape, numbers(bits / 8, from: 100 * i + j)))
      }
    }
    try SafetensorsFile.write(
      tensors, metadata: ["b": "\n\u{7f}", "a": "é"], to: folder.file("x"))
    let file = try SafetensorsFile(at: folder.file("x"))
    XCTAssertEqual(file.metadata, ["b": "\n\u{7f}", "a": "é"])
    XCTAssertEqual(file.tensorNames.count, tensors.count)
    for tensor in tensors {
      let read = try XCTUnwrap(file[tensor.name])
      XCTAssertEqual(read.dtype, tensor.dtype)
      XCTAssertEqual(read.shape, tensor.shape)
      var expected: [UInt8] = []
      try tensor.write { expected += Array($0) }
      XCTAssertEqual(read.withUnsafeBytes { Array($0) }, expected, tensor.name)
      let alignment = max(1, tensor.dtype.bitCount / 8)
      read.withUnsafeBytes {
        XCTAssertEqual(Int(bitPattern: $0.baseAddress) % alignment, 0, tensor.name)
      }
    }
    // Written again from what was read, the file is the same to the byte.
    try SafetensorsFile.write(
      file.tensors.map { TensorSource($0) }, metadata: file.metadata, to: folder.file("y"))
    XCTAssertEqual(folder.bytes("y"), folder.bytes("x"))
  }

  func testPartsAreJoined() throws {
    let folder = try TemporaryFolder()
    let bytes = numbers(10_000)
    let tensor = TensorSource("a", .u8, [10_000]) { emit in
      var rest = bytes[...]
      for count in [0, 1, 999, 4000, 0, 5000] {
        try Array(rest.prefix(count)).withUnsafeBytes(emit)
        rest = rest.dropFirst(count)
      }
    }
    try SafetensorsFile.write([tensor], to: folder.file("x"))
    XCTAssertEqual(
      try SafetensorsFile(at: folder.file("x"))["a"]?.withUnsafeBytes { Array($0) }, bytes)
  }

  func testWhatIsNotWritten() throws {
    let folder = try TemporaryFolder()
    try folder.write([1], as: "x")
    struct Stop: Error {}
    let cases: [(tensors: [TensorSource], message: String)] = [
      (
        [TensorSource("a", .u8, [1], [1]), TensorSource("a", .u8, [1], [1])],
        "'a' is to be written twice."
      ),
      (
        [TensorSource("\u{e9}", .u8, [1], [1]), TensorSource("e\u{301}", .u8, [1], [1])],
        "'e\u{301}' is to be written twice."
      ),
      ([TensorSource("", .u8, [1], [1])], "a tensor has no name."),
      (
        [TensorSource("a\n", .u8, [1], [1])],
        #"the tensor name 'a\u000a' has a control character in it."#
      ),
      (
        [TensorSource("__metadata__", .u8, [1], [1])],
        "a tensor cannot be called '__metadata__'."
      ),
      ([TensorSource("a", .u8, [-1], [])], "'a' has shape [-1], with a dimension below 0."),
      (
        [TensorSource("a", .f32, [1 << 32, 1 << 32], [])],
        "'a' has shape [4294967296, 4294967296], which is more than any file can hold."
      ),
      (
        [TensorSource("a", .f4, [3], [1])],
        "'a' is F4 of shape [3], which does not fill whole bytes."
      ),
      (
        [TensorSource("a", .f32, [2], [1, 2, 3, 4])],
        "'a' gave 4 of its 8 bytes to write."
      ),
      (
        [TensorSource("a", .f32, [1], [1, 2, 3, 4, 5])],
        "'a' gave more than its 4 bytes to write."
      ),
      (
        (0..<20).map { TensorSource("a\($0)", .u8, [1 << 59], []) },
        "the tensors have more bytes than any file can hold."
      ),
    ]
    for (tensors, message) in cases {
      XCTAssertThrowsError(try SafetensorsFile.write(tensors, to: folder.file("x"))) {
        XCTAssertEqual("\($0)", folder.file("x") + ": " + message)
      }
    }
    XCTAssertThrowsError(
      try SafetensorsFile.write(
        [TensorSource("a", .u8, [9]) { _ in throw Stop() }], to: folder.file("x"))
    ) { XCTAssertTrue($0 is Stop) }
    XCTAssertThrowsError(try SafetensorsFile.write([], to: folder.file("none/x"))) {
      XCTAssertEqual(
        "\($0)",
        folder.file("none/x") + ": there is no folder '\(folder.file("none/"))' to write it in. "
          + "Make it.")
    }
    XCTAssertEqual(folder.bytes("x"), [1], "what was there is untouched")
    XCTAssertEqual(folder.names(), ["x"])
  }

  func testAFileIsWrittenOverItself() throws {
    let folder = try TemporaryFolder()
    let bytes = numbers(9000)
    try SafetensorsFile.write([TensorSource("a", .u8, [9000], bytes)], to: folder.file("x"))
    let file = try SafetensorsFile(at: folder.file("x"))
    let old = try XCTUnwrap(file["a"])
    try SafetensorsFile.write(
      [TensorSource(old), TensorSource("b", .u8, [1], [1])], to: folder.file("x"))
    XCTAssertEqual(old.withUnsafeBytes { Array($0) }, bytes)
    let new = try SafetensorsFile(at: folder.file("x"))
    XCTAssertEqual(new.tensorNames, ["a", "b"])
    XCTAssertEqual(new["a"]?.withUnsafeBytes { Array($0) }, bytes)
  }

  // MARK: Folders

  /// The index that `save_pretrained` of transformers 4 wrote for the same tensors and shard size.
  private let index = """
    {
      "metadata": {
        "total_size": 34
      },
      "weight_map": {
        "a": "model-00002-of-00004.safetensors",
        "b": "model-00002-of-00004.safetensors",
        "big": "model-00001-of-00004.safetensors",
        "c": "model-00003-of-00004.safetensors",
        "d": "model-00004-of-00004.safetensors"
      }
    }

    """

  private var tensors: [TensorSource] {
    [("a", 5), ("big", 11), ("b", 3), ("c", 8), ("d", 7)].map {
      TensorSource($0.0, .u8, [$0.1], numbers($0.1, from: $0.1))
    }
  }

  func testShards() throws {
    let folder = try TemporaryFolder()
    try TensorFolder.write(tensors, to: folder.path, maximumShardBytes: 10)
    XCTAssertEqual(
      folder.names(),
      (1...4).map { "model-0000\($0)-of-00004.safetensors" } + ["model.safetensors.index.json"])
    XCTAssertEqual(
      folder.bytes("model.safetensors.index.json").map { String(decoding: $0, as: UTF8.self) },
      index)
    let model = try TensorFolder(at: folder.path)
    XCTAssertEqual(model.tensorNames, ["big", "a", "b", "c", "d"])
    XCTAssertEqual(model.files.map(\.metadata), Array(repeating: ["format": "pt"], count: 4))
    for tensor in tensors {
      var expected: [UInt8] = []
      try tensor.write { expected += Array($0) }
      XCTAssertEqual(model[tensor.name]?.withUnsafeBytes { Array($0) }, expected)
    }
  }

  func testOneFileIsEnough() throws {
    for size in [34, 1000] {
      let folder = try TemporaryFolder()
      try TensorFolder.write(tensors, to: folder.path, maximumShardBytes: size)
      XCTAssertEqual(folder.names(), ["model.safetensors"])
      XCTAssertEqual(
        try TensorFolder(at: folder.path).tensorNames, ["a", "b", "big", "c", "d"])
    }
    let folder = try TemporaryFolder()
    try TensorFolder.write([], to: folder.path)
    XCTAssertEqual(try TensorFolder(at: folder.path).tensorNames, [])
  }

  func testAFolderThatAppearsWhole() throws {
    let folder = try TemporaryFolder()
    for shardBytes in [10, 1000] {
      var output = try AtomicFolder(
        at: folder.file("out"), replacing: { $0.contains(".safetensors") || $0 == "config.json" })
      try TensorFolder.write(
        tensors, to: output.partialPath, maximumShardBytes: shardBytes)
      try output.write(Data("{}".utf8), as: "config.json")
      try output.commit()
      XCTAssertEqual(folder.names(), ["out"])
      XCTAssertEqual(try TensorFolder(at: folder.file("out")).tensorNames.count, 5)
    }
    XCTAssertEqual(folder.names("out"), ["config.json", "model.safetensors"])
  }

  func testFoldersThatAreNotWrittenTo() throws {
    let folder = try TemporaryFolder()
    XCTAssertThrowsError(try TensorFolder.write(tensors, to: folder.file("none"))) {
      XCTAssertEqual("\($0)", folder.file("none") + ": there is no such file or folder.")
    }
    let name = "model-00001-of-00002.safetensors"
    try folder.write([1], as: name)
    XCTAssertThrowsError(try TensorFolder.write(tensors, to: folder.path)) {
      XCTAssertEqual(
        "\($0)",
        folder.path + ": '\(name)' is in it already. Write the model into a new folder.")
    }
    let empty = try TemporaryFolder()
    XCTAssertThrowsError(
      try TensorFolder.write(
        tensors + tensors.prefix(1), to: empty.path, maximumShardBytes: 10)
    ) {
      XCTAssertEqual("\($0)", empty.path + ": 'a' is to be written twice.")
    }
    XCTAssertEqual(empty.names(), [])
  }
}
