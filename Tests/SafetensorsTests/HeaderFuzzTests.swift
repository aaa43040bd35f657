import Foundation
import Storage
import XCTest

@testable import Safetensors

/// Damages files in every way we could think of: each must be refused in one line, or be a file
/// whose every tensor lies inside it. Nothing may be read past its end.
final class HeaderFuzzTests: XCTestCase {
  func testDamagedFiles() throws {
    let memory = GuardedBytes(capacity: 1 << 20)
    let folder = try TemporaryFolder()
    var readCount = 0
    var kinds: [String: Int] = [:]
    let seeds = fuzzSeeds()
    for seed in seeds {
      var mutator = Mutator(seed: seed)
      let bytes = mutator.damagedFile()
      let context = "Repeat it with DISTILL_FUZZ_SEED=\(seed) DISTILL_FUZZ_CASES=1."
      do throws(SafetensorsError) {
        let header = try SafetensorsHeader(parsing: memory.place(bytes), file: "x")
        readCount += 1
        if let fault = fault(of: header, in: bytes) { XCTFail("\(fault) \(context)") }
      } catch {
        let message = error.description
        if !".?".contains(message.last ?? " ")
          || message.unicodeScalars.contains(where: { $0.value < 0x20 })
          || message.utf8.count > 2000
        {
          XCTFail("\(message) \(context)")
        }
        kinds[kind(of: message), default: 0] += 1
      }
      // Opening files takes longer; some of them are enough to see that it is the same.
      if seed.isMultiple(of: 20) {
        try folder.write(bytes, as: "x")
        let isRead = (try? SafetensorsHeader(parsing: memory.place(bytes), file: "x")) != nil
        let file = try? SafetensorsFile(at: folder.file("x"))
        XCTAssertEqual(file != nil, isRead, context)
        for tensor in file?.tensors ?? [] {
          let sum = tensor.withUnsafeBytes { $0.reduce(0) { $0 &+ Int($1) } }
          XCTAssertGreaterThanOrEqual(sum, 0, context)
        }
      }
    }
    guard seeds.count >= 20_000 else { return }
    // Otherwise the damage is too small or too great to test anything.
    XCTAssertGreaterThan(readCount, seeds.count / 20)
    XCTAssertLessThan(readCount, seeds.count / 2)
    XCTAssertGreaterThan(kinds.count, 40, "\(kinds.keys.sorted())")
  }

  /// What is wrong with a header that was accepted.
  private func fault(of header: SafetensorsHeader, in bytes: [UInt8]) -> String? {
    guard header.indices.count == header.entries.count else { return "Names are lost." }
    var end = 8 + bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    for (i, entry) in header.entries.enumerated() {
      let elements = entry.shape.reduce(1, *)
      guard entry.range.lowerBound == end, entry.range.upperBound <= bytes.count,
        entry.range.count * 8 == elements * entry.dtype.bitCount,
        header.indices[entry.name] == i
      else { return "\(entry) is not in its place." }
      end = entry.range.upperBound
    }
    return end == bytes.count ? nil : "Bytes are left."
  }

  /// A message without what comes from the file.
  private func kind(of message: String) -> String {
    var kind = ""
    var isQuoted = false
    for character in message {
      if character == "'" { isQuoted.toggle() }
      if !isQuoted && !character.isNumber { kind.append(character) }
    }
    return kind
  }
}

/// Makes a correct file, and damages it in its tensors, its text or its bytes.
private struct Mutator {
  private struct Tensor {
    var name: String
    var dtype: String
    var shape: [String]
    var offsets: [String]
    var extra = ""
    var keys = ["dtype", "shape", "data_offsets"]
  }

  private var random: SplitMix64
  private var tensors: [Tensor] = []
  private var metadata = ""
  private var dataCount = 0

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    let types = SafetensorsType.allCases.filter { $0.bitCount >= 8 }
    for i in 0..<Int.random(in: 0...6, using: &random) {
      let dtype = types.randomElement(using: &random) ?? .f32
      let shape = (0..<Int.random(in: 0...3, using: &random)).map { _ in
        Int.random(in: 0...4, using: &random)
      }
      let end = dataCount + shape.reduce(dtype.bitCount / 8, *)
      tensors.append(
        Tensor(
          name: "layers.\(i).weight", dtype: dtype.rawValue, shape: shape.map(String.init),
          offsets: [String(dataCount), String(end)]))
      dataCount = end
    }
    if Bool.random(using: &random) { metadata = #""__metadata__":{"format":"pt"}"# }
    tensors.shuffle(using: &random)
  }

  mutating func damagedFile() -> [UInt8] {
    var length: UInt64?
    let rounds = Int.random(in: 0...3, using: &random)
    let level = Int.random(in: 0..<4, using: &random)
    if level <= 1 { for _ in 0..<rounds { damageTensors() } }
    var header = Array(text().utf8)
    if level == 2 { for _ in 0..<rounds { damageText(&header) } }
    if oneIn(12) { length = interestingNumber().flatMap { UInt64($0) } ?? UInt64(header.count + 1) }
    if oneIn(12) { dataCount = max(0, dataCount + Int.random(in: -9...9, using: &random)) }
    var bytes = safetensors(header, data: dataCount, length: length)
    if level == 3 { for _ in 0..<rounds { damageBytes(&bytes) } }
    return bytes
  }

  private mutating func oneIn(_ n: Int) -> Bool { Int.random(in: 0..<n, using: &random) == 0 }

  private mutating func interestingNumber() -> String? {
    [
      "0", "1", "2", "7", "8", "-0", "-1", "1.0", "1e3", "01", "255", "65536", "2147483648",
      "4294967296", "100000000", "100000001", "1152921504606846976", "2305843009213693952",
      "4611686018427387904", "9223372036854775799", "9223372036854775807", "9223372036854775808",
      "18446744073709551608", "18446744073709551615", "18446744073709551616", "\"1\"", "null",
      "[1]", "true", "{}", "NaN", "",
    ].randomElement(using: &random)
  }

  private mutating func damageTensors() {
    guard let i = tensors.indices.randomElement(using: &random) else {
      metadata = damagedMetadata()
      return
    }
    let other = tensors.indices.randomElement(using: &random) ?? i
    switch Int.random(in: 0..<16, using: &random) {
    case 0:
      let dimension = interestingNumber() ?? ""
      let at = Int.random(in: 0...tensors[i].shape.count, using: &random)
      tensors[i].shape.insert(dimension, at: at)
    case 1:
      if let at = tensors[i].shape.indices.randomElement(using: &random) {
        tensors[i].shape[at] = interestingNumber() ?? ""
      }
    case 2:
      let at = Int.random(in: 0..<2, using: &random)
      if tensors[i].offsets.count > at { tensors[i].offsets[at] = interestingNumber() ?? "" }
    case 3: tensors[i].offsets.swapAt(0, tensors[i].offsets.count - 1)
    case 4: tensors[i].offsets.append("0")
    case 5:
      let shift = Int.random(in: -8...8, using: &random)
      tensors[i].offsets = tensors[i].offsets.map { String((Int($0) ?? 0) &+ shift) }
    case 6: tensors[i].offsets = tensors[other].offsets
    case 7: tensors[i].name = tensors[other].name
    case 8:
      tensors[i].name =
        ["", "__metadata__", "a\\u0000", "\\u0061", "é", "e\u{301}", "../../x", "\\n", "\\ud800"]
        .randomElement(using: &random) ?? ""
    case 9:
      tensors[i].dtype =
        ["", "F31", "f32", "BF16", "F4", "F6_E2M3", "BOOL", "\\u0000", "F32 "]
        .randomElement(using: &random) ?? ""
    case 10:
      tensors[i].keys.remove(at: Int.random(in: 0..<tensors[i].keys.count, using: &random))
      if tensors[i].keys.isEmpty { tensors.remove(at: i) }
    case 11: tensors[i].keys.append(tensors[i].keys.randomElement(using: &random) ?? "")
    case 12: tensors[i].keys.append("strides")
    case 13: metadata = damagedMetadata()
    case 14: tensors.remove(at: i)
    default: tensors.append(tensors[i])
    }
  }

  private mutating func damagedMetadata() -> String {
    [
      #""__metadata__":null"#, #""__metadata__":{"a":1}"#, #""__metadata__":{"a":"b","a":"c"}"#,
      #""__metadata__":{"a":"\u00e9"},"__metadata__":{}"#, #""__metadata__":[]"#,
      #""__metadata__":{"a":{"b":"c"}}"#,
    ].randomElement(using: &random) ?? ""
  }

  private func text() -> String {
    let members = tensors.map { tensor in
      let values = tensor.keys.map { key in
        switch key {
        case "dtype": #""dtype":"\#(tensor.dtype)""#
        case "shape": #""shape":[\#(tensor.shape.joined(separator: ","))]"#
        case "data_offsets": #""data_offsets":[\#(tensor.offsets.joined(separator: ","))]"#
        default: #""\#(key)":0"#
        }
      }
      return #""\#(tensor.name)":{\#(values.joined(separator: ","))}"#
    }
    return "{" + ((metadata.isEmpty ? [] : [metadata]) + members).joined(separator: ",") + "}"
  }

  /// Puts, takes and moves pieces of the text, at the places where JSON is sensitive.
  private mutating func damageText(_ text: inout [UInt8]) {
    let pieces = [
      "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "\\ud800", "0", "-", ".", "e9", " ", "\n",
      "\0",
      "null", "true", "NaN", "//", "/**/", "\u{feff}", "\u{2028}", "é", "[[[[[[[[", "{\"a\":",
      "\"__metadata__\":{}", "\"dtype\":\"F32\"", "\"shape\":[]", "9223372036854775807",
    ]
    let piece = Array((pieces.randomElement(using: &random) ?? "").utf8)
    let structural = text.indices.filter { "{}[]:,\"".utf8.contains(text[$0]) }
    guard let at = structural.randomElement(using: &random) else { return }
    switch Int.random(in: 0..<5, using: &random) {
    case 0: text.insert(contentsOf: piece, at: at)
    case 1: text.replaceSubrange(at..<(at + 1), with: piece)
    case 2: text.remove(at: at)
    case 3: text.swapAt(at, structural.randomElement(using: &random) ?? at)
    default:
      let other = structural.randomElement(using: &random) ?? at
      let range = min(at, other)..<max(at, other)
      if Bool.random(using: &random) {
        text.removeSubrange(range)
      } else {
        text.insert(contentsOf: Array(text[range]), at: at)
      }
    }
  }

  private mutating func damageBytes(_ bytes: inout [UInt8]) {
    guard let at = bytes.indices.randomElement(using: &random) else { return }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes.remove(at: at)
    case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
    case 4: bytes.removeSubrange(at...)
    default: bytes[Int.random(in: 0..<min(8, bytes.count), using: &random)] ^= UInt8(1 << 7)
    }
  }
}
