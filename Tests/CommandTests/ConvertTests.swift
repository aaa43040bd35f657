import Foundation
import Models
import Safetensors
import Tensors
import XCTest

@testable import Commands

final class ConvertTests: XCTestCase {
  private let source = fixtures + "/parity/qwen2-tied"

  /// Checks that two folders hold the same files, byte for byte.
  private func assertSame(
    _ folder: TemporaryFolder, _ a: String, _ b: String, file: StaticString = #filePath,
    line: UInt = #line
  ) {
    XCTAssertEqual(folder.names(a), folder.names(b), file: file, line: line)
    XCTAssertFalse(folder.names(a).isEmpty, file: file, line: line)
    for name in folder.names(a) {
      XCTAssertTrue(
        folder.bytes(a + "/" + name) == folder.bytes(b + "/" + name), name, file: file, line: line)
    }
  }

  func testSameBytesAsSavingADecoder() throws {
    for model in ["qwen2-tied", "llama3-untied", "qwen3-headdim"] {
      for dtype in StoredType.allCases {
        let folder = try TemporaryFolder()
        let source = fixtures + "/parity/" + model
        let decoder = try Checkpoint(at: source).decoder(precision: .float32)
        try Checkpoint.save(
          decoder, to: folder.file("saved"), carryingFrom: source,
          options: .init(dtype: dtype.dtype, maximumShardBytes: 8000))
        let run = distill(
          "convert", source, folder.file("converted"), "--dtype", dtype.rawValue, "--shard-size",
          "8KB")
        XCTAssertEqual(run.errors, "")
        XCTAssertGreaterThan(folder.names("converted").count, 4, "shards")
        assertSame(folder, "saved", "converted")
        XCTAssertEqual(folder.names(), ["converted", "saved"])
      }
    }
  }

  func testWeightsAreRoundedToBFloat16() throws {
    let folder = try TemporaryFolder()
    let output = folder.file("out")
    assertPrints(
      distill("convert", source, output, "--dtype", "bfloat16"),
      "\(output): 9,776 (9.78 k) parameters as bfloat16, 21.6 KiB in 1 file.")
    let before = try SafetensorsFile(at: source + "/model.safetensors")
    let after = try SafetensorsFile(at: output + "/model.safetensors")
    XCTAssertEqual(Set(before.tensorNames), Set(after.tensorNames))
    var compared = 0
    for tensor in before.tensors {
      let converted = try XCTUnwrap(after[tensor.name])
      XCTAssertEqual(converted.dtype, .bf16)
      XCTAssertEqual(converted.shape, tensor.shape)
      XCTAssertEqual(
        words(converted), floats(tensor).map { BFloat16($0).bitPattern }, tensor.name)
      compared += converted.byteCount / 2
    }
    XCTAssertEqual(compared, 9776)
    XCTAssertEqual(try Checkpoint.readConfiguration(in: output).dtype, .bfloat16)
    XCTAssertTrue(
      distill("inspect", output).output.contains("\nStored as           bfloat16, 21.6 KiB in 1"))

    // Wider again, every value is the one that was stored.
    XCTAssertEqual(distill("convert", output, folder.file("wide"), "--dtype", "float32").status, 0)
    let wide = try SafetensorsFile(at: folder.file("wide/model.safetensors"))
    for tensor in after.tensors {
      let values = floats(try XCTUnwrap(wide[tensor.name])).map(\.bitPattern)
      XCTAssertEqual(values, words(tensor).map { UInt32($0) << 16 }, tensor.name)
    }
  }

  func testTypeIsKeptWhereItCanBe() throws {
    let folder = try TemporaryFolder()
    func type(_ stored: SafetensorsType, of name: String) throws -> SafetensorsType? {
      try folder.copyModel("qwen2-tied", as: name)
      try folder.rewrite(name) { tensor in
        let zeros = [UInt8](repeating: 0, count: tensor.byteCount / 4 * stored.bitCount / 8)
        return [TensorSource(tensor.name, stored, tensor.shape, zeros)]
      }
      XCTAssertEqual(distill("convert", folder.file(name), folder.file(name + "-out")).status, 0)
      return try SafetensorsFile(at: folder.file(name + "-out/model.safetensors")).tensors.first?
        .dtype
    }
    XCTAssertEqual(try type(.f32, of: "a"), .f32)
    XCTAssertEqual(try type(.bf16, of: "b"), .bf16)
    XCTAssertEqual(try type(.f16, of: "c"), .f32)
  }

  func testFloat16IsReadExactly() throws {
    let folder = try TemporaryFolder()
    try folder.copyModel("qwen2-tied", as: "model")
    // 1, -2, the largest, the smallest subnormal, 1/3 rounded.
    let halves: [UInt16] = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555]
    let expected: [Float] = [1, -2, 65504, 0x1p-24, 0.333251953125]
    try folder.rewrite("model") { tensor in
      let count = tensor.byteCount / 4
      let bytes = (0..<count).flatMap { index -> [UInt8] in
        let half = halves[index % halves.count]
        return [UInt8(half & 0xff), UInt8(half >> 8)]
      }
      return [TensorSource(tensor.name, .f16, tensor.shape, bytes)]
    }
    XCTAssertEqual(distill("convert", folder.file("model"), folder.file("out")).status, 0)
    for tensor in try SafetensorsFile(at: folder.file("out/model.safetensors")).tensors {
      let values = floats(tensor)
      XCTAssertEqual(values, values.indices.map { expected[$0 % expected.count] }, tensor.name)
    }
  }

  func testEdits() throws {
    let folder = try TemporaryFolder()
    let output = folder.file("out")
    assertPrints(
      distill(
        "convert", source, output, "--rope-theta", "1e4", "--positions", "131072", "--untie"),
      "\(output): 11,240 (11.2 k) parameters as float32, 46.5 KiB in 1 file.")
    let checkpoint = try Checkpoint(at: output)
    XCTAssertEqual(checkpoint.configuration.rope.ropeTheta, 10000)
    XCTAssertEqual(checkpoint.configuration.maxPositionEmbeddings, 131_072)
    XCTAssertFalse(checkpoint.configuration.tieWordEmbeddings)
    let before = try SafetensorsFile(at: source + "/model.safetensors")
    let embedding = floats(try XCTUnwrap(before["model.embed_tokens.weight"]))
    for name in ["lm_head.weight", "model.embed_tokens.weight"] {
      XCTAssertEqual(floats(try XCTUnwrap(checkpoint.tensors[name])), embedding, name)
    }
    for tensor in before.tensors {
      XCTAssertEqual(floats(try XCTUnwrap(checkpoint.tensors[tensor.name])), floats(tensor))
    }
    XCTAssertEqual(
      try XCTUnwrap(before.tensors.count) + 1, checkpoint.tensors.tensorNames.count)
  }

  func testEmbeddingStoredAsTheHead() throws {
    let folder = try TemporaryFolder()
    try folder.copyModel("qwen2-tied", as: "model")
    let embedding = floats(
      try XCTUnwrap(
        try SafetensorsFile(at: source + "/model.safetensors")["model.embed_tokens.weight"]))
    try folder.rewrite("model") { tensor in
      let bytes = tensor.withUnsafeBytes(Array.init)
      let name = tensor.name == "model.embed_tokens.weight" ? "lm_head.weight" : tensor.name
      return [TensorSource(name, tensor.dtype, tensor.shape, bytes)]
    }
    let run = distill("convert", folder.file("model"), folder.file("out"))
    XCTAssertEqual(
      run.errors,
      "Note: \(folder.file("model")): the embedding is stored as 'lm_head.weight', which it is "
        + "tied to.\n")
    XCTAssertEqual(run.status, 0)
    let written = try SafetensorsFile(at: folder.file("out/model.safetensors"))
    XCTAssertEqual(floats(try XCTUnwrap(written["model.embed_tokens.weight"])), embedding)
    XCTAssertNil(written["lm_head.weight"])
  }

  func testCarriesFilesAlong() throws {
    let folder = try TemporaryFolder()
    try folder.copyModel("qwen2-tied", as: "model")
    for name in ["tokenizer.json", "LICENSE", "chat_template.jinja", "README.md"] {
      try folder.write("this is \(name)", as: "model/" + name)
    }
    let output = folder.file("out")
    assertPrints(
      distill("convert", folder.file("model"), output),
      """
      \(output): 9,776 (9.78 k) parameters as float32, 40.7 KiB in 1 file.
      Carried along: LICENSE, chat_template.jinja and tokenizer.json.
      """)
    XCTAssertEqual(
      folder.names("out"),
      ["LICENSE", "chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json"])
    for name in ["tokenizer.json", "LICENSE", "chat_template.jinja"] {
      XCTAssertEqual(folder.bytes("out/" + name), Array("this is \(name)".utf8))
    }
  }

  // MARK: - Refusals

  func testReplacing() throws {
    let folder = try TemporaryFolder()
    let output = folder.file("out")
    XCTAssertEqual(distill("convert", source, output).status, 0)
    let first = try XCTUnwrap(folder.bytes("out/model.safetensors"))
    assertFails(
      distill("convert", source, output, "--dtype", "bfloat16"),
      "\(output): the folder is not empty. Choose another name, or add '--replace'.")
    XCTAssertEqual(folder.bytes("out/model.safetensors"), first)

    XCTAssertEqual(
      distill(
        "convert", source, output, "--dtype", "bfloat16", "--shard-size", "5000B", "--replace"
      )
      .status, 0)
    XCTAssertFalse(folder.names("out").contains("model.safetensors"))
    XCTAssertEqual(distill("convert", source, output, "--replace").status, 0)
    XCTAssertEqual(folder.names("out"), ["config.json", "model.safetensors"])
    XCTAssertEqual(folder.bytes("out/model.safetensors"), first)

    try folder.write("", as: "out/notes.txt")
    assertFails(
      distill("convert", source, output, "--replace"),
      "\(output): 'notes.txt' in it would be lost, as the folder is replaced as a whole. "
        + "Move that away, or choose another folder.")
    XCTAssertEqual(folder.names("out"), ["config.json", "model.safetensors", "notes.txt"])
    XCTAssertEqual(folder.names(), ["out"])
  }

  func testTheFolderThatIsRead() throws {
    let folder = try TemporaryFolder()
    try folder.copyModel("qwen2-tied", as: "model")
    let path = folder.file("model")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link"), withDestinationPath: path)
    for (input, output) in [
      (path, path), (path, path + "/"), (path, folder.file("../") + "/model"),
      (path, folder.file("link")), (folder.file("link"), path),
    ] where FileManager.default.fileExists(atPath: output) {
      assertFails(
        distill("convert", input, output, "--replace"),
        "\(output): the folder that is read. Choose another one to write.")
    }
    XCTAssertEqual(folder.names("model"), ["config.json", "model.safetensors"])
  }

  func testWrongPlaces() throws {
    let folder = try TemporaryFolder()
    let missing = folder.file("missing")
    assertFails(
      distill("convert", missing, folder.file("out")), "\(missing): there is no such folder.")
    assertFails(
      distill("convert", source + "/config.json", folder.file("out")),
      "\(source)/config.json: a file. Give the folder that it is in.")
    assertFails(
      distill("convert", source, missing + "/out"),
      "\(missing)/out: there is no folder '\(missing)/' to write it in. Make it.")
    try folder.write("", as: "file")
    assertFails(
      distill("convert", source, folder.file("file")),
      "\(folder.file("file")): a file, where a folder is to be written. Remove it.")
    XCTAssertEqual(folder.names(), ["file"])
  }

  /// Foundation's `deletingLastPathComponent` traps on a path of one letter.
  func testFolderOfAPath() {
    for (path, parent) in [
      ("a", "."), ("a/", "."), ("a/b", "a/"), ("a/b//", "a/"), ("/a", "/"), ("../x", "../"),
      ("", "."), ("/", "."), ("/aa/bb/cc", "/aa/bb/"),
    ] {
      XCTAssertEqual(folder(of: path), parent, path)
    }
  }

  func testSpace() throws {
    XCTAssertEqual(
      spaceError(at: "out", needed: 3 << 30, free: 1 << 20)?.description,
      "out: 3.0 GiB are to be written, but 1.0 MiB are free on that disk. Free some, or choose "
        + "another place.")
    XCTAssertNil(spaceError(at: "out", needed: 10, free: 10))
    XCTAssertNil(spaceError(at: "out", needed: 10, free: nil))
    XCTAssertNil(freeBytes(inFolder: "/no such folder"))
    let folder = try TemporaryFolder()
    XCTAssertGreaterThan(try XCTUnwrap(freeBytes(inFolder: folder.path)), 1 << 20)
  }

  func testValuesThatCannotBeWritten() throws {
    for (value, dtype, words) in [
      (
        Float.nan, "float32",
        "model: 'model.layers.1.mlp.down_proj.weight' holds NaN or infinity. The checkpoint is "
          + "damaged, or its training diverged; take an earlier one."
      ),
      (
        -Float.infinity, "bfloat16",
        "model: 'model.layers.1.mlp.down_proj.weight' holds NaN or infinity. The checkpoint is "
          + "damaged, or its training diverged; take an earlier one."
      ),
      (
        -Float.greatestFiniteMagnitude, "bfloat16",
        "out: 'model.layers.1.mlp.down_proj.weight' holds a number that is too large for "
          + "bfloat16. Write it as float32."
      ),
    ] {
      let folder = try TemporaryFolder()
      try folder.copyModel("qwen2-tied", as: "model")
      try folder.rewrite("model") { tensor in
        guard tensor.name == "model.layers.1.mlp.down_proj.weight" else {
          return [TensorSource(tensor)]
        }
        var bytes = tensor.withUnsafeBytes(Array.init)
        withUnsafeBytes(of: value.bitPattern.littleEndian) {
          bytes.replaceSubrange(400..<404, with: $0)
        }
        return [TensorSource(tensor.name, tensor.dtype, tensor.shape, bytes)]
      }
      assertFails(
        distill("convert", folder.file("model"), folder.file("out"), "--dtype", dtype),
        "\(folder.path)/\(words)")
      XCTAssertEqual(folder.names(), ["model"])
    }
    // The largest that rounds down is written.
    let folder = try TemporaryFolder()
    try folder.copyModel("qwen2-tied", as: "model")
    let largest = Float(bitPattern: 0x7f7f_7fff)
    try folder.rewrite("model") { tensor in
      let bytes = (0..<tensor.byteCount).map { UInt8(largest.bitPattern >> ($0 % 4 * 8) & 0xff) }
      return [TensorSource(tensor.name, tensor.dtype, tensor.shape, bytes)]
    }
    let run = distill("convert", folder.file("model"), folder.file("out"), "--dtype", "bfloat16")
    XCTAssertEqual(run.status, 0, run.errors)
  }

  func testMisuse() {
    assertMisuse(distill("convert", "a"), "Missing argument '<output>'.")
    assertMisuse(
      distill("convert", "a", "b", "--dtype", "float16"),
      "'--dtype <type>' must be 'float32' or 'bfloat16', but was given 'float16'.")
    assertMisuse(
      distill("convert", "a", "b", "--shard-size", "5"),
      "'--shard-size <size>' must be a size such as '5GB' or '500MB', but was given '5'.")
    for value in ["1", "0.5", "-1", "1e16", "nan", "x"] {
      assertMisuse(
        distill("convert", "a", "b", "--rope-theta=" + value),
        "'--rope-theta <number>' must be a number above 1 and at most 1,000,000,000,000,000, but "
          + "was given '\(value)'.")
    }
    for value in ["0", "16777217", "1e3"] {
      assertMisuse(
        distill("convert", "a", "b", "--positions", value),
        "'--positions <count>' must be a whole number from 1 to 16777216, but was given "
          + "'\(value)'.")
    }
  }

  func testSizes() {
    for (text, bytes) in [
      ("5GB", 5_000_000_000), ("1.5 gb", 1_500_000_000), ("512MiB", 512 << 20), ("1B", 1),
      ("2TB", 2_000_000_000_000), ("3kb", 3000), ("1KiB", 1024), ("0.0000000004GiB", nil),
      ("5", nil), ("GB", nil), ("", nil), ("-1GB", nil), ("0GB", nil), ("1e3GB", nil),
      ("5 G B", nil), ("1.2.3MB", nil), ("99999999999999999999TB", nil), ("infGB", nil),
      ("٣GB", nil),
    ] as [(String, Int?)] {
      XCTAssertEqual(ByteSize(text)?.bytes, bytes, text)
    }
  }
}
