import Foundation
import XCTest

@testable import Storage

final class AtomicFileTests: XCTestCase {
  func testNothingIsSeenBeforeTheCommit() throws {
    let folder = try TemporaryFolder()
    try folder.write("old", as: "a")
    var file = try AtomicFile(at: folder.file("a"))
    try file.write(Data("ne".utf8))
    try Array("w!".utf8).withUnsafeBytes { try file.write($0) }
    XCTAssertEqual(file.count, 4)
    XCTAssertEqual(folder.text("a"), "old")
    try file.commit()
    XCTAssertEqual(folder.text("a"), "new!")
    XCTAssertEqual(folder.names(), ["a"])
  }

  func testWithoutACommitNothingIsLeft() throws {
    let folder = try TemporaryFolder()
    do {
      var file = try AtomicFile(at: folder.file("a"))
      try file.write(Data("new".utf8))
      XCTAssertEqual(folder.names(), [".a.partial"])
    }
    XCTAssertEqual(folder.names(), [])
  }

  func testALinkIsReplacedAndWhatItLeadsToStays() throws {
    let folder = try TemporaryFolder()
    try folder.write("blob", as: "blob")
    try folder.link("a", to: "blob")
    try AtomicFile.write(Data("new".utf8), to: folder.file("a"))
    XCTAssertEqual(folder.text("blob"), "blob")
    XCTAssertEqual(folder.text("a"), "new")
  }

  func testTwoWritersOfOneFile() throws {
    let folder = try TemporaryFolder()
    var file = try AtomicFile(at: folder.file("a"))
    XCTAssertThrowsError(try AtomicFile.write(Data("b".utf8), to: folder.file("a"))) {
      XCTAssertEqual(
        "\($0)",
        folder.file("a") + ": another program is writing it. Wait until that is done.")
    }
    try file.write(Data("a".utf8))
    try file.commit()
    XCTAssertEqual(folder.text("a"), "a")
    XCTAssertEqual(folder.names(), ["a"])
  }

  func testWhatAKilledProcessLeftIsRemoved() throws {
    let folder = try TemporaryFolder()
    try folder.write("a lot of left-over bytes", as: ".a.partial")
    try AtomicFile.write(Data("new".utf8), to: folder.file("a"))
    XCTAssertEqual(folder.text("a"), "new")
    XCTAssertEqual(folder.names(), ["a"])
  }

  func testALinkInPlaceOfTheUnfinishedFileIsNotFollowed() throws {
    let folder = try TemporaryFolder()
    try folder.write("precious", as: "b")
    try folder.link(".a.partial", to: "b")
    XCTAssertThrowsError(try AtomicFile.write(Data("new".utf8), to: folder.file("a"))) {
      XCTAssertEqual(
        "\($0)",
        folder.file("a") + ": '" + folder.file(".a.partial")
          + "' is in the way: symbolic links that lead in a circle, or one where none may be. "
          + "Remove it.")
    }
    XCTAssertEqual(folder.text("b"), "precious")
  }

  func testPlacesWhereNoFileCanBe() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("sub")
    try folder.write("x", as: "file")
    let noName = "a path that does not end in the name of a file or folder."
    let cases: [(name: String, reason: FileError.Reason, message: String)] = [
      ("sub", .isFolder, "a folder, where a file is needed."),
      ("sub/", .isFolder, "a folder, where a file is needed."),
      ("none/..", .badName, noName),
      (
        "none/a", .missing,
        "there is no folder '\(folder.file("none/"))' to write it in. Make it."
      ),
      ("file/a", .notFolder, "a part of this path is a file, where a folder is needed."),
      (
        String(repeating: "n", count: 255), .nameTooLong,
        "the name is too long for the file system."
      ),
      ("a\0b", .badName, "a name with a NUL in it, which no file can have."),
    ]
    for (name, reason, message) in cases {
      XCTAssertThrowsError(try AtomicFile.write(Data(), to: folder.file(name))) {
        XCTAssertEqual($0 as? FileError, FileError(folder.file(name), reason, message))
      }
    }
    XCTAssertEqual(folder.names(), ["file", "sub"])
  }

  func testARelativePath() throws {
    let name = "storage-tests-" + UUID().uuidString
    try AtomicFile.write(Data("x".utf8), to: name)
    XCTAssertEqual(FileManager.default.contents(atPath: "./" + name), Data("x".utf8))
    XCTAssertEqual(unlink(name), 0)
  }

  func testAFailedWriteIsNotCommitted() throws {
    let folder = try TemporaryFolder()
    var file = try AtomicFile(at: folder.file("a"))
    let full = FileError(
      folder.file("a"), .noSpace,
      "no space is left for it. Free some, or choose another place.")
    withFault({ $0 == .write ? .error(ENOSPC) : nil }) {
      do throws(FileError) {
        try file.write(Data("x".utf8))
        XCTFail("written")
      } catch {
        XCTAssertEqual(error, full)
      }
    }
    do {
      try file.commit()
      XCTFail("committed")
    } catch { XCTAssertEqual(error, full) }
    XCTAssertNil(folder.text("a"))
  }

  func testTheLimitOfTheFileSize() throws {
    let folder = try TemporaryFolder()
    var old = rlimit()
    XCTAssertEqual(getrlimit(fileSizeLimit, &old), 0)
    var small = old
    small.rlim_cur = 1 << 20
    // Without this, the signal of the limit ends the process.
    let handler = signal(SIGXFSZ, SIG_IGN)
    XCTAssertEqual(setrlimit(fileSizeLimit, &small), 0)
    defer {
      setrlimit(fileSizeLimit, &old)
      signal(SIGXFSZ, handler)
    }
    XCTAssertThrowsError(
      try AtomicFile.write(Data(count: 3 << 20), to: folder.file("a"))
    ) {
      XCTAssertEqual(
        "\($0)",
        folder.file("a") + ": larger than a file may be there. Choose another place.")
    }
    XCTAssertEqual(folder.names(), [])
  }

  func testAFileIsRemoved() throws {
    let folder = try TemporaryFolder()
    try AtomicFile.write(Data("1".utf8), to: folder.file("a"))
    try AtomicFile.write(Data("2".utf8), to: folder.file("b"))
    try removeFile(at: folder.file("a"))
    XCTAssertEqual(folder.names(), ["b"])
    // One that is not there is removed.
    try removeFile(at: folder.file("a"))
    try removeFile(at: folder.file("none/a"))
    XCTAssertEqual(folder.names(), ["b"])
    XCTAssertThrowsError(try removeFile(at: folder.file("b/a"))) {
      XCTAssertEqual(
        "\($0)",
        folder.file("b/a") + ": a part of this path is a file, where a folder is needed.")
    }
  }
}

#if canImport(Darwin)
  private let fileSizeLimit = RLIMIT_FSIZE
#else
  private let fileSizeLimit = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
#endif
