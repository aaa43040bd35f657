import Foundation
import Storage
import XCTest

@testable import Datasets

final class PreparedDataTests: XCTestCase {
  private func documents(_ count: Int) -> [RenderedDocument] {
    var random = SeededRandom(seed: 5)
    return (0..<count).map { _ in
      let length = Int.random(in: 1...23, using: &random)
      return RenderedDocument(
        ids: (0..<length).map { _ in Int32.random(in: 0...200_000, using: &random) },
        supervised: (0..<length).map { _ in Bool.random(using: &random) })
    }
  }

  private func write(_ documents: [RenderedDocument], to path: String, key: String = "k") throws {
    var writer = try PreparedDataWriter(at: path, key: key, sources: 3, idLimit: 200_001)
    for (i, document) in documents.enumerated() {
      try writer.append(document, source: i % 3, sample: 5 * i + 2)
    }
    try writer.finish(report: JSONObject(members: [("x", .string("y"))]))
  }

  func testWhatIsWrittenIsRead() throws {
    for count in [0, 1, 101] {
      let path = try temporaryFolder(self) + "/data"
      let documents = documents(count)
      try write(documents, to: path)
      let data = try PreparedData(at: path, key: "k")
      XCTAssertEqual(data.count, count)
      XCTAssertEqual(data.key, "k")
      XCTAssertEqual(data.report["x"], .string("y"))
      XCTAssertEqual(data.lengths, documents.map(\.ids.count))
      for (i, document) in documents.enumerated() {
        XCTAssertEqual(try data.document(i).ids, document.ids)
        XCTAssertEqual(try data.document(i).supervised, document.supervised)
        XCTAssertEqual(data.source(of: i), i % 3)
        XCTAssertEqual(data.sample(of: i), 5 * i + 2)
        XCTAssertEqual(data.supervisedCount(of: i), document.supervisedCount)
      }
    }
  }

  /// Nothing is there until it is finished, and what was there stays.
  func testNothingHalf() throws {
    let path = try temporaryFolder(self) + "/data"
    try write(documents(3), to: path, key: "old")
    do {
      var writer = try PreparedDataWriter(
        at: path, key: "new", sources: 3, idLimit: 200_001)
      try writer.append(documents(1)[0], source: 0, sample: 0)
    }
    XCTAssertEqual(try PreparedData(at: path).key, "old")
    try write(documents(2), to: path, key: "new")
    XCTAssertEqual(try PreparedData(at: path).key, "new")
    XCTAssertEqual(
      try FileManager.default.contentsOfDirectory(atPath: path).sorted(),
      ["documents.bin", "prepared.json", "tokens.bin"])
  }

  func testMistakes() throws {
    let path = try temporaryFolder(self) + "/data"
    let again = " Remove the folder; it will be made again."
    assertThrows("\(path): no prepared data.\(again)") { try PreparedData(at: path) }
    try write(documents(5), to: path)
    assertThrows(
      "\(path): it was prepared from other samples, or with other settings.\(again)"
    ) { try PreparedData(at: path, key: "other") }
    let tokens = documents(5).reduce(0) { $0 + $1.ids.count }
    let handle = try XCTUnwrap(FileHandle(forUpdatingAtPath: path + "/tokens.bin"))
    try handle.truncate(atOffset: UInt64(4 * tokens - 1))
    assertThrows(
      "\(path)/tokens.bin: it has \(4 * tokens - 1) bytes, not \(tokens) times 4.\(again)"
    ) { try PreparedData(at: path) }
    try write(documents(5), to: path)
    let records = try XCTUnwrap(FileHandle(forUpdatingAtPath: path + "/documents.bin"))
    try records.write(contentsOf: Data(repeating: 0, count: 8))
    assertThrows(
      "\(path)/documents.bin: document 0 ends at token 0, behind 0 of \(tokens).\(again)"
    ) { try PreparedData(at: path) }
    try FileManager.default.removeItem(atPath: path + "/documents.bin")
    assertThrows(
      "\(path): \(path)/documents.bin: there is no such file or folder.\(again)"
    ) { try PreparedData(at: path) }
  }

  /// Whatever the files hold, they are read or refused; no index leaves them.
  func testMutatedFiles() throws {
    var random = SeededRandom(seed: 6)
    let path = try temporaryFolder(self) + "/data"
    try write(documents(7), to: path)
    let originals = try PreparedData.fileNames.map {
      Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\($0)")))
    }
    var (read, refused) = (0, 0)
    for _ in 0..<5_000 {
      let file = Int.random(in: 0..<3, using: &random)
      var bytes = originals[file]
      for _ in 0...Int.random(in: 0...2, using: &random) {
        let i = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[i] = UInt8.random(in: .min ... .max, using: &random)
        case 1: bytes[i] = 0xFF
        case 2: bytes.remove(at: i)
        default: bytes[i] = UInt8.random(in: 0x30...0x39, using: &random)
        }
      }
      let url = URL(fileURLWithPath: "\(path)/\(PreparedData.fileNames[file])")
      try Data(bytes).write(to: url)
      do throws(PreparedDataError) {
        let data = try PreparedData(at: path)
        for i in 0..<data.count {
          XCTAssertLessThan(data.source(of: i), 3)
          XCTAssertLessThanOrEqual(data.supervisedCount(of: i), data.length(of: i))
          let (ids, supervised) = try data.document(i)
          XCTAssertEqual(ids.count, data.length(of: i))
          XCTAssertEqual(supervised.count, ids.count)
          XCTAssertLessThan(ids.max() ?? 0, 200_001)
        }
        read += 1
      } catch {
        refused += 1
      }
      try Data(originals[file]).write(to: url)
    }
    XCTAssertGreaterThan(read, 50)
    XCTAssertGreaterThan(refused, 100)
  }
}
