import Foundation
import XCTest

@testable import Storage

/// Damaged pickles and plain noise are refused in one sentence or read, and never past their end.
final class PickleFuzzTests: XCTestCase {
  /// What Python's own reader takes of damaged pickles is read here in the same way, or refused.
  func testDamagedPicklesAsPythonReadsThem() throws {
    var same = 0
    var refused = 0
    for row in try PickleFixture.rows("damaged.jsonl") {
      let pickle = try row.pickle()
      guard let value = try? PickleValue(pickle) else {
        refused += 1
        continue
      }
      same += 1
      XCTAssertEqual(value.tagged, row.value, "\(row.name): \(pickle)")
    }
    XCTAssertEqual(same, 164)
    XCTAssertEqual(refused, 298)
  }

  func testNoise() throws {
    let memory = GuardedBytes(capacity: 1 << 16)
    let cases = try PickleFixture.rows("cases.jsonl").flatMap { try $0.pickles() }
      .map(\.bytes).filter { $0.count < 2_000 }
    XCTAssertGreaterThan(cases.count, 40)
    let limits = PickleLimits(depth: 32, bytes: 1 << 16, values: 2_000, digits: 100)
    let seeds = fuzzSeeds(40_000)
    var readCount = 0
    for seed in seeds {
      var random = SplitMix64(seed: seed)
      var pickle: [UInt8]
      switch seed % 4 {
      case 0:
        pickle = (0..<Int.random(in: 0...200, using: &random)).map { _ in
          UInt8.random(in: 0...255, using: &random)
        }
      case 1:
        pickle = (0..<Int.random(in: 0...60, using: &random)).map { _ in
          Self.plain.randomElement(using: &random) ?? 0
        }
      default:
        pickle = cases.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...3, using: &random) { Self.damage(&pickle, &random) }
      }
      let context = "Repeat it with DISTILL_FUZZ_SEED=\(seed) DISTILL_FUZZ_CASES=1."
      do throws(PickleError) {
        let value = try PickleValue(parsing: memory.place(pickle), source: "x", limits: limits)
        readCount += 1
        if let json = try? value.json(source: "x") {
          let again = try? JSONValue(parsing: json.serialized(), source: "y")
          XCTAssertEqual(again, json, context)
        }
      } catch {
        let message = error.description
        if !message.hasPrefix("x: ") || !message.hasSuffix(".") || message.utf8.count > 300
          || message.unicodeScalars.contains(where: { $0.value < 0x20 })
        {
          XCTFail("\(message) \(context)")
        }
      }
    }
    guard seeds.count >= 40_000 else { return }
    XCTAssertGreaterThan(readCount, seeds.count / 40)
    XCTAssertLessThan(readCount, seeds.count / 4)
  }

  /// Operations of plain data, and what they take most often.
  private static let plain: [UInt8] =
    Array("(.0012()]}aeelltduusNNKKIFVU2pqhg01\n\n\nab''".utf8) + [
      0, 1, 1, 2, 3, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x94, 0x95,
    ]

  private static func damage(_ pickle: inout [UInt8], _ random: inout SplitMix64) {
    guard let at = pickle.indices.randomElement(using: &random) else { return }
    let end = min(pickle.count, at + Int.random(in: 1...20, using: &random))
    switch Int.random(in: 0..<7, using: &random) {
    case 0: pickle[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: pickle[at] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
    case 2: pickle.removeSubrange(at..<end)
    case 3: pickle.removeSubrange(at...)
    case 4: pickle.insert(UInt8.random(in: 0...255, using: &random), at: at)
    case 5: pickle[at] = plain.randomElement(using: &random) ?? 0
    default: pickle.insert(contentsOf: Array(pickle[at..<end]), at: at)
    }
  }
}
