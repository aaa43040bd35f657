import Foundation
import Storage
import XCTest

@testable import Pipelines

final class RecordTests: XCTestCase {
  private func record(_ folder: Folder) throws -> RunRecord {
    var record = RunRecord()
    let recipe = try JSONValue(parsing: Array(#"{"a":[1,2.5],"é":"x"}"#.utf8), source: "")
    record["1-é"] = StageRecord(
      state: .done, kind: "copy", recipe: recipe, versions: ["1", "rule 1"],
      inputs: [.init(path: "a/b", digest: "00ff"), .init(path: "c", digest: nil)], output: "/o",
      isAsked: true, seconds: 1.5, peakBytes: 7)
    record["2"] = StageRecord(
      state: .begun, kind: "join", recipe: recipe, versions: [], inputs: [], output: "/p",
      isAsked: false, seconds: 0)
    try record.write(to: folder.file("stages.json"))
    return record
  }

  func testARecordIsReadAsItWasWritten() throws {
    let folder = try Folder()
    let record = try record(folder)
    let read = try RunRecord(at: folder.file("stages.json"))
    XCTAssertEqual(read, record)
    XCTAssertEqual(read["1-é"]?.isAsked, true)
    // The same letter in another normal form is another name.
    XCTAssertNil(read["1-e\u{301}"])
    XCTAssertEqual(try RunRecord(at: folder.file("none.json")), RunRecord())
  }

  func testADamagedRecordIsRefused() throws {
    let folder = try Folder()
    let path = folder.file("stages.json")
    func words(_ text: String) throws -> String {
      try folder.write(text, as: "stages.json")
      do {
        return "\(try RunRecord(at: path))"
      } catch {
        return "\(error)".replacingOccurrences(of: folder.path + "/", with: "")
      }
    }
    let advice =
      "\nstages.json: the record of the run cannot be read. Remove it, and every stage is gone "
      + "through again; what is complete ends at once."
    XCTAssertEqual(try words("{}"), "stages.json: there is no 'format'." + advice)
    XCTAssertEqual(
      try words(#"{"format": 2, "stages": {}}"#),
      "stages.json: it was written by another version of the program." + advice)
    XCTAssertEqual(
      try words(#"{"format": 1, "stages": {"1": {"state": "x"}}}"#),
      "stages.json: '1': 'state' is 'x', which is not known." + advice)
    XCTAssertTrue(try words("").hasSuffix(advice))
    XCTAssertTrue(try words("[").hasSuffix(advice))
  }

  /// No text makes the readers do anything but read or refuse; what is read is written as it is.
  func testDamagedFilesAreReadOrRefused() throws {
    let folder = try Folder()
    _ = try record(folder)
    let whole = Array(try XCTUnwrap(folder.text("stages.json")).utf8)
    try folder.write("x", as: "f")
    let hashes = ContentHashes(at: folder.file("hashes.json"), now: { .max })
    _ = try hashes.digest(of: folder.file("f"))
    hashes.write()
    let digests = Array(try XCTUnwrap(folder.text("hashes.json")).utf8)
    XCTAssertGreaterThan(digests.count, 80)
    var random = SystemRandomNumberGenerator()
    var refused = 0
    for round in 0..<1000 {
      var bytes = round % 2 == 0 ? whole : digests
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        if bytes.isEmpty { break }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.insert(contentsOf: Array("-9e99".utf8), at: place)
        case 3: bytes = Array(bytes[..<max(1, place)])
        default: bytes.insert(Array(#"{}[]",:null0"#.utf8)[round % 12], at: place)
        }
      }
      let path = folder.file("damaged.json")
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      if round % 2 == 1 {
        XCTAssertEqual(
          try ContentHashes(at: path).digest(of: folder.file("f")),
          "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "\(bytes)")
        continue
      }
      do {
        let read = try RunRecord(at: path)
        try read.write(to: folder.file("again.json"))
        XCTAssertEqual(try RunRecord(at: folder.file("again.json")), read, "\(bytes)")
      } catch {
        refused += 1
      }
    }
    XCTAssertGreaterThan(refused, 100)
  }

  // MARK: - Digests

  func testDigestsOfFilesAndFolders() throws {
    let folder = try Folder()
    let hashes = ContentHashes(at: folder.file("hashes.json"))
    try folder.write("abc", as: "d/x")
    XCTAssertEqual(
      try hashes.digest(of: folder.file("d/x")),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    XCTAssertNil(try hashes.digest(of: folder.file("d/none")))
    var seen: Set<String> = []
    func see(isNew: Bool = true, line: UInt = #line) throws {
      let digest = try XCTUnwrap(try hashes.digest(of: folder.file("d")), line: line)
      XCTAssertEqual(seen.insert(digest).inserted, isNew, line: line)
    }
    try see()
    try folder.write("abd", as: "d/x")
    try see()
    try folder.write("abc", as: "d/y")
    try see()
    try folder.remove("d/y")
    try folder.write("abc", as: "d/e/y")
    try see()
    try folder.write("", as: "d/.lock")
    try see(isNew: false)
    let shallow = try hashes.digest(of: folder.file("d"), isShallow: true)
    try folder.write("abx", as: "d/e/y")
    XCTAssertEqual(try hashes.digest(of: folder.file("d"), isShallow: true), shallow)
    try see()
    try folder.write("abx", as: "d/x")
    XCTAssertNotEqual(try hashes.digest(of: folder.file("d"), isShallow: true), shallow)
  }

  func testWhatDidNotChangeIsNotReadAgain() throws {
    let folder = try Folder()
    try folder.write("abc", as: "f")
    let path = folder.file("f"), cache = folder.file("hashes.json")
    let first = ContentHashes(at: cache, now: { .max })
    let digest = try first.digest(of: path)
    XCTAssertEqual(first.bytesRead, 3)
    XCTAssertEqual(try first.digest(of: path), digest)
    XCTAssertEqual(first.bytesRead, 3)
    first.write()
    let second = ContentHashes(at: cache)
    XCTAssertEqual(try second.digest(of: path), digest)
    XCTAssertEqual(second.bytesRead, 0)
    // Another content of the same size.
    try folder.write("abd", as: "f")
    XCTAssertNotEqual(try second.digest(of: path), digest)
    XCTAssertEqual(second.bytesRead, 3)
    // It was written just now, so that another write might not show.
    _ = try second.digest(of: path)
    XCTAssertEqual(second.bytesRead, 6)
  }

  func testAFolderThatLeadsIntoItselfHasAnEnd() throws {
    let folder = try Folder()
    try folder.write("x", as: "d/f")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("d/d"), withDestinationPath: folder.file("d"))
    XCTAssertNotNil(try ContentHashes(at: folder.file("h")).digest(of: folder.file("d")))
  }
}
