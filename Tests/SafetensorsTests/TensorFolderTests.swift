import Foundation
import XCTest

@testable import Safetensors

final class TensorFolderTests: XCTestCase {
  private let shard1 = "model-00001-of-00002.safetensors"
  private let shard2 = "model-00002-of-00002.safetensors"

  /// A folder of two shards with the tensors a and b, and c.
  private func twoShards() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(safetensors(naming: "a", "b"), as: shard1)
    try folder.write(safetensors(naming: "c"), as: shard2)
    try folder.write(
      index(["a": shard1, "b": shard1, "c": shard2], metadata: #"{"total_size": 3}"#).utf8,
      as: "model.safetensors.index.json")
    return folder
  }

  private func index(_ owners: KeyValuePairs<String, String>, metadata: String = "{}") -> String {
    let members = owners.map { #""\#($0.key)":"\#($0.value)""# }.joined(separator: ",")
    return #"{"metadata":\#(metadata),"weight_map":{\#(members)}}"#
  }

  func testASingleFile() throws {
    let folder = try TemporaryFolder()
    try folder.write(safetensors(naming: "a", "b"), as: "model.safetensors")
    try folder.write([1], as: "pytorch_model.bin")
    for path in [folder.path, folder.path + "/", folder.path + "//"] {
      let model = try TensorFolder(at: path)
      XCTAssertEqual(model.tensorNames, ["a", "b"])
      XCTAssertEqual(model.files.map(\.path), [folder.file("model.safetensors")])
      XCTAssertEqual(model["b"]?.withUnsafeBytes { Array($0) }, [1])
      XCTAssertNil(model["c"])
    }
  }

  func testShards() throws {
    let folder = try twoShards()
    let model = try TensorFolder(at: folder.path)
    XCTAssertEqual(model.tensorNames, ["a", "b", "c"])
    XCTAssertEqual(model.files.map(\.path), [folder.file(shard1), folder.file(shard2)])
    XCTAssertEqual(model["b"]?.withUnsafeBytes { Array($0) }, [1])
    XCTAssertEqual(model["c"]?.withUnsafeBytes { Array($0) }, [0])
  }

  func testTotalSizeIsOptional() throws {
    for metadata in ["{}", #"{"total_size":3.0}"#, #"{"total_size":3,"total_parameters":3}"#] {
      let folder = try twoShards()
      try folder.write(
        index(["a": shard1, "b": shard1, "c": shard2], metadata: metadata).utf8,
        as: "model.safetensors.index.json")
      XCTAssertNoThrow(try TensorFolder(at: folder.path))
    }
    let folder = try twoShards()
    try folder.write(
      #"{"weight_map":{"a":"\#(shard1)","b":"\#(shard1)","c":"\#(shard2)"}}"#.utf8,
      as: "model.safetensors.index.json")
    XCTAssertNoThrow(try TensorFolder(at: folder.path))
  }

  // MARK: Names of shards

  func testNamesThatAreNotPlain() throws {
    let long = String(repeating: "n", count: 245) + ".safetensors"
    let names: [(written: String, found: String)] = [
      ("../x.safetensors", "../x.safetensors"),
      ("a/../../x.safetensors", "a/../../x.safetensors"),
      ("/etc/passwd", "/etc/passwd"),
      ("/x.safetensors", "/x.safetensors"),
      ("//x.safetensors", "//x.safetensors"),
      ("./x.safetensors", "./x.safetensors"),
      ("sub/x.safetensors", "sub/x.safetensors"),
      ("x.safetensors/", "x.safetensors/"),
      (#"C:\\x.safetensors"#, #"C:\x.safetensors"#),
      ("C:x.safetensors", "C:x.safetensors"),
      (#"\\..\\x.safetensors"#, #"\..\x.safetensors"#),
      ("%2e%2e/x.safetensors", "%2e%2e/x.safetensors"),
      ("%2e%2e%2fx.safetensors", "%2e%2e%2fx.safetensors"),
      (#"x\u0000.safetensors"#, #"x\u0000.safetensors"#),
      (#"x.safetensors\u0000"#, #"x.safetensors\u0000"#),
      (#"x\n.safetensors"#, #"x\u000a.safetensors"#),
      ("", ""), (".", "."), ("..", ".."),
      (".safetensors", ".safetensors"),
      (".x.safetensors", ".x.safetensors"),
      ("~.safetensors", "~.safetensors"),
      ("x y.safetensors", "x y.safetensors"),
      ("\u{e9}.safetensors", "\u{e9}.safetensors"),
      ("e\u{301}.safetensors", "e\u{301}.safetensors"),
      ("\u{212a}.safetensors", "\u{212a}.safetensors"),
      ("model.bin", "model.bin"),
      ("x.SAFETENSORS", "x.SAFETENSORS"),
      (long, String(long.prefix(100)) + "…"),
    ]
    for (written, found) in names {
      let folder = try twoShards()
      try assertRefused(
        folder, index: index(["a": shard1, "b": written]),
        "'b' is to be in '\(found)', which is not the plain name of a '.safetensors' file "
          + "in this folder.")
    }
    for value in ["1", "null", "[]", "{}"] {
      let folder = try twoShards()
      try assertRefused(
        folder, index: #"{"weight_map":{"b":\#(value)}}"#,
        "'b' is to be in what is no string, which is not the plain name of a '.safetensors' file "
          + "in this folder.")
    }
    let folder = try twoShards()
    let longest = String(repeating: "n", count: 243) + ".safetensors"
    try assertRefused(
      folder, index: index(["a": longest]),
      "its shard '\(longest)' is not in the folder. Fetch the whole model again.")
  }

  // MARK: The index and the shards

  func testIndices() throws {
    let folder = try twoShards()
    let cases: [(index: String, message: String)] = [
      (
        index(["a": shard1, "b": shard1, "c": "Model-00001-of-00002.safetensors"]),
        "'Model-00001-of-00002.safetensors' and '\(shard1)' differ only in case."
      ),
      (
        index(["a": shard1, "c": "model-00003-of-00003.safetensors"]),
        "its shard 'model-00003-of-00003.safetensors' is not in the folder. "
          + "Fetch the whole model again."
      ),
      (
        index(["a": shard1, "b": shard1, "c": shard2], metadata: #"{"total_size":4}"#),
        "'total_size' is 4, but the tensors have 3 bytes. "
          + "Fetch the whole model again, or correct it."
      ),
      (
        index(["a": shard1], metadata: #"{"total_size":"3"}"#),
        "'total_size' is not a whole number."
      ),
      (
        index(["a": shard1], metadata: #"{"total_size":2.5}"#),
        "'total_size' is not a whole number."
      ),
      (
        index(["a": shard1], metadata: #"{"total_size":-3}"#),
        "'total_size' is not a whole number."
      ),
      (
        index(["a": shard1], metadata: #"{"total_size":1e30}"#),
        "'total_size' is not a whole number."
      ),
      (index(["a": shard1], metadata: "[]"), "'metadata' is not an object."),
      (index([:]), "'weight_map' has no tensors."),
      ("{}", "it has no object 'weight_map' with the file of each tensor."),
      ("[]", "it has no object 'weight_map' with the file of each tensor."),
      (#"{"weight_map":[]}"#, "it has no object 'weight_map' with the file of each tensor."),
      (index(["": shard1]), "a tensor has no name."),
      (
        index([#"a\u0007"#: shard1]),
        #"the tensor name 'a\u0007' has a control character in it."#
      ),
      (index(["__metadata__": shard1]), "a tensor cannot be called '__metadata__'."),
      (
        index(["\u{e9}": shard1, "e\u{301}": shard1]),
        "'e\u{301}' is there twice, in two normal forms of Unicode."
      ),
    ]
    for (index, message) in cases { try assertRefused(folder, index: index, message) }
    try assertRefused(
      folder, index: index(["a": shard1, "a": shard1]),
      at: "model.safetensors.index.json:1:69",
      "key 'a' a second time in one object. Keep one of them.")
    try assertRefused(
      folder, index: "{\n},", at: "model.safetensors.index.json:2:2",
      "',' after the end of the JSON value.")
    try assertRefused(folder, index: "", "the file is empty.")
  }

  func testShardsThatDoNotMatchTheIndex() throws {
    let folder = try twoShards()
    try assertRefused(
      folder, index: index(["a": shard1, "b": shard1, "d": shard1, "c": shard2]), at: shard1,
      "'d' is by the index in this file, but is not. Fetch the whole model again.")
    try assertRefused(
      folder, index: index(["a": shard1, "c": shard2]), at: shard1,
      "'b' is in this file, but not in the index.")
    try assertRefused(
      folder, index: index(["a": shard1, "b": shard2, "c": shard2]), at: shard1,
      "'b' is in this file, but by the index in '\(shard2)'.")
    try folder.write(safetensors(naming: "c", "a"), as: shard2)
    try assertRefused(
      folder, index: index(["a": shard1, "b": shard1, "c": shard2]), at: shard2,
      "'a' is in this file, but by the index in '\(shard1)'.")
    try folder.write(safetensors(naming: "e\u{301}"), as: shard2)
    try assertRefused(
      folder, index: index(["a": shard1, "b": shard1, "\u{e9}": shard2]), at: shard2,
      "'\u{e9}' is by the index in this file, but is not. Fetch the whole model again.")
    try folder.write(safetensors("{}", length: 9), as: shard2)
    try assertRefused(
      folder, index: index(["a": shard1, "b": shard1, "c": shard2]), at: shard2,
      "its header is to have 9 bytes, but only 2 follow. "
        + "The file is cut off or damaged; fetch it again.")
  }

  // MARK: What the names lead to

  func testLinksAndWhatIsNotAFile() throws {
    let out =
      "a link out of the folder. Copy the file into it, or give the folder that the file is in."
    let outside = try TemporaryFolder()
    try outside.write(safetensors(naming: "c"), as: "c.safetensors")
    let cases: [(name: String, link: String?, message: String)] = [
      (shard2, outside.file("c.safetensors"), out),
      (shard2, "../" + (outside.path as NSString).lastPathComponent + "/c.safetensors", out),
      (shard2, "/dev/zero", out),
      (shard2, "/etc/passwd", out),
      (shard2, outside.path, out),
      (shard2, "nowhere", "there is no such file or folder."),
      (shard2, shard2, "symbolic links that lead in a circle, or one where none may be."),
      (shard2, ".", out),
      (shard2, "sub", "a folder, where a file is needed."),
      ("model.safetensors.index.json", outside.file("c.safetensors"), out),
      (shard2, nil, "a pipe, socket or device, where a file is needed."),
    ]
    for (name, link, message) in cases {
      let folder = try twoShards()
      try folder.makeFolder("sub")
      try FileManager.default.removeItem(atPath: folder.file(name))
      if let link {
        try folder.link(name, to: link)
      } else {
        XCTAssertEqual(mkfifo(folder.file(name), 0o600), 0)
      }
      assertRefused(folder.path, at: folder.file(name), message)
    }
    let folder = try twoShards()
    try FileManager.default.removeItem(atPath: folder.file(shard2))
    try folder.makeFolder(shard2)
    assertRefused(
      folder.path, at: folder.file(shard2), "a folder, where a file is needed.")
  }

  func testALinkInsideTheFolderAndAHardLink() throws {
    let folder = try twoShards()
    try FileManager.default.moveItem(atPath: folder.file(shard2), toPath: folder.file("real"))
    try folder.link(shard2, to: "real")
    XCTAssertEqual(try TensorFolder(at: folder.path).tensorNames, ["a", "b", "c"])
    XCTAssertEqual(unlink(folder.file(shard2)), 0)
    // A hard link is the file: there is nothing that it leads out of.
    XCTAssertEqual(link(folder.file("real"), folder.file(shard2)), 0)
    XCTAssertEqual(try TensorFolder(at: folder.path).tensorNames, ["a", "b", "c"])
  }

  func testASnapshotOfTheHubCache() throws {
    let cache = try TemporaryFolder()
    try cache.makeFolder("models--x/blobs")
    try cache.makeFolder("models--x/snapshots/rev")
    try cache.makeFolder("models--y/blobs")
    try cache.write(safetensors(naming: "a"), as: "models--x/blobs/0a1b")
    try cache.write(safetensors(naming: "a"), as: "models--y/blobs/0a1b")
    try cache.write(safetensors(naming: "a"), as: "models--x/blobs-2")
    let snapshot = "models--x/snapshots/rev"
    let file = snapshot + "/model.safetensors"
    try cache.link(file, to: "../../blobs/0a1b")
    XCTAssertEqual(try TensorFolder(at: cache.file(snapshot)).tensorNames, ["a"])
    try cache.link("model", to: snapshot)
    XCTAssertEqual(try TensorFolder(at: cache.file("model")).tensorNames, ["a"])

    for destination in ["../../../models--y/blobs/0a1b", "../../blobs-2"] {
      XCTAssertEqual(unlink(cache.file(file)), 0)
      try cache.link(file, to: destination)
      assertRefused(
        cache.file(snapshot), at: cache.file(file),
        "a link out of the folder. Copy the file into it, or give the folder that the file is in.")
    }
    // Elsewhere, a folder called blobs is nothing special.
    try cache.makeFolder("models--x/other/rev")
    try cache.link("models--x/other/rev/model.safetensors", to: "../../blobs/0a1b")
    assertRefused(
      cache.file("models--x/other/rev"),
      at: cache.file("models--x/other/rev/model.safetensors"),
      "a link out of the folder. Copy the file into it, or give the folder that the file is in.")
  }

  func testFoldersWithoutAModel() throws {
    let folder = try TemporaryFolder()
    assertRefused(folder.file("none"), "there is no such file or folder.")
    assertRefused(
      folder.path,
      "there is neither 'model.safetensors' nor 'model.safetensors.index.json' in it.")
    try folder.write([1], as: "notes.txt")
    assertRefused(
      folder.file("notes.txt"), "a part of this path is a file, where a folder is needed.")
    for name in [
      "pytorch_model.bin", "pytorch_model-00001-of-00002.bin", "consolidated.00.pth", "model.pt",
      "last.ckpt", "weights.pkl",
    ] {
      let folder = try TemporaryFolder()
      try folder.write([1], as: name)
      assertRefused(
        folder.path,
        "there is no 'model.safetensors' in it. '\(name)' is of a kind that may run code when it "
          + "is read, and is not read here; convert it to safetensors.")
    }
    try folder.write([0x80, 2, 0x63, 0, 0, 0, 0, 0, 0, 0], as: "model.safetensors")
    assertRefused(
      folder.path, at: folder.file("model.safetensors"),
      "a PyTorch pickle, which may run code when it is read. Convert it to safetensors.")
    let both = try twoShards()
    try both.write(safetensors(naming: "a"), as: "model.safetensors")
    assertRefused(
      both.path,
      "both 'model.safetensors' and 'model.safetensors.index.json' are in it. "
        + "Remove the one that is not the model's.")
  }

  // MARK: Assertions

  private func assertRefused(
    _ folder: TemporaryFolder, index: String, at name: String = "model.safetensors.index.json",
    _ message: String, line: UInt = #line
  ) throws {
    try folder.write(index.utf8, as: "model.safetensors.index.json")
    assertRefused(folder.path, at: folder.file(name), message, line: line)
  }

  private func assertRefused(
    _ folder: String, at path: String? = nil, _ message: String, line: UInt = #line
  ) {
    do throws(SafetensorsError) {
      _ = try TensorFolder(at: folder)
      XCTFail("read; expected: \(message)", line: line)
    } catch {
      XCTAssertEqual(error.description, (path ?? folder) + ": " + message, line: line)
    }
  }
}
