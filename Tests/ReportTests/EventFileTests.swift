import Foundation
import Storage
import XCTest

@testable import Reports

/// Event files are what TensorBoard's own writer makes, and stay whole.
final class EventFileTests: XCTestCase {
  private func date(_ seconds: Double) -> Date { Date(timeIntervalSince1970: seconds) }

  func testMaskedChecksum() {
    XCTAssertEqual(CRC32C.masked(Array("123456789".utf8)), 0xC78A_B0E5)
  }

  private func events(_ file: EventFile) throws {
    try file.append(
      scalars: [("loss", 1.25), ("rate", 1e-5)], step: 1, time: date(1_700_000_001.5))
    try file.append(scalars: [("Verlust/größe", .infinity)], step: 300, time: date(1_700_000_002.5))
    let text = String(repeating: "Ünï **code**\n", count: 20)
    try file.append(text: text, tag: "sample", step: 1 << 40, time: date(1_700_000_003.5))
    try file.appendRestart(atStep: 301, time: date(1_700_000_004.5))
    try file.synchronize()
  }

  func testTheBytesAreThoseOfTensorBoard() throws {
    let fixture = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/reports/tensorboard.events")
    let theirs = [UInt8](try Data(contentsOf: fixture))
    let folder = try TemporaryFolder()
    try events(try EventFile(at: folder.file("ours"), time: date(1_700_000_000.5)))
    let ours = folder.bytes("ours")
    // Their first event names their writer, which ours does not.
    XCTAssertEqual(ours, Array(theirs.dropFirst(12 + 72 + 4)))
    // One of theirs goes on.
    try theirs.withUnsafeBytes { try folder.write(Array($0), as: "theirs") }
    try EventFile(at: folder.file("theirs")).append(scalars: [("a", 1)], step: 5, time: date(5))
    XCTAssertEqual(folder.bytes("theirs").count, theirs.count + 12 + 23 + 4)
  }

  func testATornRecordIsCutOffWhereverItIsTorn() throws {
    let folder = try TemporaryFolder()
    func make(_ name: String, restarts: Bool = true) throws {
      let file = try EventFile(at: folder.file(name), time: date(1))
      try file.append(scalars: [("loss", 1)], step: 1, time: date(2))
      if restarts { try file.appendRestart(atStep: 2, time: date(3)) }
    }
    try make("whole")
    try make("two", restarts: false)
    let whole = folder.bytes("whole")
    let two = folder.bytes("two").count
    for count in 0...whole.count {
      for tail in [[], [UInt8](repeating: 0, count: 30)] {
        let ends = [0, 40, two, whole.count]
        let kept = ends.last { $0 <= count } ?? 0
        // Zeros behind a torn record are not what a record is followed by.
        if !tail.isEmpty, !ends.contains(count) || count == 0 { continue }
        try folder.write(whole.prefix(count) + tail, as: "torn")
        _ = try EventFile(at: folder.file("torn"), time: date(1))
        XCTAssertEqual(folder.bytes("torn"), Array(whole.prefix(max(kept, 40))), "\(count)")
      }
    }
    // A last record whose data never reached the disk.
    var blank = whole
    blank[blank.count - 6] ^= 1
    try folder.write(blank, as: "blank")
    _ = try EventFile(at: folder.file("blank"))
    XCTAssertEqual(folder.bytes("blank"), Array(whole.prefix(two)))
  }

  func testWhatIsRefusedStaysAsItIs() throws {
    let folder = try TemporaryFolder()
    func sentence(_ name: String) -> String {
      do {
        _ = try EventFile(at: folder.file(name))
        return "none"
      } catch {
        return error.description.replacingOccurrences(of: folder.path + "/", with: "")
      }
    }
    _ = try EventFile(at: folder.file("good")).append(scalars: [("a", 1)], step: 1)
    try EventFile(at: folder.file("good")).append(scalars: [("a", 1)], step: 2)
    var damaged = folder.bytes("good")
    damaged[60] ^= 1
    try folder.write(damaged, as: "data")
    XCTAssertEqual(
      sentence("data"), "data: damaged at byte 40. Move it elsewhere, and the run begins a new one."
    )
    damaged = folder.bytes("good")
    damaged[41] ^= 1
    try folder.write(damaged, as: "length")
    XCTAssertEqual(
      sentence("length"),
      "length: damaged at byte 40. Move it elsewhere, and the run begins a new one.")
    for text in ["x", "My only copy of the thesis.\n", String(repeating: "\0", count: 50)] {
      try folder.write(text, as: "other")
      XCTAssertEqual(
        sentence("other"), "other: not an event file of TensorBoard. Choose another name.")
      XCTAssertEqual(folder.bytes("other"), Array(text.utf8))
    }
    XCTAssertEqual(folder.bytes("length"), damaged)
    XCTAssertEqual(sentence("no/file"), "no/file: there is no such file or folder.")
    XCTAssertEqual(sentence("."), ".: a folder, where a file is needed.")
    XCTAssertEqual(
      sentence("good/file"), "good/file: a part of this path is a file, where a folder is needed.")
    XCTAssertEqual(sentence("a\0b"), "a\0b: a name with a NUL in it, which no file can have.")
    let open = try EventFile(at: folder.file("good"))
    XCTAssertEqual(
      sentence("good"), "good: another program is writing it. Wait until that is done.")
    withExtendedLifetime(open) {}
  }

  func testANameInAFolder() throws {
    let folder = try TemporaryFolder()
    let first = try EventFile(in: folder.path, host: "a/b", time: date(1_700_000_000.9)).path
    XCTAssertEqual(first, folder.file("events.out.tfevents.1700000000.a-b"))
    XCTAssertEqual(try EventFile(in: folder.path, host: "c", time: date(1_800_000_000)).path, first)
    _ = try EventFile(at: folder.file("events.out.tfevents.1700000001.z"))
    _ = try EventFile(at: folder.file("events.out.tfevents.900000000.z"))
    XCTAssertEqual(
      try EventFile(in: folder.path).path, folder.file("events.out.tfevents.1700000001.z"))
    XCTAssertThrowsError(try EventFile(in: folder.file("none"), host: "h", time: date(7))) {
      XCTAssertEqual(
        "\($0)", folder.file("none/events.out.tfevents.7.h") + ": there is no such file or folder.")
    }
  }

  func testAnyBytesBehindAGoodBeginningAreReadOrRefused() throws {
    let folder = try TemporaryFolder()
    var random = SeededRandom(seed: 4)
    let start = EventMessage.version(time: 1).record
    for _ in 0..<400 {
      var bytes = start + EventMessage.restart(step: 3, time: 2).record
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let i = Int.random(in: start.count..<bytes.count, using: &random)
        bytes[i] = .random(in: 0...255, using: &random)
      }
      if Bool.random(using: &random) {
        bytes += (0..<Int.random(in: 0...30, using: &random)).map { _ in
          .random(in: 0...255, using: &random)
        }
      }
      try folder.write(bytes, as: "fuzz")
      do {
        _ = try EventFile(at: folder.file("fuzz"))
        XCTAssertTrue(bytes.starts(with: folder.bytes("fuzz")))
      } catch { XCTAssertTrue("\(error)".contains("damaged at byte"), "\(error)") }
    }
  }
}
