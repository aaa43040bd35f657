import Foundation
import XCTest

@testable import Storage

/// A journal keeps what it was given, whatever happens.
final class JournalTests: XCTestCase {
  private func lines(_ path: String) throws -> [String] {
    var lines: [String] = []
    _ = try Journal(at: path) { line, number in
      XCTAssertEqual(number, lines.count + 1)
      lines.append(String(decoding: line, as: UTF8.self))
    }
    return lines
  }

  func testLinesComeBack() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("journal")
    XCTAssertEqual(try lines(path), [])
    let written = (0..<300).map { String(repeating: "é\($0)", count: 1 + $0 * $0 % 9_000) } + [""]
    do {
      let journal = try Journal(at: path) { _, _ in }
      for line in written.prefix(200) { try journal.append(Data(line.utf8)) }
      try journal.synchronize()
    }
    do {
      let journal = try Journal(at: path) { _, _ in }
      for line in written.dropFirst(200) { try journal.append(Data(line.utf8)) }
    }
    XCTAssertEqual(try lines(path), written)
  }

  func testATornLineIsCutOffWhereverItIsTorn() throws {
    let folder = try TemporaryFolder()
    let whole = Array("one\ntwo two\n\nfour\n".utf8)
    for count in 0...whole.count {
      let name = "torn\(count)"
      try Data(whole.prefix(count)).write(to: URL(fileURLWithPath: folder.file(name)))
      let kept = whole.prefix(count).lastIndex(of: 0x0A).map { Array(whole[...$0]) } ?? []
      do {
        let journal = try Journal(at: folder.file(name)) { _, _ in }
        XCTAssertEqual(folder.text(name), String(decoding: kept, as: UTF8.self), "\(count)")
        try journal.append(Data("next".utf8))
      }
      XCTAssertEqual(
        folder.text(name), String(decoding: kept, as: UTF8.self) + "next\n", "\(count)")
    }
  }

  func testOnlyOneHasItOpen() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("journal")
    let journal = try Journal(at: path) { _, _ in }
    XCTAssertThrowsError(try lines(path)) { XCTAssertTrue($0 is FileError, "\($0)") }
    try journal.append(Data("still mine".utf8))
    XCTAssertEqual(folder.text("journal"), "still mine\n")
  }

  func testAFailedLineLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("journal")
    let journal = try Journal(at: path) { _, _ in }
    try journal.append(Data("one".utf8))
    for fault in [FileSystem.Fault.error(ENOSPC), .error(EIO)] {
      // The first write takes a part, the next fails.
      let calls = Calls()
      XCTAssertThrowsError(
        try withFault({ call in
          guard call == .write else { return nil }
          return calls.next() == 1 ? .short : fault
        }) { try journal.append(Data("two, which is longer".utf8)) }
      ) { XCTAssertTrue($0 is FileError) }
      XCTAssertEqual(folder.text("journal"), "one\n")
    }
    try journal.append(Data("three".utf8))
    XCTAssertEqual(folder.text("journal"), "one\nthree\n")
    XCTAssertThrowsError(
      try withFault({ $0 == .sync ? .error(EIO) : nil }) { try journal.synchronize() })
  }

  func testWhatIsNoFile() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("folder")
    XCTAssertThrowsError(try lines(folder.file("folder"))) { XCTAssertTrue($0 is FileError) }
    XCTAssertThrowsError(try lines(folder.file("none/journal"))) { XCTAssertTrue($0 is FileError) }
    XCTAssertThrowsError(try lines("/dev/null")) { XCTAssertTrue($0 is FileError, "\($0)") }
  }
}

private final class Calls: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0
  func next() -> Int {
    lock.withLock {
      count += 1
      return count
    }
  }
}
