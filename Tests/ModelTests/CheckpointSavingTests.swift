import Foundation
import Models
import Safetensors
import Tensors
import XCTest

@testable import Storage

final class CheckpointSavingTests: XCTestCase {
  // MARK: - Round trips

  func testFloat32KeepsBits() throws {
    for model in try TinyModel.all() {
      let first = try ModelFolder(model)
      // What a conversion might lose.
      let odd: [Float] = [
        -0.0, .leastNonzeroMagnitude, -.leastNormalMagnitude, .greatestFiniteMagnitude, 1.0000001,
      ]
      for (index, value) in odd.enumerated() {
        first.decoder.parameters[0].value.elements[index] = value
      }
      try Checkpoint.save(
        first.decoder, to: first.folder.file("again"), options: .init(dtype: .float32))
      let loaded = try Checkpoint(at: first.folder.file("again")).decoder(precision: .float32)
      assertSameParameters(loaded, first.decoder, model.name)

      try Checkpoint.save(
        loaded, to: first.folder.file("third"), options: .init(dtype: .float32))
      for name in ["config.json", "model.safetensors"] {
        XCTAssertEqual(
          try first.folder.data("again/" + name), try first.folder.data("third/" + name),
          "\(model.name): \(name)")
      }
      XCTAssertEqual(first.folder.names("third"), ["config.json", "model.safetensors"])
    }
  }

  func testBFloat16RoundsToNearestEven() throws {
    for model in try TinyModel.all() {
      let first = try ModelFolder(model)
      let embedding = first.decoder.parameters[0].value
      // Ties between two bfloat16, one bit above and below them, and the ends of the range.
      var special: [UInt32] = [
        0x3f80_8000, 0x3f81_8000, 0x3f80_8001, 0x3f80_7fff, 0xbf80_8000, 0xbf81_8000, 0x0000_8000,
        0x0001_8000, 0x0000_0001, 0x8000_0000, 0x7f7f_7fff, 0x3fff_8000, 0x3fff_ffff,
      ]
      for (index, bits) in special.enumerated() {
        embedding.elements[index] = Float(bitPattern: bits)
      }
      special =
        [0x3f80, 0x3f82, 0x3f81, 0x3f80, 0xbf80, 0xbf82, 0, 2, 0, 0x8000, 0x7f7f, 0x4000]
        + [0x4000]
      let path = first.folder.file("rounded")
      try Checkpoint.save(first.decoder, to: path, options: .init(dtype: .bfloat16))
      let checkpoint = try Checkpoint(at: path)
      XCTAssertEqual(checkpoint.dtypes, [.bf16])
      XCTAssertEqual(checkpoint.configuration.dtype, .bfloat16)
      XCTAssertEqual(
        checkpoint.byteCount, 2 * first.decoder.parameters.reduce(0) { $0 + $1.count })
      let loaded = try checkpoint.decoder(precision: .float32)
      XCTAssertEqual(
        loaded.parameters[0].value.elements.prefix(13).map(\.bitPattern), special.map { $0 << 16 })
      for (parameter, original) in zip(loaded.parameters, first.decoder.parameters) {
        assertSame(
          parameter.value.elements, original.value.elements.map(rounded),
          "\(model.name) \(parameter.name)")
      }
      // What is rounded already stays.
      try Checkpoint.save(
        loaded, to: first.folder.file("again"), options: .init(dtype: .bfloat16))
      XCTAssertEqual(
        try first.folder.data("again/model.safetensors"),
        try first.folder.data("rounded/model.safetensors"))
    }
  }

  /// The nearer of the two bfloat16 around a number; of two equally near, the even one.
  private func rounded(_ value: Float) -> Float {
    let below = Float(bitPattern: value.bitPattern & 0xffff_0000)
    let above = Float(bitPattern: below.bitPattern + 0x1_0000)
    let (down, up) = (
      abs(Double(value) - Double(below)), abs(Double(above) - Double(value))
    )
    if down == up { return below.bitPattern >> 16 & 1 == 0 ? below : above }
    return down < up ? below : above
  }

  /// Parts of 65,536 elements are written one after the other.
  func testLargeTensors() throws {
    let sizes = TinyModel.Sizes(vocabulary: 1987, hidden: 67, intermediate: 5, layers: 1)
    let model = try ModelFolder(TinyModel.all(sizes)[1])
    for dtype in [ModelConfiguration.Dtype.float32, .bfloat16] {
      let path = model.folder.file("\(dtype)")
      try Checkpoint.save(model.decoder, to: path, options: .init(dtype: dtype))
      let loaded = try Checkpoint(at: path).decoder(precision: .float32)
      for (a, b) in zip(loaded.parameters, model.decoder.parameters) {
        let expected = dtype == .float32 ? Array(b.value.elements) : b.value.elements.map(rounded)
        assertSame(a.value.elements, expected, "\(dtype) \(a.name)")
      }
    }
  }

  func testFloat16IsRefused() throws {
    let model = try ModelFolder(TinyModel.all()[0])
    assertRefused(
      "FOLDER/half: weights are written as float32 or bfloat16; float16 would overflow.",
      in: model.path
    ) {
      try Checkpoint.save(
        model.decoder, to: model.folder.file("half"), options: .init(dtype: .float16))
    }
    XCTAssertEqual(model.folder.names(), ["config.json", "model.safetensors"])
  }

  /// All keys of the file that was read come back, also those that are not understood.
  func testConfigurationIsKept() throws {
    let model = try ModelFolder(TinyModel.all()[2])
    try model.configure("my_key", .array([.null, .string("é"), .number(JSONNumber(text: "1e-5"))]))
    try model.configure("torch_dtype", .string("float16"))
    try model.configure("bos_token_id", .number(JSONNumber(3)))
    let checkpoint = try Checkpoint(at: model.path)
    try Checkpoint.save(
      try checkpoint.decoder(precision: .float32), to: model.folder.file("saved"),
      options: .init(dtype: .bfloat16))
    let saved = try Checkpoint(at: model.folder.file("saved")).configuration
    XCTAssertEqual(saved.json.members.map(\.key), checkpoint.configuration.json.members.map(\.key))
    for (key, value) in checkpoint.configuration.json.members {
      XCTAssertEqual(saved.json[key], key == "torch_dtype" ? .string("bfloat16") : value, key)
    }
  }

  func testTiedHeadIsNotStored() throws {
    for model in try TinyModel.all() {
      let folder = try ModelFolder(model)
      XCTAssertEqual(
        Set(try folder.tensors().map(\.name)), Set(model.configuration.parameters.map(\.name)))
      XCTAssertEqual(
        try folder.tensors().contains { $0.name == "lm_head.weight" },
        !model.configuration.tieWordEmbeddings)
    }
  }

  // MARK: - Shards

  func testShards() throws {
    for model in try TinyModel.families() {
      let first = try ModelFolder(model)
      for dtype in [ModelConfiguration.Dtype.float32, .bfloat16] {
        let path = first.folder.file("\(dtype)")
        let limit = 4000 * dtype.bytes
        try Checkpoint.save(
          first.decoder, to: path, options: .init(dtype: dtype, maximumShardBytes: limit))
        let names = first.folder.names("\(dtype)")
        let count = names.count - 2
        XCTAssertGreaterThan(count, 2)
        XCTAssertEqual(
          names,
          ["config.json"]
            + (1...count).map { "model-0000\($0)-of-0000\(count).safetensors" }
            + ["model.safetensors.index.json"])
        let checkpoint = try Checkpoint(at: path)
        XCTAssertEqual(checkpoint.tensors.files.count, count)
        for file in checkpoint.tensors.files {
          let bytes = file.tensors.reduce(0) { $0 + $1.byteCount }
          XCTAssertTrue(bytes <= limit || file.tensors.count == 1, "\(file.path): \(bytes)")
        }
        let loaded = try checkpoint.decoder(precision: .float32)
        for (a, b) in zip(loaded.parameters, first.decoder.parameters) {
          let expected = dtype == .float32 ? Array(b.value.elements) : b.value.elements.map(rounded)
          assertSame(a.value.elements, expected, "\(model.name) \(dtype) \(a.name)")
        }
      }
      // One tensor a file, from a limit that none fits in.
      try Checkpoint.save(
        first.decoder, to: first.folder.file("each"),
        options: .init(dtype: .float32, maximumShardBytes: 1))
      let each = try Checkpoint(at: first.folder.file("each"))
      XCTAssertEqual(each.tensors.files.count, model.configuration.parameters.count)
      assertSameParameters(try each.decoder(precision: .float32), first.decoder, "each")
    }
  }

  func testShardMissing() throws {
    let model = try ModelFolder(TinyModel.all()[1])
    let path = model.folder.file("shards")
    try Checkpoint.save(
      model.decoder, to: path, options: .init(dtype: .float32, maximumShardBytes: 16000))
    let shard = try XCTUnwrap(model.folder.names("shards").dropFirst(2).first)
    try FileManager.default.removeItem(atPath: path + "/" + shard)
    assertRefused(
      "FOLDER/shards/model.safetensors.index.json: its shard '\(shard)' is not in the folder. "
        + "Fetch the whole model again.", in: model.path
    ) { _ = try Checkpoint(at: path) }
  }

  /// Shards are exchanged for one file and back; none of the older ones stays.
  func testReplacingShards() throws {
    let model = try ModelFolder(TinyModel.all()[1])
    let path = model.folder.file("out")
    var names: [[String]] = []
    for limit in [16000, 5_000_000_000, 9000, 16000] {
      try Checkpoint.save(
        model.decoder, to: path,
        options: .init(dtype: .float32, maximumShardBytes: limit, replacing: true))
      assertSameParameters(
        try Checkpoint(at: path).decoder(precision: .float32), model.decoder, "\(limit)")
      names.append(model.folder.names("out"))
    }
    XCTAssertEqual(names[1], ["config.json", "model.safetensors"])
    XCTAssertEqual(names[0], names[3])
    XCTAssertNotEqual(names[2], names[3])
    XCTAssertEqual(model.folder.names(), ["config.json", "model.safetensors", "out"])
  }

  // MARK: - Places

  private let carried = [
    "LICENSE", "LICENSE.txt", "NOTICE", "added_tokens.json", "chat_template.jinja",
    "chat_template.json", "generation_config.json", "license.md", "merges.txt",
    "special_tokens_map.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json",
    "vocab.json",
  ]

  func testCarriedFiles() throws {
    let model = try ModelFolder(TinyModel.all()[1])
    for (index, name) in carried.enumerated() {
      let bytes = Data((0..<300 * (index + 1)).map { UInt8(truncatingIfNeeded: $0 * 7 + index) })
      try bytes.write(to: URL(fileURLWithPath: model.folder.file(name)))
    }
    let left = [
      "README.md", ".gitattributes", "optimizer.pt", "training_args.bin", "modeling.py",
      "model-00001-of-00002.safetensors.old", "pytorch_model.bin", "tokenizer.json.bak",
    ]
    for name in left { try model.folder.write("x", as: name) }
    let path = model.folder.file("out")
    try Checkpoint.save(
      model.decoder, to: path, carryingFrom: model.path, options: .init(dtype: .float32))
    XCTAssertEqual(
      model.folder.names("out"), (carried + ["config.json", "model.safetensors"]).sorted())
    for name in carried {
      XCTAssertEqual(try model.folder.data("out/" + name), try model.folder.data(name), name)
    }
    for name in carried { XCTAssertTrue(Checkpoint.isCarried(name), name) }
    for name in left { XCTAssertFalse(Checkpoint.isCarried(name), name) }

    // From a checkpoint into itself.
    try Checkpoint.save(
      model.decoder, to: path, carryingFrom: path,
      options: .init(dtype: .bfloat16, replacing: true))
    for name in carried {
      XCTAssertEqual(try model.folder.data("out/" + name), try model.folder.data(name), name)
    }

    assertRefused("FOLDER/nowhere: there is no such file or folder.", in: model.path) {
      try Checkpoint.save(
        model.decoder, to: model.folder.file("other"), carryingFrom: model.folder.file("nowhere"),
        options: .init(dtype: .float32))
    }
    XCTAssertFalse(model.folder.names().contains { $0.contains("other") })
  }

  /// What looks like a licence or a tokenizer's file may be a folder, or an empty file: neither may
  /// cost a run its checkpoint.
  func testCarriedFoldersAndEmptyFiles() throws {
    let model = try ModelFolder(TinyModel.all()[1])
    try model.folder.makeFolder("LICENSES")
    try model.folder.write("text", as: "LICENSES/MIT.txt")
    try model.folder.makeFolder("additional.jinja")
    try model.folder.write("", as: "merges.txt")
    try model.folder.write("{}", as: "tokenizer.json")
    try Checkpoint.save(
      model.decoder, to: model.folder.file("out"), carryingFrom: model.path,
      options: .init(dtype: .float32))
    XCTAssertEqual(
      model.folder.names("out"),
      ["config.json", "merges.txt", "model.safetensors", "tokenizer.json"])
    XCTAssertEqual(try model.folder.data("out/merges.txt"), Data())
  }

  /// The files of a snapshot in the hub's cache are links; what is carried are files.
  func testCarriedLinks() throws {
    let model = try ModelFolder(TinyModel.all()[1])
    try model.folder.write("{}", as: "blob")
    try model.folder.makeFolder("origin")
    try model.folder.link("origin/tokenizer.json", to: "../blob")
    try Checkpoint.save(
      model.decoder, to: model.folder.file("out"), carryingFrom: model.folder.file("origin"),
      options: .init(dtype: .float32))
    let carried = model.folder.file("out/tokenizer.json")
    XCTAssertNil(try? FileManager.default.destinationOfSymbolicLink(atPath: carried))
    XCTAssertEqual(try model.folder.data("out/tokenizer.json"), Data("{}".utf8))
  }

  private func save(
    _ model: ModelFolder, to name: String, replacing: Bool = false
  ) throws {
    try Checkpoint.save(
      model.decoder, to: model.folder.file(name),
      options: .init(dtype: .float32, replacing: replacing))
  }

  func testExistingFolders() throws {
    let model = try ModelFolder(TinyModel.all()[0])
    try model.folder.makeFolder("empty")
    for replacing in [false, true] {
      try model.folder.makeFolder("empty")
      try save(model, to: "empty", replacing: replacing)
      XCTAssertEqual(model.folder.names("empty"), ["config.json", "model.safetensors"])
      try FileManager.default.removeItem(atPath: model.folder.file("empty"))
    }

    try save(model, to: "out")
    assertRefused(
      "FOLDER/out: the folder is not empty. Choose another name, or remove its files.",
      in: model.path
    ) { try save(model, to: "out") }

    let before = try model.folder.data("out/model.safetensors")
    for (name, isFolder) in [("README.md", false), ("notes", false), ("tokenizer", true)] {
      if isFolder {
        try model.folder.makeFolder("out/" + name)
      } else {
        try model.folder.write("mine", as: "out/" + name)
      }
      assertRefused(
        "FOLDER/out: '\(name)' in it would be lost, as the folder is replaced as a whole. Move that "
          + "away, or choose another folder.", in: model.path
      ) { try save(model, to: "out", replacing: true) }
      XCTAssertEqual(
        model.folder.names("out"), ["config.json", "model.safetensors", name].sorted())
      try FileManager.default.removeItem(atPath: model.folder.file("out/" + name))
    }
    // A folder with the name of an own file is not an own file.
    try model.folder.makeFolder("out/merges.txt")
    XCTAssertThrowsError(try save(model, to: "out", replacing: true))
    try FileManager.default.removeItem(atPath: model.folder.file("out/merges.txt"))
    XCTAssertEqual(try model.folder.data("out/model.safetensors"), before)

    model.decoder.parameters[0].value.elements[3] = 42
    try save(model, to: "out", replacing: true)
    XCTAssertNotEqual(try model.folder.data("out/model.safetensors"), before)
    XCTAssertEqual(model.folder.names(), ["config.json", "model.safetensors", "out"])
  }

  func testPlacesThatCannotBeWritten() throws {
    let model = try ModelFolder(TinyModel.all()[0])
    try model.folder.write("mine", as: "file")
    let there = model.folder.names()
    for replacing in [false, true] {
      for (name, words) in [
        ("file", "FOLDER/file: a file, where a folder is to be written. Remove it."),
        ("file/out", "FOLDER/file/out: a part of this path is a file, where a folder is needed."),
        (
          "no/out",
          "FOLDER/no/out: there is no folder 'FOLDER/no/' to write it in. Make it."
        ),
        (
          "out/..",
          "FOLDER/out/..: a path that does not end in the name of a file or folder."
        ),
      ] {
        assertRefused(words, in: model.path) { try save(model, to: name, replacing: replacing) }
        XCTAssertEqual(model.folder.names(), there, name)
      }
    }
    XCTAssertEqual(try model.folder.data("file"), Data("mine".utf8))
    // A user whom no permission stops is stopped by what the kernel keeps to itself.
    for path in ["/proc/checkpoint", "/sys/checkpoint"] {
      guard FileManager.default.fileExists(atPath: (path as NSString).deletingLastPathComponent)
      else { continue }
      XCTAssertThrowsError(
        try Checkpoint.save(model.decoder, to: path, options: .init(dtype: .float32))
      ) { error in
        XCTAssertTrue(error is CheckpointError)
        XCTAssertTrue("\(error)".hasPrefix(path + ": "), "\(error)")
      }
    }
  }

  func testReadOnlyFileSystem() throws {
    let model = try ModelFolder(TinyModel.all()[0])
    FileSystem.fault = { $0 == .makeFolder ? .error(EROFS) : nil }
    defer { FileSystem.fault = nil }
    assertRefused(
      "FOLDER/out: the file system is read-only. Choose another place.", in: model.path
    ) { try save(model, to: "out") }
    XCTAssertEqual(model.folder.names(), ["config.json", "model.safetensors"])
  }

  /// Every call of the operating system fails once: the folder has all of the old or all of the
  /// new, and what could not be removed beside it is removed by the next writer.
  func testEveryCallFails() throws {
    let model = try ModelFolder(TinyModel.all()[0])
    let changed = try TinyModel.all()[0].decoder(.float32, seed: 5)
    try Checkpoint.save(
      model.decoder, to: model.folder.file("older"), options: .init(dtype: .float32))
    try model.folder.write("{}", as: "older/tokenizer.json")
    let place = try TemporaryFolder()
    let path = place.file("out")
    for (hasOlder, code) in [(false, ENOSPC), (true, EIO)] {
      var call = 0
      var failures = 0
      while true {
        if hasOlder {
          try FileManager.default.copyItem(atPath: model.folder.file("older"), toPath: path)
        }
        let counter = Counter(failing: call)
        FileSystem.fault = { _ in counter.next() ? .error(code) : nil }
        defer { FileSystem.fault = nil }
        var failure: Error?
        do {
          try Checkpoint.save(
            changed, to: path, carryingFrom: model.folder.file("older"),
            options: .init(dtype: .float32, maximumShardBytes: 14000, replacing: true))
        } catch {
          failure = error
        }
        FileSystem.fault = nil
        let what = "call \(call), error \(code), older: \(hasOlder)"
        XCTAssertTrue(failure == nil || failure is CheckpointError, "\(failure as Any)")
        if failure == nil || place.names("out").contains("model.safetensors.index.json") {
          assertSameParameters(
            try Checkpoint(at: path).decoder(precision: .float32), changed, what)
        } else if hasOlder {
          assertSameParameters(
            try Checkpoint(at: path).decoder(precision: .float32), model.decoder, what)
        } else {
          XCTAssertFalse(FileManager.default.fileExists(atPath: path), what)
        }
        if failure != nil { failures += 1 }
        if place.names().contains(where: { $0.hasPrefix(".") }) {
          try Checkpoint.save(
            changed, to: path, options: .init(dtype: .float32, replacing: true))
        }
        XCTAssertTrue(place.names() == ["out"] || place.names() == [], what)
        try? FileManager.default.removeItem(atPath: path)
        if !counter.isReached { break }
        call += 1
      }
      XCTAssertGreaterThan(failures, 30)
    }
  }

  /// Counts calls; `next` is true at one of them.
  private final class Counter: @unchecked Sendable {
    private var left: Int
    var isReached: Bool { left < 0 }

    init(failing call: Int) { left = call }

    func next() -> Bool {
      left -= 1
      return left == -1
    }
  }

  /// After an error without a fault in removing, nothing at all is left.
  func testNothingPartialIsLeft() throws {
    let model = try ModelFolder(TinyModel.all()[0])
    let place = try TemporaryFolder()
    for failing in [FileSystem.Call.write, .sync, .rename] {
      let counter = Counter(failing: 1)
      FileSystem.fault = { $0 == failing && counter.next() ? .error(ENOSPC) : nil }
      defer { FileSystem.fault = nil }
      XCTAssertThrowsError(
        try Checkpoint.save(
          model.decoder, to: place.file("out"), options: .init(dtype: .float32)), "\(failing)")
      FileSystem.fault = nil
      XCTAssertEqual(place.names(), [], "\(failing)")
    }
  }

  /// The older files are exchanged, not written over: what is mapped keeps its bytes.
  func testSavingOverTheCheckpointThatIsOpen() throws {
    for dtype in [ModelConfiguration.Dtype.float32, .bfloat16] {
      let model = try ModelFolder(TinyModel.all()[2])
      let path = model.folder.file("out")
      try Checkpoint.save(model.decoder, to: path, options: .init(dtype: .float32))
      let open = try Checkpoint(at: path)
      let trained = try open.decoder(precision: .float32)
      for parameter in trained.parameters { parameter.value.scale(by: 2) }
      try Checkpoint.save(
        trained, to: path, carryingFrom: path, options: .init(dtype: dtype, replacing: true))
      assertSameParameters(
        try open.decoder(precision: .float32), model.decoder, "still open, \(dtype)")
      let new = try Checkpoint(at: path).decoder(precision: .float32)
      for (a, b) in zip(new.parameters, trained.parameters) {
        let expected = dtype == .float32 ? Array(b.value.elements) : b.value.elements.map(rounded)
        assertSame(a.value.elements, expected, "opened again, \(dtype) \(a.name)")
      }
    }
  }

  /// A link to the folder stays a link; what it leads to is replaced.
  func testSavingThroughALink() throws {
    let model = try ModelFolder(TinyModel.all()[0])
    try save(model, to: "real")
    try model.folder.link("latest", to: "real")
    model.decoder.parameters[0].value.elements[0] = 9
    try save(model, to: "latest", replacing: true)
    XCTAssertEqual(
      try FileManager.default.destinationOfSymbolicLink(atPath: model.folder.file("latest")),
      "real")
    let loaded = try Checkpoint(at: model.folder.file("real")).decoder(precision: .float32)
    assertSameParameters(loaded, model.decoder, "through a link")
  }
}
