import Foundation
import XCTest

@testable import Safetensors

/// What is not read, and in which words.
final class RefusedFileTests: XCTestCase {
  func testLengths() throws {
    let cutOff = "The file is cut off or damaged; fetch it again."
    let tooLong = "and at most 100000000 are read. The file is damaged, or no safetensors file."
    try assertRefused([
      ([], "the file is empty."),
      ([1], "the file has 1 bytes, fewer than the length of a header. Fetch it again."),
      (
        [2, 0, 0, 0, 0, 0, 0],
        "the file has 7 bytes, fewer than the length of a header. Fetch it again."
      ),
      (safetensors("", length: 0), "its header has no bytes."),
      (safetensors("{}", length: 0), "its header has no bytes."),
      (
        safetensors("{}", length: 3),
        "its header is to have 3 bytes, but only 2 follow. \(cutOff)"
      ),
      (
        safetensors("", length: 100_000_000),
        "its header is to have 100000000 bytes, but only 0 follow. \(cutOff)"
      ),
      (safetensors("{}", length: 100_000_001), "its header is to have 100000001 bytes, \(tooLong)"),
      (
        safetensors("{}", length: 1 << 63),
        "its header is to have 9223372036854775808 bytes, \(tooLong)"
      ),
      (
        safetensors("{}", length: .max),
        "its header is to have 18446744073709551615 bytes, \(tooLong)"
      ),
      (
        safetensors("{}", length: .max - 7),
        "its header is to have 18446744073709551608 bytes, \(tooLong)"
      ),
    ])
  }

  func testOtherFormats() throws {
    let pickle =
      "a PyTorch pickle, which may run code when it is read. Convert it to safetensors."
    try assertRefused([
      (
        Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\n".utf8),
        "a Git LFS pointer in place of the file. Fetch that with 'git lfs pull'."
      ),
      (Array("PK\u{3}\u{4}\0\0\0\0\0\0archive/data.pkl".utf8), pickle),
      ([0x80, 2, 0x63, 0x6F, 0x73, 0x0A, 0x73, 0x79, 0x73], pickle),
      ([0x80, 5, 0x95, 0, 0, 0, 0, 0, 0, 0, 1], pickle),
      (
        Array("GGUF\u{3}\0\0\0\0\0\0\u{1}".utf8),
        "a GGUF file. Use the safetensors files of the model."
      ),
      (
        Array("<!DOCTYPE html><html>Not found".utf8),
        "a web page in place of the file. Fetch that again."
      ),
    ])
  }

  func testHeadersThatAreNotJSON() throws {
    let notObject = "its header is not a JSON object."
    try assertRefused([
      (safetensors("[]"), notObject),
      (safetensors("\"{}\""), notObject),
      (safetensors("null"), notObject),
      (safetensors("{"), "header 1:2: the text ends where a key in double quotes must be."),
      (safetensors(" \n "), "header 2:2: the text ends where a value must be."),
      (safetensors("{}{}"), "header 1:3: '{' after the end of the JSON value."),
      (safetensors("{}\0\0"), "header 1:3: 'U+0000' after the end of the JSON value."),
      (safetensors("\0{}"), "header 1:1: 'U+0000' where a value must be."),
      (
        safetensors("\u{feff}{}"),
        "header 1:1: the text begins with a byte order mark. Save it as UTF-8 without one."
      ),
      (
        safetensors([0xFF, 0xFE, 0x7B, 0, 0x7D, 0]),
        "header 1:1: the text is UTF-16. Save it as UTF-8."
      ),
      (
        safetensors([0x7B, 0, 0x7D, 0]),
        "header 1:2: 'U+0000' where a key in double quotes must be."
      ),
      (
        safetensors([0x7B, 0x22, 0xFF, 0x22, 0x3A]),
        "header 1:3: byte 0xFF is not valid UTF-8 here. Save the text as UTF-8."
      ),
      (
        safetensors([0x7B, 0x22, 0xC0, 0xAF, 0x22, 0x3A]),
        "header 1:3: byte 0xC0 is not valid UTF-8 here. Save the text as UTF-8."
      ),
      (
        safetensors(#"{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},}"#, data: 1),
        "header 1:52: a comma before '}'. Remove the comma."
      ),
      (
        safetensors(#"{"a":{"dtype":"U8","shape":[1,],"data_offsets":[0,1]}}"#, data: 1),
        "header 1:30: a comma before ']'. Remove the comma."
      ),
      (
        safetensors("{/* none */}"),
        "header 1:2: '/' where a key in double quotes must be. JSON has no comments; remove them."
      ),
      (
        safetensors(#"{"\ud800":1}"#),
        #"header 1:3: '\ud800' is half of a surrogate pair. "#
          + "Write the whole pair, or U+FFFD in its place."
      ),
      (safetensors(String(repeating: "[", count: 100_000)), notObject),
    ])
  }

  func testNames() throws {
    let long = String(repeating: "n", count: 10_000_000)
    try assertRefused([
      (safetensors(naming: "a", "b", "a"), "'a' is there twice."),
      (safetensors(naming: "a", #"\u0061"#), "'a' is there twice."),
      (
        safetensors(naming: "\u{e9}", "e\u{301}"),
        "'e\u{301}' is there twice, in two normal forms of Unicode."
      ),
      (safetensors(naming: ""), "a tensor has no name."),
      (
        safetensors(naming: #"a\u0000b"#),
        #"the tensor name 'a\u0000b' has a control character in it."#
      ),
      (
        safetensors(naming: #"a\nb"#),
        #"the tensor name 'a\u000ab' has a control character in it."#
      ),
      (
        safetensors(naming: "\u{9b}31m"),
        #"the tensor name '\u009b31m' has a control character in it."#
      ),
      (
        safetensors(naming: long),
        "a tensor's name has 10000000 bytes; at most 4096 are read."
      ),
    ])
  }

  func testMembers() throws {
    let known =
      "BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, "
      + "F8_E5M2FNUZ, I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64"
    let long = String(repeating: "x", count: 101)
    let cases: [(tensor: String, message: String)] = [
      ("1", "is not an object with 'dtype', 'shape' and 'data_offsets'."),
      ("[]", "is not an object with 'dtype', 'shape' and 'data_offsets'."),
      (#"{"shape":[],"data_offsets":[0,1]}"#, "has no 'dtype'."),
      (#"{"dtype":"U8","data_offsets":[0,1]}"#, "has no 'shape'."),
      (#"{"dtype":"U8","shape":[]}"#, "has no 'data_offsets'."),
      (#"{"dtype":"U8","dtype":"U8","shape":[],"data_offsets":[0,1]}"#, "has 'dtype' twice."),
      (#"{"dtype":"U8","shape":[],"shape":[],"data_offsets":[0,1]}"#, "has 'shape' twice."),
      (
        #"{"dtype":"U8","shape":[],"data_offsets":[0,1],"data_offsets":[0,1]}"#,
        "has 'data_offsets' twice."
      ),
      (
        #"{"dtype":"U8","shape":[],"data_offsets":[0,1],"strides":[]}"#,
        "has 'strides', which the format does not know."
      ),
      (#"{"dtype":8,"shape":[],"data_offsets":[0,1]}"#, "has a 'dtype' that is not a string."),
      (
        #"{"dtype":"F31","shape":[],"data_offsets":[0,1]}"#,
        "has dtype 'F31', which is not one of \(known)."
      ),
      (
        #"{"dtype":"","shape":[],"data_offsets":[0,1]}"#,
        "has dtype '', which is not one of \(known)."
      ),
      (
        #"{"dtype":"\#(long)","shape":[],"data_offsets":[0,1]}"#,
        "has dtype '\(long.dropLast())…', which is not one of \(known)."
      ),
      (
        #"{"dtype":"bf16","shape":[],"data_offsets":[0,1]}"#,
        "has dtype 'bf16'. Did you mean 'BF16'?"
      ),
      (#"{"dtype":"U8","shape":1,"data_offsets":[0,1]}"#, "has 'shape' that is not an array."),
      (
        #"{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}"#,
        "has something in 'shape' that is not a number."
      ),
      (
        #"{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}"#,
        "has something in 'shape' that is not a number."
      ),
      (
        #"{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}"#,
        "has '-1' in 'shape', which is not a whole number from 0."
      ),
      (
        #"{"dtype":"U8","shape":[-0],"data_offsets":[0,1]}"#,
        "has '-0' in 'shape', which is not a whole number from 0."
      ),
      (
        #"{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}"#,
        "has '1.0' in 'shape', which is not a whole number from 0."
      ),
      (
        #"{"dtype":"U8","shape":[1e3],"data_offsets":[0,1]}"#,
        "has '1e3' in 'shape', which is not a whole number from 0."
      ),
      (
        #"{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}"#,
        "has '9223372036854775808' in 'shape', which is too large."
      ),
      (
        #"{"dtype":"U8","shape":[99999999999999999999],"data_offsets":[0,1]}"#,
        "has '99999999999999999999' in 'shape', which is too large."
      ),
      (#"{"dtype":"U8","shape":[],"data_offsets":[0]}"#, "has 1 'data_offsets' in place of 2."),
      (#"{"dtype":"U8","shape":[],"data_offsets":[]}"#, "has 0 'data_offsets' in place of 2."),
      (
        #"{"dtype":"U8","shape":[],"data_offsets":[0,1,2]}"#,
        "has more than 2 numbers in 'data_offsets'."
      ),
      (
        #"{"dtype":"U8","shape":[],"data_offsets":{"0":1}}"#,
        "has 'data_offsets' that is not an array."
      ),
      (
        #"{"dtype":"U8","shape":[],"data_offsets":[-1,0]}"#,
        "has '-1' in 'data_offsets', which is not a whole number from 0."
      ),
      (
        #"{"dtype":"U8","shape":[],"data_offsets":[0,18446744073709551616]}"#,
        "has '18446744073709551616' in 'data_offsets', which is too large."
      ),
      (
        #"{"dtype":"U8","shape":[\#(Array(repeating: "1", count: 65).joined(separator: ","))]}"#,
        "has more than 64 numbers in 'shape'."
      ),
      (
        #"{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,1]}"#,
        "has shape [4294967296, 4294967296], which is more than any file can hold."
      ),
      (
        #"{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}"#,
        "has shape [2305843009213693952], which is more than any file can hold."
      ),
      (
        #"{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}"#,
        "has shape [4294967296, 4294967296, 0], which is more than any file can hold."
      ),
      (
        #"{"dtype":"F4","shape":[3],"data_offsets":[0,1]}"#,
        "is F4 of shape [3], which does not fill whole bytes."
      ),
      (
        #"{"dtype":"F6_E2M3","shape":[2],"data_offsets":[0,1]}"#,
        "is F6_E2M3 of shape [2], which does not fill whole bytes."
      ),
      (
        #"{"dtype":"U8","shape":[1],"data_offsets":[1,0]}"#,
        "begins at byte 1 of the data and ends at 0."
      ),
      (
        #"{"dtype":"F32","shape":[1,2],"data_offsets":[0,4]}"#,
        "has 4 bytes of data; F32 of shape [1, 2] takes 8."
      ),
      (
        #"{"dtype":"F16","shape":[],"data_offsets":[0,1]}"#,
        "has 1 bytes of data; F16 of shape [] takes 2."
      ),
      (
        #"{"dtype":"U8","shape":[2],"data_offsets":[0,2]}"#,
        "ends at byte 2 of the data, of which the file has 1. "
          + "It is cut off or damaged; fetch it again."
      ),
      (
        #"{"dtype":"U8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]}"#,
        "ends at byte 9223372036854775807 of the data, of which the file has 1. "
          + "It is cut off or damaged; fetch it again."
      ),
    ]
    try assertRefused(
      cases.map { (safetensors(#"{"a.b":\#($0)}"#, data: 1), "'a.b' \($1)") })
  }

  func testMetadata() throws {
    try assertRefused([
      (safetensors(#"{"__metadata__":null}"#), "'__metadata__' is not an object of strings."),
      (safetensors(#"{"__metadata__":[]}"#), "'__metadata__' is not an object of strings."),
      (safetensors(#"{"__metadata__":{"a":1}}"#), "'a' in '__metadata__' is not a string."),
      (safetensors(#"{"__metadata__":{"a":{"b":"c"}}}"#), "'a' in '__metadata__' is not a string."),
      (safetensors(#"{"__metadata__":{"a":"1","a":"1"}}"#), "'__metadata__' has 'a' twice."),
      (safetensors(#"{"__metadata__":{},"__metadata__":{}}"#), "'__metadata__' is there twice."),
      (
        safetensors(#"{"__metadata__":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}"#, data: 1),
        "'shape' in '__metadata__' is not a string."
      ),
    ])
  }

  func testDataThatIsNotFilledExactly() throws {
    func file(_ ranges: [(Int, Int)], data: Int) -> [UInt8] {
      let members = ranges.enumerated().map {
        #""t\#($0)":{"dtype":"U8","shape":[\#($1.1 - $1.0)],"data_offsets":[\#($1.0),\#($1.1)]}"#
      }
      return safetensors("{" + members.joined(separator: ",") + "}", data: data)
    }
    try assertRefused([
      (file([(4, 8)], data: 8), "bytes 0 to 4 of the data, before 't0', belong to no tensor."),
      (
        file([(0, 4), (6, 8)], data: 8),
        "bytes 4 to 6 of the data, before 't1', belong to no tensor."
      ),
      (
        file([(6, 8), (0, 4)], data: 8),
        "bytes 4 to 6 of the data, before 't0', belong to no tensor."
      ),
      (file([(0, 4), (4, 6)], data: 8), "the last 2 of the 8 bytes of data belong to no tensor."),
      (file([], data: 1), "the last 1 of the 1 bytes of data belong to no tensor."),
      (
        file([(0, 4), (2, 8)], data: 8),
        "'t1' begins at byte 2 of the data, where 't0' is, which ends at 4."
      ),
      (
        file([(0, 8), (2, 4)], data: 8),
        "'t1' begins at byte 2 of the data, where 't0' is, which ends at 8."
      ),
      (
        file([(0, 8), (0, 8)], data: 8),
        "'t1' begins at byte 0 of the data, where 't0' is, which ends at 8."
      ),
      (
        file([(0, 8), (4, 4)], data: 8),
        "'t1' begins at byte 4 of the data, where 't0' is, which ends at 8."
      ),
      (
        file([(0, 4), (4, 8), (12, 12)], data: 8),
        "'t2' ends at byte 12 of the data, of which the file has 8. "
          + "It is cut off or damaged; fetch it again."
      ),
      (
        file(Array(repeating: (0, 8), count: 10), data: 8),
        "'t1' begins at byte 0 of the data, where 't0' is, which ends at 8."
      ),
    ])
  }

  func testWhatIsNotAFile() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("sub")
    try folder.link("loop", to: "loop")
    XCTAssertEqual(mkfifo(folder.file("pipe"), 0o600), 0)
    let cases: [(path: String, message: String)] = [
      (folder.file("sub"), "a folder, where a file is needed."),
      (folder.file("loop"), "symbolic links that lead in a circle, or one where none may be."),
      (folder.file("pipe"), "a pipe, socket or device, where a file is needed."),
      ("/dev/zero", "a pipe, socket or device, where a file is needed."),
      (folder.file("missing"), "there is no such file or folder."),
    ]
    for (path, message) in cases {
      XCTAssertThrowsError(try SafetensorsFile(at: path)) {
        XCTAssertEqual("\($0)", path + ": " + message)
      }
    }
  }

  func testErrorsNameTheTensor() throws {
    let folder = try TemporaryFolder()
    try folder.write(safetensors(naming: "a", "a"), as: "x")
    XCTAssertThrowsError(try SafetensorsFile(at: folder.file("x"))) {
      XCTAssertEqual(($0 as? SafetensorsError)?.tensor, "a")
      XCTAssertEqual(($0 as? SafetensorsError)?.file, folder.file("x"))
    }
  }

  private func assertRefused(
    _ cases: [(bytes: [UInt8], message: String)], line: UInt = #line
  ) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("model.safetensors")
    for (bytes, message) in cases {
      try folder.write(bytes, as: "model.safetensors")
      do throws(SafetensorsError) {
        _ = try SafetensorsFile(at: path)
        XCTFail("read; expected: \(message)", line: line)
      } catch {
        XCTAssertEqual(error.description, path + ": " + message, line: line)
      }
    }
  }
}
