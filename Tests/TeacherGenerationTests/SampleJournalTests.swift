import Foundation
import Storage
import Teachers
import XCTest

@testable import Storage
@testable import TeacherGeneration
@testable import Teachers

/// What was stored stays, and what was damaged is seen.
final class SampleJournalTests: XCTestCase {
  private func record(_ i: Int) -> SampleRecord {
    SampleRecord(
      key: String(repeating: "0", count: 61) + String(format: "%03x", i), problem: "p\(i / 3)",
      sample: i % 3,
      settings: SamplingChoices(
        temperature: 0.1 * Double(i), topP: 0.95, maxTokens: 1 + i, seed: .max - UInt64(i),
        stop: i % 2 == 0 ? [] : ["\n\n", "é\u{0}"]),
      answer: TeacherAnswer(
        reasoning: i % 4 == 0 ? nil : "\r\n think \"\(i)\" \u{2028} e\u{301}",
        content: String(repeating: "x\\", count: i % 7), finishReason: i % 5 == 0 ? .length : .stop,
        promptTokens: i % 2 == 0 ? nil : i, completionTokens: i % 3 == 0 ? nil : 2 * i,
        model: "m", attempts: 1 + i % 3, seconds: 0.25 * Double(i)),
      time: SampleRecord.timeText(1_700_000_000 + Double(i)))
  }

  private func records(_ path: String) throws -> [SampleRecord] {
    var records: [SampleRecord] = []
    _ = try SampleJournal(at: path) { object, number, range in
      XCTAssertEqual(number, records.count + 1)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))[range]
      XCTAssertEqual(Array(bytes), Array(JournalLine.encoded(object)))
      records.append(try SampleRecord(object, place: "\(path):\(number)"))
    }
    return records
  }

  func testTheBytesOfALine() throws {
    var small = record(1)
    small.answer.reasoning = "a"
    small.settings.stop = []
    let text = String(decoding: JournalLine.encoded(small.json), as: UTF8.self)
    XCTAssertEqual(
      text,
      #"{"key":"\#(small.key)","problem":"p0","sample":1,"time":"2023-11-14T22:13:21.000Z","#
        + #""settings":{"temperature":0.1,"topP":0.95,"maxTokens":2,"seed":18446744073709551614,"#
        + #""stop":[]},"answer":{"model":"m","finishReason":"stop","promptTokens":1,"#
        + #""completionTokens":2,"attempts":2,"seconds":0.25,"reasoning":"a","content":"x\\"},"#
        + #""crc32c":"\#(text.suffix(10).prefix(8))"}"#)
    // The checksum by its definition, bit by bit.
    var crc = ~UInt32(0)
    for byte in text.utf8.dropLast(21) {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
    XCTAssertEqual(String(text.suffix(10).prefix(8)), String(format: "%08x", ~crc))
    let place = "x.jsonl:1"
    XCTAssertEqual(
      try SampleRecord(JournalLine.decoded(Array(text.utf8), place: place), place: place), small)
  }

  func testEveryRecordComesBack() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("samples.jsonl")
    let written = (0..<200).map(record)
    for part in [written[..<90], written[90...]] {
      let journal = try SampleJournal(at: path) { _, _, _ in }
      for record in part { try journal.append(record) }
    }
    XCTAssertEqual(try records(path), written)
  }

  /// Files of 200 records, cut at every byte: the whole records stay, and the next one is clean.
  func testCutAtEveryByte() throws {
    // Short ones at every byte; long ones at every byte of the last two, which takes a while.
    let short = (0..<200).map { i in
      JSONObject(members: [("sample", .number(JSONNumber(i * i)))])
    }
    try cut(short, from: 0)
    try cut((0..<200).map { record($0).json }, from: 198)
  }

  private func cut(_ objects: [JSONObject], from first: Int) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("samples.jsonl")
    let lines = objects.map { JournalLine.encoded($0) + Data("\n".utf8) }
    let whole = lines.reduce(into: Data()) { $0.append($1) }
    let ends = lines.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
    let next = JournalLine.encoded(record(7).json) + Data("\n".utf8)
    for count in ends[first]...whole.count {
      let kept = ends.lastIndex { $0 <= count } ?? 0
      // Without Foundation, which waits for the disk.
      unlink(path)
      let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
      let written = whole.withUnsafeBytes { write(descriptor, $0.baseAddress, count) }
      close(descriptor)
      XCTAssertEqual(written, count)
      var found: [JSONObject] = []
      var areInPlace = true
      let journal = try SampleJournal(at: path) { object, number, range in
        areInPlace = areInPlace && range == ends[number - 1]..<ends[number] - 1
        found.append(object)
      }
      XCTAssertTrue(areInPlace, "\(count)")
      XCTAssertEqual(found, Array(objects[..<kept]), "\(count)")
      try journal.append(record(7))
      var expected = Data(whole[..<ends[kept]])
      expected.append(next)
      XCTAssertEqual(try Data(contentsOf: URL(fileURLWithPath: path)), expected, "\(count)")
    }
  }

  func testDamageIsNamed() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("samples.jsonl")
    let lines = (0..<3).map {
      String(decoding: JournalLine.encoded(record($0).json), as: UTF8.self)
    }
    func error(_ lines: [String]) throws -> String? {
      try folder.write(lines.map { $0 + "\n" }.joined(), as: "samples.jsonl")
      return sentence { _ = try records(path) }
    }
    XCTAssertNil(try error(lines))
    let damaged = lines.map { $0.replacingOccurrences(of: "\"m\"", with: "\"n\"") }
    let doesNotFit =
      "the line does not fit its checksum: it was damaged after it was written. Put a copy of the "
      + "file in its place, or remove the line: what it held is then asked for again."
    XCTAssertEqual(try error([damaged[0], lines[1], lines[2]]), "\(path):1: \(doesNotFit)")
    XCTAssertEqual(try error([lines[0], damaged[1], lines[2]]), "\(path):2: \(doesNotFit)")
    // Whole, with its line feed, at the very end: it was promised.
    XCTAssertEqual(try error([lines[0], lines[1], damaged[2]]), "\(path):3: \(doesNotFit)")
    let hasNone =
      "the line has no checksum at its end: it is damaged, or no line of a journal. Put a copy of the "
      + "file in its place, or remove the line."
    for line in ["", "{}", "{\"a\":1}", String(lines[1].dropLast()), ",\"crc32c\":\"00000000\"}"] {
      XCTAssertEqual(try error([lines[0], line, lines[2]]), "\(path):2: \(hasNone)")
    }
    // Two lines that grew together.
    XCTAssertEqual(
      try error([lines[0] + lines[1]]), "\(path):1: \(doesNotFit)")
  }

  func testWhatIsNoRecord() {
    func error(_ change: (inout [(key: String, value: JSONValue)]) -> Void) -> String? {
      var members = record(1).json.members
      change(&members)
      return sentence { _ = try SampleRecord(JSONObject(members: members), place: "s.jsonl:4") }
    }
    XCTAssertNil(error { _ in })
    XCTAssertNil(error { $0.append(("later", .null)) })
    XCTAssertEqual(error { $0.removeFirst() }, "s.jsonl:4: there is no 'key'.")
    XCTAssertEqual(
      error { $0[0].value = .string("AB") },
      "s.jsonl:4: 'key' must be 64 hexadecimal digits in small letters.")
    XCTAssertEqual(
      error { $0[2].value = .number(JSONNumber(text: "-1")) },
      "s.jsonl:4: 'sample' must be a whole number, 0 or above.")
    XCTAssertEqual(
      error { $0[5].value = .array([]) }, "s.jsonl:4: 'answer' must be an object.")
    XCTAssertEqual(
      error { $0[5].value = .object(JSONObject(members: [("content", .null)])) },
      "s.jsonl:4: 'content' must be a text.")
  }

  /// No space: an error of a type, and no part of the record.
  func testAFullDisk() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("samples.jsonl")
    let journal = try SampleJournal(at: path) { _, _, _ in }
    try journal.append(record(0))
    for first in [FileSystem.Fault.short, .error(ENOSPC)] {
      let faults = Faults([first, .error(ENOSPC)])
      FileSystem.fault = { $0 == .write ? faults.next() : nil }
      defer { FileSystem.fault = nil }
      XCTAssertThrowsError(try journal.append(record(1))) {
        XCTAssertEqual(($0 as? FileError)?.reason, .noSpace)
      }
    }
    try journal.append(record(2))
    XCTAssertEqual(
      try folder.text("samples.jsonl"),
      [0, 2].map { String(decoding: JournalLine.encoded(record($0).json), as: UTF8.self) + "\n" }
        .joined())
  }

  func testWhenLinesReachTheDisk() throws {
    let folder = try TemporaryFolder()
    let syncs = Faults([])
    FileSystem.fault = { call in
      if call == .sync { _ = syncs.next() }
      return nil
    }
    defer { FileSystem.fault = nil }
    let journal = try SampleJournal(
      at: folder.file("a"), durability: .init(records: 3, seconds: 3_000)
    ) { _, _, _ in }
    let before = syncs.count
    for i in 0..<7 { try journal.append(record(i)) }
    XCTAssertEqual(syncs.count - before, 2)
    try journal.synchronizeIfDue()
    XCTAssertEqual(syncs.count - before, 2)
    try journal.synchronize()
    try journal.synchronize()
    XCTAssertEqual(syncs.count - before, 3)
    let quick = try SampleJournal(
      at: folder.file("b"), durability: .init(records: 1_000, seconds: 0.01)
    ) { _, _, _ in }
    let start = syncs.count
    try quick.append(record(0))
    usleep(20_000)
    try quick.synchronizeIfDue()
    XCTAssertEqual(syncs.count - start, 1)
    FileSystem.fault = { $0 == .sync ? .error(EIO) : nil }
    try quick.append(record(0))
    XCTAssertThrowsError(try quick.synchronize()) { XCTAssertTrue($0 is FileError) }
  }

  /// Any bytes are a record, or an error that names the line.
  func testFuzz() throws {
    var random = SplitMix64(state: 5)
    let good = Array(JournalLine.encoded(record(9).json))
    var accepted = 0
    for round in 0..<20_000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        guard !bytes.isEmpty else { break }
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: at)
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
        default: bytes = Array(bytes[..<max(1, at)])
        }
      }
      if round % 2 == 0 {
        // With a checksum that fits.
        let content = Array(bytes.dropLast(min(21, bytes.count)))
        bytes =
          content
          + Array(",\"crc32c\":\"\(String(format: "%08x", CRC32C.checksum(content)))\"}".utf8)
      }
      do {
        let record = try SampleRecord(JournalLine.decoded(bytes, place: "f:1"), place: "f:1")
        XCTAssertEqual(record.json.members.count, 6)
        accepted += 1
      } catch {
        XCTAssertTrue("\(error)".hasPrefix("f:1: "), "\(error)")
      }
    }
    XCTAssertGreaterThan(accepted, 300)
  }

  func testTimes() {
    for (seconds, text) in [
      (0, "1970-01-01T00:00:00.000Z"), (951_782_399.9994, "2000-02-28T23:59:59.999Z"),
      (951_782_400, "2000-02-29T00:00:00.000Z"), (951_868_800, "2000-03-01T00:00:00.000Z"),
      (4_107_542_400, "2100-03-01T00:00:00.000Z"), (-5, "1970-01-01T00:00:00.000Z"),
      (1_737_360_309.123, "2025-01-20T08:05:09.123Z"),
    ] as [(Double, String)] {
      XCTAssertEqual(SampleRecord.timeText(seconds), text)
    }
    let formatter = ISO8601DateFormatter()
    formatter.formatOptions.insert(.withFractionalSeconds)
    for day in stride(from: 0, to: 40_000, by: 13) {
      let seconds = Double(day) * 86_400 + 12_345.5
      XCTAssertEqual(
        SampleRecord.timeText(seconds), formatter.string(from: Date(timeIntervalSince1970: seconds))
      )
    }
  }
}

/// Faults that come one after the other, and then none.
final class Faults: @unchecked Sendable {
  private let lock = NSLock()
  private let faults: [FileSystem.Fault?]
  private var calls = 0

  init(_ faults: [FileSystem.Fault?]) { self.faults = faults }

  var count: Int { lock.withLock { calls } }

  func next() -> FileSystem.Fault? {
    lock.withLock {
      calls += 1
      return faults.indices.contains(calls - 1) ? faults[calls - 1] : nil
    }
  }
}
