import Models
import Safetensors
import Tensors
import XCTest

/// Decoders whose weights are kept packed, against those they were packed from, to the bit.
final class PackedDecoderTests: XCTestCase {
  /// A row of documents, and a sequence in steps on both sides of the narrow products.
  private func assertSameLogits(
    _ packed: Decoder, _ decoder: Decoder, _ model: TinyModel, _ what: String, line: UInt = #line
  ) throws {
    XCTAssertEqual(packed.precision, .bfloat16, what, line: line)
    let row = model.lesson([37, 1, 225]).row
    assertSame(
      try packed.logits(row).elements, try decoder.logits(row).elements, what, line: line)
    let tokens = model.tokens(80)
    let expected = try decoder.logits(PackedTokens(tokens))
    let cache = KeyValueCache(packed, capacity: 80)
    for count in [70, 1, 9] {
      let found = try cache.append(Array(tokens[cache.count..<cache.count + count]))
      assertSame(
        found.elements, expected.rows(cache.count - 1..<cache.count).elements,
        "\(what), token \(cache.count - 1)", line: line)
    }
  }

  func testPackedFromADecoder() throws {
    for model in try TinyModel.all(TinyModel.wide) {
      let decoder = model.decoder(.bfloat16)
      let packed = Decoder(packing: decoder)
      try assertSameLogits(packed, decoder, model, model.name)
      // What is packed can't be trained; vectors and the embedding are as they were.
      XCTAssertEqual(
        packed.parameters.map(\.name),
        decoder.parameters.map(\.name).filter {
          !$0.hasSuffix("proj.weight") && $0 != "lm_head.weight"
        }, model.name)
    }
  }

  /// Weights that are trained in bfloat16 are packed as they are, the embedding too.
  func testPackedFromBFloat16() throws {
    for model in try TinyModel.families(TinyModel.wide) {
      let folder = try ModelFolder(model)
      let checkpoint = try Checkpoint(at: folder.path)
      let decoder = try checkpoint.decoder(precision: .bfloat16, storage: .bfloat16)
      let packed = Decoder(packing: decoder)
      try assertSameLogits(packed, decoder, model, model.name)
      XCTAssertTrue(packed.parameters.allSatisfy { $0.shape.count == 1 }, model.name)
      for parameter in decoder.parameters {
        guard case .bfloat16(let words) = parameter.storage else { continue }
        // To the other side of 0.
        for i in 0..<parameter.count where i % 3 == 0 { words[i] ^= 0x8000 }
      }
      packed.repack(decoder)
      try assertSameLogits(packed, decoder, model, "\(model.name), changed")
    }
  }

  /// Weights of more rows than are packed at a time, some of them of two parts.
  func testManyRows() throws {
    let sizes = TinyModel.Sizes(vocabulary: 2503, hidden: 34, intermediate: 1301, layers: 1)
    for model in try TinyModel.families(sizes) {
      let decoder = model.decoder(.bfloat16)
      try assertSameLogits(Decoder(packing: decoder), decoder, model, model.name)
    }
  }

  func testRepackingFollowsChangedWeights() throws {
    for model in try TinyModel.all(TinyModel.wide) {
      let decoder = model.decoder(.bfloat16)
      let packed = Decoder(packing: decoder)
      let row = model.lesson([37, 5]).row
      for (index, parameter) in decoder.parameters.enumerated() {
        let before = Array(try packed.logits(row).elements)
        // One parameter at a time: none may be left behind.
        for i in parameter.value.elements.indices { parameter.value.elements[i] *= 1.25 }
        packed.repack(decoder)
        let found = Array(try packed.logits(row).elements)
        let what = "\(model.name), \(parameter.name)"
        assertSame(found, try decoder.logits(row).elements, what)
        // A bias of keys moves all scores alike.
        if index % 3 == 0, !parameter.name.hasSuffix("bias") {
          XCTAssertNotEqual(found, before, what)
        }
      }
      try assertSameLogits(packed, decoder, model, model.name)
    }
  }

  func testPackedFromCheckpoints() throws {
    for model in try TinyModel.all() {
      let folder = try ModelFolder(model)
      for dtype in [SafetensorsType.f32, .f16, .bf16] {
        if dtype != .f32 {
          try folder.edit { tensors in
            for index in tensors.indices {
              // From float32 to float16, and then to bfloat16.
              let floats =
                tensors[index].dtype == .f32
                ? tensors[index].floats : self.floats(ofHalves: tensors[index].bytes)
              let halves = floats.map { dtype == .f16 ? Self.half($0) : Self.bfloat16($0) }
              tensors[index].dtype = dtype
              tensors[index].bytes = halves.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
            }
          }
        }
        let checkpoint = try Checkpoint(at: folder.path)
        XCTAssertEqual(checkpoint.dtypes, [dtype])
        let decoder = try checkpoint.decoder(precision: .bfloat16)
        let packed = try checkpoint.packedDecoder()
        let what = "\(model.name), \(dtype)"
        try assertSameLogits(packed, decoder, model, what)
        XCTAssertEqual(
          packed.parameters.contains { $0.name == "model.embed_tokens.weight" }, dtype != .bf16,
          what)
      }
    }
  }

  /// To the nearest float16, for the normal numbers that a small model holds; others become 0.
  private static func half(_ x: Float) -> UInt16 {
    let sign = UInt16(x.sign == .minus ? 0x8000 : 0)
    if abs(x) < 0x1p-14 { return sign }
    let rounded = (x.bitPattern & 0x7fff_ffff) + 0xfff + (x.bitPattern >> 13 & 1)
    return sign | UInt16((rounded >> 13) - (112 << 10))
  }

  private static func bfloat16(_ x: Float) -> UInt16 {
    UInt16((x.bitPattern &+ 0x7fff &+ (x.bitPattern >> 16 & 1)) >> 16)
  }

  private func floats(ofHalves bytes: [UInt8]) -> [Float] {
    stride(from: 0, to: bytes.count, by: 2).map { index in
      let half = UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8
      if half & 0x7fff == 0 { return half == 0 ? 0 : -0.0 }
      return Float(bitPattern: (half & 0x8000) << 16 | (((half & 0x7fff) << 13) + (112 << 23)))
    }
  }

  /// Every part of a step is in one share, in order; where sharing would not help there is one.
  func testSharesOfAStep() throws {
    let model = try TinyModel.all()[0]
    let packed = Decoder(packing: model.decoder(.bfloat16))
    let before = ThreadPool.shared.threads
    defer { ThreadPool.shared.threads = before }
    ThreadPool.shared.threads = 3
    let ones = [Int](repeating: 1, count: 200)
    for tokens in [ones, ones + [33, 7], [30, 1, 5] + ones, (0..<60).map { 1 + $0 % 7 }] {
      let shares = packed.shares(of: tokens)
      XCTAssertEqual(shares.flatMap { Array($0) }, Array(tokens.indices), "\(tokens)")
      XCTAssertGreaterThan(shares.count, 3, "\(tokens)")
      let counts = shares.map { tokens[$0].reduce(0, +) }
      XCTAssertTrue(counts.allSatisfy { $0 > 0 && $0 <= 80 }, "\(counts)")
    }
    for tokens in [[], [5], [Int](repeating: 1, count: 63), ones + [400]] {
      XCTAssertEqual(packed.shares(of: tokens), [0..<tokens.count], "\(tokens)")
    }
    XCTAssertEqual(model.decoder(.bfloat16).shares(of: ones), [0..<200], "not packed")
    ThreadPool.shared.run(2) { _, _ in
      XCTAssertEqual(packed.shares(of: ones), [0..<200], "within a loop")
    }
    ThreadPool.shared.threads = 1
    XCTAssertEqual(packed.shares(of: ones), [0..<200], "one thread")
  }
}
