import Foundation
import Storage
import XCTest

@testable import Teachers

/// A run's samples are read once each, wherever they stand.
final class SampleFolderTests: XCTestCase {
  private func record(_ i: Int, _ content: String = "x") -> SampleRecord {
    SampleRecord(
      key: String(repeating: String(format: "%02x", i), count: 32), problem: "p\(i)", sample: 0,
      settings: SamplingChoices(),
      answer: TeacherAnswer(content: content, finishReason: .stop, model: "m"),
      time: "2025-01-20T08:05:09.123Z")
  }

  private func lines(_ records: [SampleRecord]) -> String {
    records.map { String(decoding: JournalLine.encoded($0.json), as: UTF8.self) + "\n" }.joined()
  }

  private func write(
    _ folder: TemporaryFolder, _ name: String, _ text: String, identity: String = "{\"teacher\":1}"
  ) throws {
    try FileManager.default.createDirectory(
      atPath: folder.file(name), withIntermediateDirectories: true)
    try folder.write(text, as: name + "/samples.jsonl")
    try folder.write(identity, as: name + "/identity.json")
  }

  private func read(_ path: String) throws -> [SampleRecord] {
    let folder = try SampleFolder(at: path)
    var found: [SampleRecord] = []
    try folder.forEachRecord { record, place in
      found.append(record)
      XCTAssertEqual(try folder.record(at: place), record)
    }
    return found
  }

  func testOneFolder() throws {
    let folder = try TemporaryFolder()
    let records = (0..<20).map { record($0, String(repeating: "é\n", count: $0)) }
    // The last line is not whole yet; one stands there twice.
    try write(folder, "run", lines(records) + lines([records[3]]) + lines([record(30)]).dropLast(9))
    XCTAssertEqual(try read(folder.file("run")), records)
    let run = try SampleFolder(at: folder.file("run"))
    XCTAssertEqual(run.shards.count, 1)
    XCTAssertNil(run.shards[0].number)
    XCTAssertEqual(
      run.shards[0].identity, JSONObject(members: [("teacher", .number(JSONNumber(1)))]))
    try write(folder, "empty", "")
    XCTAssertEqual(try read(folder.file("empty")), [])
    try FileManager.default.removeItem(atPath: folder.file("empty/samples.jsonl"))
    XCTAssertEqual(try read(folder.file("empty")), [])
  }

  func testShardsAreReadInTheirOrder() throws {
    let folder = try TemporaryFolder()
    let records = (0..<12).map { record($0) }
    try write(folder, "run/shard-10-of-11", lines(Array(records[8...])), identity: "{\"shard\":3}")
    try write(folder, "run/shard-2-of-11", lines(Array(records[..<8])), identity: "{\"shard\":2}")
    XCTAssertEqual(try read(folder.file("run")), records)
    let run = try SampleFolder(at: folder.file("run"))
    XCTAssertEqual(run.shards.map { $0.number?.index }, [2, 10])
    XCTAssertEqual(run.missingShards, [0, 1, 3, 4, 5, 6, 7, 8, 9])
    // A copy in another shard is the same sample.
    try write(
      folder, "run/shard-3-of-11", lines([records[1], record(40)]), identity: "{\"shard\":4}")
    XCTAssertEqual(
      try read(folder.file("run")), Array(records[..<8]) + [record(40)] + Array(records[8...]))
  }

  func testTwoSamplesWithOneKey() throws {
    let folder = try TemporaryFolder()
    try write(folder, "run/shard-0-of-2", lines([record(0), record(1), record(2)]))
    try write(folder, "run/shard-1-of-2", lines([record(3), record(1, "other")]))
    let run = folder.file("run")
    XCTAssertEqual(
      sentence { _ = try read(run) },
      "\(run)/shard-1-of-2/samples.jsonl:2: the sample 0 of problem 'p1' is another than in "
        + "\(run)/shard-0-of-2/samples.jsonl:2, although both have one key. Remove one of the lines."
    )
  }

  func testWhatIsRefused() throws {
    let folder = try TemporaryFolder()
    func error(_ name: String) -> String? { sentence { _ = try read(folder.file(name)) } }
    XCTAssertEqual(
      error("none"), "\(folder.file("none")): there is no such file or folder.")
    try folder.write("", as: "file")
    XCTAssertEqual(
      error("file"),
      "\(folder.file("file")): a part of this path is a file, where a folder is needed.")
    for name in [
      "shard-2-of-2", "shard-00-of-2", "shard-0-of-2x", "shard--1-of-2", "shard-0-of-99999",
    ] {
      try write(folder, "strange/\(name)", "")
    }
    XCTAssertEqual(
      error("strange"),
      "\(folder.file("strange")): no folder of samples: it has neither 'identity.json' nor folders "
        + "'shard-0-of-2'. Name the 'output' of the recipe that the samples were drawn with.")
    try write(folder, "mixed/shard-0-of-2", "")
    try write(folder, "mixed/shard-1-of-3", "")
    XCTAssertEqual(
      error("mixed"),
      "\(folder.file("mixed")): it has shards of 2 and of 3, which are different runs. Move one of them "
        + "away.")
    try write(folder, "unlike/shard-0-of-2", "", identity: "{\"teacher\":1,\"toolkit\":\"1\"}")
    try write(folder, "unlike/shard-1-of-2", "", identity: "{\"teacher\":2,\"toolkit\":\"2\"}")
    XCTAssertEqual(
      error("unlike"),
      "\(folder.file("unlike"))/shard-1-of-2: its 'teacher' is another than that of "
        + "\(folder.file("unlike"))/shard-0-of-2: they are different runs. Move one of them away.")
    try write(folder, "list", "", identity: "[]")
    XCTAssertEqual(
      error("list"), "\(folder.file("list"))/identity.json: an object must stand there.")
    try write(folder, "broken", "", identity: "{")
    XCTAssertTrue(
      try XCTUnwrap(error("broken")).hasPrefix("\(folder.file("broken"))/identity.json:1:"))
    try write(folder, "damaged", lines([record(0)]) + "{}\n")
    XCTAssertEqual(
      error("damaged"),
      "\(folder.file("damaged"))/samples.jsonl:2: the line has no checksum at its end: it is damaged, or "
        + "no line of a journal. Put a copy of the file in its place, or remove the line.")
  }

  func testPlacesThatAreNone() throws {
    let folder = try TemporaryFolder()
    try write(folder, "run", lines([record(0)]))
    let run = try SampleFolder(at: folder.file("run"))
    let path = folder.file("run/samples.jsonl")
    for (offset, length) in [(-1, 4), (5, .max), (.max, 1), (100_000, 3)] as [(Int, Int)] {
      XCTAssertEqual(
        sentence { _ = try run.record(at: .init(shard: 0, offset: offset, length: length)) },
        "\(path), byte \(offset): the file has no record there.")
    }
    XCTAssertEqual(
      sentence { _ = try run.record(at: .init(shard: 1, offset: 0, length: 1)) },
      "\(folder.file("run")): there is no shard 1.")
    XCTAssertNotNil(sentence { _ = try run.record(at: .init(shard: 0, offset: 1, length: 30)) })
  }
}
