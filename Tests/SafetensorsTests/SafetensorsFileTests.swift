import Foundation
import XCTest

@testable import Safetensors

final class SafetensorsFileTests: XCTestCase {
  func testTensors() throws {
    let folder = try TemporaryFolder()
    // Leading white space, members in another order than the data, escapes, empty and single ones.
    let header = #"""
       {"b":{"data_offsets":[4,16],"shape":[2,3],"dtype":"BF16"},
        "a\u002eé":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
        "../c":{"dtype":"I64","shape":[3,0,5],"data_offsets":[4,4]},
        "__metadata__":{"format":"pt","k":""}}
      """# + "   \n"
    try folder.write(safetensors(header, data: 16), as: "x")
    let file = try SafetensorsFile(at: folder.file("x"))
    XCTAssertEqual(file.tensorNames, ["a.é", "../c", "b"])
    XCTAssertEqual(file.tensors.map(\.name), ["a.é", "../c", "b"])
    XCTAssertEqual(file.metadata, ["format": "pt", "k": ""])
    XCTAssertEqual(file.path, folder.file("x"))

    let b = try XCTUnwrap(file["b"])
    XCTAssertEqual(b.dtype, .bf16)
    XCTAssertEqual(b.shape, [2, 3])
    XCTAssertEqual(b.byteCount, 12)
    XCTAssertEqual(b.withUnsafeBytes { Array($0) }, Array(4..<16))
    let a = try XCTUnwrap(file["a.é"])
    XCTAssertEqual(a.shape, [])
    XCTAssertEqual(a.withUnsafeBytes { Array($0) }, [0, 1, 2, 3])
    let c = try XCTUnwrap(file["../c"])
    XCTAssertEqual(c.shape, [3, 0, 5])
    XCTAssertEqual(c.byteCount, 0)
    XCTAssertNil(file["d"])
    XCTAssertNil(file["a.e\u{301}"], "names are compared by their bytes")
  }

  func testATensorKeepsItsFileMapped() throws {
    let folder = try TemporaryFolder()
    try folder.write(safetensors(naming: "a", "b"), as: "x")
    let b = try XCTUnwrap(SafetensorsFile(at: folder.file("x"))["b"])
    XCTAssertEqual(b.withUnsafeBytes { Array($0) }, [1])
  }

  func testAFileWithoutTensors() throws {
    let folder = try TemporaryFolder()
    for header in ["{}", #"{"__metadata__":{}}"#] {
      try folder.write(safetensors(header), as: "x")
      XCTAssertEqual(try SafetensorsFile(at: folder.file("x")).tensorNames, [])
    }
  }

  func testEveryTypeHasItsSize() throws {
    let folder = try TemporaryFolder()
    let bytesOf8: [SafetensorsType: Int] = [
      .bool: 8, .f4: 4, .f6E2M3: 6, .f6E3M2: 6, .u8: 8, .i8: 8, .f8E5M2: 8, .f8E4M3: 8,
      .f8E8M0: 8, .f8E4M3FNUZ: 8, .f8E5M2FNUZ: 8, .i16: 16, .u16: 16, .f16: 16, .bf16: 16,
      .i32: 32, .u32: 32, .f32: 32, .c64: 64, .f64: 64, .i64: 64, .u64: 64,
    ]
    for dtype in SafetensorsType.allCases {
      let count = try XCTUnwrap(bytesOf8[dtype])
      try folder.write(
        safetensors(
          #"{"a":{"dtype":"\#(dtype.rawValue)","shape":[2,4],"data_offsets":[0,\#(count)]}}"#,
          data: count), as: "x")
      XCTAssertEqual(try SafetensorsFile(at: folder.file("x"))["a"]?.dtype, dtype)
    }
  }

  func testMostDimensions() throws {
    let folder = try TemporaryFolder()
    for (rank, isRead) in [(64, true), (65, false)] {
      let shape = Array(repeating: "1", count: rank).joined(separator: ",")
      try folder.write(
        safetensors(#"{"a":{"dtype":"U8","shape":[\#(shape)],"data_offsets":[0,1]}}"#, data: 1),
        as: "x")
      XCTAssertEqual((try? SafetensorsFile(at: folder.file("x"))) != nil, isRead)
    }
  }

  func testAMillionEmptyTensors() throws {
    let members = (0..<1_000_000).map {
      #""t\#($0)":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}"#
    }
    let folder = try TemporaryFolder()
    try folder.write(safetensors("{" + members.joined(separator: ",") + "}"), as: "x")
    let file = try SafetensorsFile(at: folder.file("x"))
    XCTAssertEqual(file.tensorNames.count, 1_000_000)
    XCTAssertEqual(file["t999999"]?.shape, [0])
  }

  func testAFileThatIsCutWhileItIsRead() throws {
    let folder = try TemporaryFolder()
    try folder.write(safetensors(naming: "a", "b"), as: "x")
    let file = try SafetensorsFile(at: folder.file("x"))
    XCTAssertNoThrow(try file.checkSize())
    let size = try XCTUnwrap(folder.bytes("x")).count
    XCTAssertEqual(truncate(folder.file("x"), 3), 0)
    XCTAssertThrowsError(try file.checkSize()) {
      XCTAssertEqual(
        "\($0)",
        folder.file("x") + ": the file was cut from \(size) to 3 bytes while it was in use.")
    }
  }

  func testEveryCutOfAFileIsRefused() throws {
    let folder = try TemporaryFolder()
    let whole = safetensors(
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
        + #""b":{"dtype":"U8","shape":[5000],"data_offsets":[8,5008]}}"#, data: 5008)
    for count in Array(0..<200) + [4096, whole.count - 2, whole.count - 1] {
      try folder.write(whole.prefix(count), as: "x")
      XCTAssertThrowsError(try SafetensorsFile(at: folder.file("x")), "\(count)") {
        XCTAssertTrue($0 is SafetensorsError)
      }
    }
    try folder.write(whole, as: "x")
    XCTAssertNoThrow(try SafetensorsFile(at: folder.file("x")))
    try folder.write(whole + [0], as: "x")
    XCTAssertThrowsError(try SafetensorsFile(at: folder.file("x")))
  }
}
