import Foundation
import XCTest

@testable import Storage

final class AtomicFolderTests: XCTestCase {
  private let isOwn: (String) -> Bool = { ["config.json", "model", "old"].contains($0) }

  func testANewFolderAppearsWhole() throws {
    let folder = try TemporaryFolder()
    var output = try AtomicFolder(at: folder.file("out/"))
    try output.write(Data("1".utf8), as: "config.json")
    try Data("2".utf8).write(to: URL(fileURLWithPath: output.partialPath + "/model"))
    XCTAssertEqual(folder.names(), [".out.partial"])
    try output.commit()
    XCTAssertEqual(folder.names(), ["out"])
    XCTAssertEqual(folder.names("out"), ["config.json", "model"])
    XCTAssertEqual(output.path, folder.file("out"))
  }

  func testWithoutACommitNothingIsLeft() throws {
    let folder = try TemporaryFolder()
    do {
      let output = try AtomicFolder(at: folder.file("out"))
      try output.write(Data("1".utf8), as: "config.json")
    }
    XCTAssertEqual(folder.names(), [])
  }

  func testAnEmptyFolderIsFilled() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("out")
    var output = try AtomicFolder(at: folder.file("out"))
    try output.write(Data("1".utf8), as: "config.json")
    try output.commit()
    XCTAssertEqual(folder.names("out"), ["config.json"])
  }

  func testAnOlderFolderIsReplacedAndItsMappingsStay() throws {
    for exchanges in [true, false] {
      try withFault({ !exchanges && $0 == .exchange ? .error(ENOSYS) : nil }) {
        let folder = try TemporaryFolder()
        try folder.makeFolder("out")
        try folder.write("old model", as: "out/model")
        try folder.write("old", as: "out/old")
        let mapped = try MappedFile(at: folder.file("out/model"))
        var output = try AtomicFolder(at: folder.file("out"), replacing: isOwn)
        try output.write(Data("new".utf8), as: "model")
        XCTAssertEqual(folder.text("out/model"), "old model")
        try output.commit()
        XCTAssertEqual(folder.names(), ["out"])
        XCTAssertEqual(folder.names("out"), ["model"])
        XCTAssertEqual(folder.text("out/model"), "new")
        XCTAssertEqual(Array(mapped.bytes), Array("old model".utf8))
      }
    }
  }

  func testALinkToAFolderStaysALink() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("disk/real")
    try folder.link("out", to: "disk/real")
    var output = try AtomicFolder(at: folder.file("out"))
    try output.write(Data("1".utf8), as: "model")
    try output.commit()
    XCTAssertEqual(folder.names("disk/real"), ["model"])
    XCTAssertEqual(folder.names("disk"), ["real"])
    XCTAssertEqual(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("out")), "disk/real")
  }

  func testFoldersThatAreNotReplaced() throws {
    let folder = try TemporaryFolder()
    for name in ["full", "foreign", "nested/config.json", "taken"] { try folder.makeFolder(name) }
    try folder.write("x", as: "full/model")
    try folder.write("x", as: "foreign/model")
    try folder.write("x", as: "foreign/thesis.tex")
    try folder.write("x", as: "file")
    try folder.link("nowhere", to: "missing")
    let lost =
      "in it would be lost, as the folder is replaced as a whole. "
      + "Move that away, or choose another folder."
    let cases: [(name: String, isOwn: ((String) -> Bool)?, FileError.Reason, message: String)] = [
      (
        "full", nil, .exists,
        "the folder is not empty. Choose another name, or remove its files."
      ),
      ("foreign", isOwn, .foreignFile, "'thesis.tex' " + lost),
      ("nested", isOwn, .foreignFile, "'config.json' " + lost),
      ("file", isOwn, .notFolder, "a file, where a folder is to be written. Remove it."),
      (
        "none/out", nil, .missing,
        "there is no folder '\(folder.file("none/"))' to write it in. Make it."
      ),
      ("nowhere", nil, .missing, "there is no such file or folder."),
      ("..", nil, .badName, "a path that does not end in the name of a file or folder."),
    ]
    for (name, isOwn, reason, message) in cases {
      do {
        _ = try AtomicFolder(at: folder.file(name), replacing: isOwn)
        XCTFail("\(name) was taken")
      } catch {
        XCTAssertEqual(error, FileError(folder.file(name), reason, message))
      }
    }
    XCTAssertEqual(folder.names("foreign"), ["model", "thesis.tex"])
    XCTAssertEqual(folder.names(), ["file", "foreign", "full", "nested", "nowhere", "taken"])
  }

  func testAMountPoint() throws {
    guard (try? FileSystem.status("/proc", followsLinks: false)) != nil else {
      throw XCTSkip("/proc is mounted on Linux only")
    }
    do {
      _ = try AtomicFolder(at: "/proc", replacing: { _ in true })
      XCTFail("/proc was taken")
    } catch {
      XCTAssertEqual(
        "\(error)", "/proc: a mount point, which cannot be replaced. Choose a folder inside it.")
    }
  }

  func testFilesThatAppearMeanwhileAreNotLost() throws {
    let folder = try TemporaryFolder()
    var output = try AtomicFolder(at: folder.file("out"), replacing: isOwn)
    try output.write(Data("1".utf8), as: "model")
    try folder.makeFolder("out")
    try folder.write("x", as: "out/thesis.tex")
    do {
      try output.commit()
      XCTFail("committed")
    } catch { XCTAssertEqual(error.reason, .foreignFile) }
    XCTAssertEqual(folder.names("out"), ["thesis.tex"])
  }

  func testAFolderInsideIsRefused() throws {
    let folder = try TemporaryFolder()
    var output = try AtomicFolder(at: folder.file("out"))
    try folder.makeFolder(".out.partial/sub")
    do {
      try output.commit()
      XCTFail("committed")
    } catch {
      XCTAssertEqual(
        "\(error)",
        folder.file(".out.partial/sub") + ": a folder inside a folder that is written as a whole.")
    }
  }

  func testTwoWritersOfOneFolder() throws {
    let folder = try TemporaryFolder()
    var output = try AtomicFolder(at: folder.file("out"))
    do {
      _ = try AtomicFolder(at: folder.file("out"))
      XCTFail("taken twice")
    } catch {
      XCTAssertEqual(
        "\(error)",
        folder.file("out") + ": another program is writing it. Wait until that is done.")
    }
    try output.write(Data("1".utf8), as: "model")
    try output.commit()
    XCTAssertEqual(folder.names("out"), ["model"])
  }
}
