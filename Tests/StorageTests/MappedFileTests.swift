import Foundation
import XCTest

@testable import Storage

final class MappedFileTests: XCTestCase {
  func testBytes() throws {
    let folder = try TemporaryFolder()
    try folder.write("hello", as: "a")
    try folder.link("b", to: "a")
    for name in ["a", "b"] {
      let file = try MappedFile(at: folder.file(name))
      XCTAssertEqual(Array(file.bytes), Array("hello".utf8))
      withExtendedLifetime(file) {}
    }
  }

  func testWhatIsNotAFile() throws {
    let folder = try TemporaryFolder()
    try folder.write("", as: "empty")
    try folder.write("x", as: "file")
    try folder.link("loop", to: "pool")
    try folder.link("pool", to: "loop")
    try folder.link("nowhere", to: "missing")
    XCTAssertEqual(mkfifo(folder.file("pipe"), 0o600), 0)
    let long = String(repeating: "n", count: 256)
    let cases: [(name: String, reason: FileError.Reason, message: String)] = [
      ("missing", .missing, "there is no such file or folder."),
      ("nowhere", .missing, "there is no such file or folder."),
      ("", .isFolder, "a folder, where a file is needed."),
      (".", .isFolder, "a folder, where a file is needed."),
      ("pipe", .notRegular, "a pipe, socket or device, where a file is needed."),
      (
        "../../../../../../../../../dev/zero", .notRegular,
        "a pipe, socket or device, where a file is needed."
      ),
      ("loop", .linkLoop, "symbolic links that lead in a circle, or one where none may be."),
      ("empty", .empty, "the file is empty."),
      ("file/x", .notFolder, "a part of this path is a file, where a folder is needed."),
      (long, .nameTooLong, "the name is too long for the file system."),
      ("file\0.txt", .badName, "a name with a NUL in it, which no file can have."),
    ]
    for (name, reason, message) in cases {
      let path = folder.file(name)
      XCTAssertThrowsError(try MappedFile(at: path)) {
        XCTAssertEqual(($0 as? FileError)?.reason, reason)
        XCTAssertEqual("\($0)", path + ": " + message)
      }
    }
  }

  func testFailuresOfTheSystem() throws {
    let folder = try TemporaryFolder()
    try folder.write("x", as: "a")
    let cases: [(Int32, FileError.Reason, String)] = [
      (EACCES, .noPermission, "the system does not permit it. Check who owns it."),
      (EROFS, .readOnly, "the file system is read-only. Choose another place."),
      (EMFILE, .other(EMFILE), "Too many open files."),
    ]
    for (code, reason, message) in cases {
      try withFault({ $0 == .open ? .error(code) : nil }) {
        XCTAssertThrowsError(try MappedFile(at: folder.file("a"))) {
          XCTAssertEqual(
            $0 as? FileError, FileError(folder.file("a"), reason, message))
        }
      }
    }
  }

  func testReplacedAndRemovedFilesKeepTheirBytes() throws {
    let folder = try TemporaryFolder()
    try folder.write("old old old", as: "a")
    let file = try MappedFile(at: folder.file("a"))
    try AtomicFile.write(Data("new".utf8), to: folder.file("a"))
    XCTAssertEqual(Array(file.bytes), Array("old old old".utf8))
    XCTAssertNoThrow(try file.checkSize())
    XCTAssertEqual(unlink(folder.file("a")), 0)
    XCTAssertEqual(Array(file.bytes), Array("old old old".utf8))
    XCTAssertNoThrow(try file.checkSize())
  }

  func testAFileThatIsCutShortIsNoticed() throws {
    let folder = try TemporaryFolder()
    try folder.write("12345678", as: "a")
    let file = try MappedFile(at: folder.file("a"))
    XCTAssertNoThrow(try file.checkSize())
    XCTAssertEqual(truncate(folder.file("a"), 3), 0)
    XCTAssertThrowsError(try file.checkSize()) {
      XCTAssertEqual(
        "\($0)",
        folder.file("a") + ": the file was cut from 8 to 3 bytes while it was in use.")
    }
  }
}
