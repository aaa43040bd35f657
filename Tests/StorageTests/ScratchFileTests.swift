import Foundation
import XCTest

@testable import Storage

final class ScratchFileTests: XCTestCase {
  private func error(_ body: () throws -> Void) -> FileError? {
    do {
      try body()
      return nil
    } catch {
      return error as? FileError
    }
  }

  func testItKeepsWhatIsLetGo() throws {
    let folder = try TemporaryFolder()
    let count = 3 * ScratchFile.pageSize + 5
    let file = try ScratchFile(in: folder.path, byteCount: count)
    XCTAssertEqual(folder.names(), [], "it has no name")
    XCTAssertEqual(Int(bitPattern: file.memory) % ScratchFile.pageSize, 0)
    let bytes = UnsafeMutableRawBufferPointer(start: file.memory, count: count)
    XCTAssertTrue(bytes.allSatisfy { $0 == 0 })
    for i in bytes.indices { bytes[i] = UInt8(truncatingIfNeeded: 7 * i) }
    for range in [0..<count, 1..<2, count - 1..<count, 0..<0, count..<count] {
      file.willNeed(range)
      file.release(range)
      file.willNeed(range)
    }
    XCTAssertTrue(bytes.indices.allSatisfy { bytes[$0] == UInt8(truncatingIfNeeded: 7 * $0) })
  }

  func testTwoAreApart() throws {
    let folder = try TemporaryFolder()
    let files = try (0..<2).map { _ in try ScratchFile(in: folder.path, byteCount: 1) }
    files[0].memory.storeBytes(of: 1, as: UInt8.self)
    XCTAssertEqual(files[1].memory.load(as: UInt8.self), 0)
  }

  func testErrors() throws {
    let folder = try TemporaryFolder()
    try folder.write("", as: "file")
    XCTAssertEqual(
      error { _ = try ScratchFile(in: folder.file("none"), byteCount: 1) }?.reason, .missing)
    XCTAssertEqual(
      error { _ = try ScratchFile(in: folder.file("file"), byteCount: 1) }?.reason, .notFolder)
    // More than any disk has is an error at once, not a signal later.
    XCTAssertEqual(
      error { _ = try ScratchFile(in: folder.path, byteCount: 1 << 60) }?.reason, .noSpace)
    let full = withFault({ $0 == .allocate ? .error(ENOSPC) : nil }) {
      error { _ = try ScratchFile(in: folder.path, byteCount: 1) }
    }
    XCTAssertEqual(
      full?.description,
      "\(folder.path): no space is left for it. Free some, or choose another place.")
    XCTAssertEqual(folder.names(), ["file"])
  }
}
