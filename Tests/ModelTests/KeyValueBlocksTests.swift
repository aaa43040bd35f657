import Models
import Tensors
import XCTest

/// The blocks of a cache that sequences share: how they are counted, and what sequences that share
/// them, or stand beside each other in a step, compute.
final class KeyValueBlocksTests: XCTestCase {
  private func tiny() throws -> Decoder { try TinyModel.all()[4].decoder(.bfloat16) }

  /// Stores `tokens` more of a sequence.
  private func append(
    _ decoder: Decoder, _ sequence: CachedSequence, _ tokens: Int, line: UInt = #line
  ) throws {
    let hasRoom = sequence.reserve(tokens)
    // A step without room would trap.
    _ = try XCTUnwrap(hasRoom ? true : nil, "no room for \(tokens)", line: line)
    let ids = (0..<tokens).map { Int32((7 * $0 + sequence.count) % 97) }
    _ = try decoder.step([SequencePart(sequence, ids, wantsLogits: false)])
  }

  private func assertUsed(_ memory: KeyValueBlocks, _ used: Int, line: UInt = #line) {
    XCTAssertEqual(memory.usedCount, used, "used", line: line)
    XCTAssertEqual(memory.freeCount, memory.capacity - used, "free", line: line)
  }

  func testCountsOfBlocks() throws {
    let decoder = try tiny()
    let memory = KeyValueBlocks(decoder, capacity: 5)
    let size = memory.blockTokens
    XCTAssertEqual(
      [0, 1, size, size + 1, 2 * size].map(memory.blocks), [0, 1, 1, 2, 2])
    assertUsed(memory, 0)
    XCTAssertEqual(memory.byteCount, 0)
    let bytes = KeyValueBlocks.blockBytes(decoder.configuration, precision: .bfloat16)
    // Two bytes for each key and value of 2 layers with a head of 14 channels, filled up to panels.
    XCTAssertGreaterThanOrEqual(bytes, 2 * 2 * 14 * size * 2)

    let sequence = CachedSequence(in: memory)
    XCTAssertEqual(sequence.missingBlocks(for: 0), 0)
    XCTAssertEqual(sequence.missingBlocks(for: 1), 1)
    XCTAssertEqual(sequence.missingBlocks(for: 2 * size + 1), 3)
    assertUsed(memory, 0)
    XCTAssertTrue(sequence.reserve(0))
    assertUsed(memory, 0)
    XCTAssertTrue(sequence.reserve(1))
    assertUsed(memory, 1)
    XCTAssertEqual(sequence.count, 0)
    XCTAssertEqual(memory.byteCount, 5 * bytes)
    // What was reserved is not taken again.
    XCTAssertEqual(sequence.missingBlocks(for: size), 0)
    XCTAssertEqual(sequence.missingBlocks(for: size + 1), 1)
    XCTAssertTrue(sequence.reserve(size))
    assertUsed(memory, 1)
    try append(decoder, sequence, size)
    XCTAssertEqual(sequence.count, size)
    assertUsed(memory, 1)
    XCTAssertTrue(sequence.reserve(1))
    assertUsed(memory, 2)
  }

  func testForkAtTheEndOfABlock() throws {
    let decoder = try tiny()
    let memory = KeyValueBlocks(decoder, capacity: 5)
    let first = CachedSequence(in: memory)
    try append(decoder, first, memory.blockTokens)
    let second = first.fork()
    XCTAssertEqual(second.count, memory.blockTokens)
    assertUsed(memory, 1)
    // A full block is only read: each takes a block for what follows, none is copied.
    for sequence in [first, second] { XCTAssertEqual(sequence.missingBlocks(for: 1), 1) }
    try append(decoder, second, 1)
    assertUsed(memory, 2)
    try append(decoder, first, 1)
    assertUsed(memory, 3)
    try append(decoder, second, memory.blockTokens - 1)
    assertUsed(memory, 3)
  }

  func testForkWithinABlock() throws {
    let decoder = try tiny()
    let memory = KeyValueBlocks(decoder, capacity: 6)
    let size = memory.blockTokens
    let first = CachedSequence(in: memory)
    try append(decoder, first, size + 3)
    assertUsed(memory, 2)
    let second = first.fork()
    assertUsed(memory, 2)
    XCTAssertEqual(second.count, size + 3)
    XCTAssertEqual(second.missingBlocks(for: 0), 0)
    XCTAssertTrue(second.reserve(0))
    assertUsed(memory, 2)
    // One to copy the last block to; one more for what goes beyond it.
    for sequence in [first, second] {
      XCTAssertEqual(sequence.missingBlocks(for: 1), 1)
      XCTAssertEqual(sequence.missingBlocks(for: size - 3), 1)
      XCTAssertEqual(sequence.missingBlocks(for: size - 2), 2)
    }
    try append(decoder, second, 1)
    assertUsed(memory, 3)
    // Then the other is alone with the block.
    XCTAssertEqual(first.missingBlocks(for: 1), 0)
    try append(decoder, first, 1)
    assertUsed(memory, 3)
    let third = second.fork(), fourth = second.fork()
    XCTAssertTrue(third.reserve(size))
    assertUsed(memory, 5)
    XCTAssertTrue(fourth.reserve(1))
    assertUsed(memory, 6)
    XCTAssertEqual(second.missingBlocks(for: 1), 0)
  }

  func testReserveThatFailsLeavesEverything() throws {
    let decoder = try tiny()
    let memory = KeyValueBlocks(decoder, capacity: 4)
    let size = memory.blockTokens
    let first = CachedSequence(in: memory)
    try append(decoder, first, size + 3)
    for tokens in [3 * size, 100 * size] {
      XCTAssertFalse(first.reserve(tokens))
      XCTAssertEqual(first.count, size + 3)
      XCTAssertEqual(first.missingBlocks(for: 1), 0)
      assertUsed(memory, 2)
    }
    // With a copy: it would need three, and there are two.
    var second: CachedSequence? = first.fork()
    XCTAssertEqual(second?.missingBlocks(for: 2 * size), 3)
    XCTAssertEqual(second?.reserve(2 * size), false)
    assertUsed(memory, 2)
    XCTAssertEqual(second?.missingBlocks(for: 1), 1)
    XCTAssertEqual(first.missingBlocks(for: 1), 1)
    XCTAssertEqual(second?.reserve(size), true)
    assertUsed(memory, 4)
    XCTAssertFalse(first.reserve(size))
    XCTAssertTrue(first.reserve(1))
    second = nil
    assertUsed(memory, 2)
    XCTAssertTrue(first.reserve(2 * size))
    assertUsed(memory, 4)
  }

  func testMemoryIsGivenBackWithTheLastSequence() throws {
    let decoder = try tiny()
    let memory = KeyValueBlocks(decoder, capacity: 4)
    for _ in 0..<2 {
      var first: CachedSequence? = CachedSequence(in: memory)
      XCTAssertEqual(first?.reserve(2 * memory.blockTokens), true)
      var second = first?.fork()
      assertUsed(memory, 2)
      first = nil
      assertUsed(memory, 2)
      XCTAssertGreaterThan(memory.byteCount, 0)
      let third = CachedSequence(in: memory)
      XCTAssertTrue(third.reserve(1))
      second = nil
      XCTAssertNil(second)
      assertUsed(memory, 1)
      XCTAssertGreaterThan(memory.byteCount, 0)
      withExtendedLifetime(third) {}
    }
    assertUsed(memory, 0)
    XCTAssertEqual(memory.byteCount, 0)
  }

  func testNoCapacityAndOneBlock() throws {
    let decoder = try tiny()
    for capacity in [0, -3] {
      let memory = KeyValueBlocks(decoder, capacity: capacity)
      XCTAssertEqual(memory.capacity, 0)
      let sequence = CachedSequence(in: memory)
      XCTAssertTrue(sequence.reserve(0))
      XCTAssertFalse(sequence.reserve(1))
      assertUsed(memory, 0)
      XCTAssertEqual(memory.byteCount, 0)
    }
    let memory = KeyValueBlocks(decoder, capacity: 1)
    let first = CachedSequence(in: memory)
    XCTAssertFalse(first.reserve(memory.blockTokens + 1))
    assertUsed(memory, 0)
    try append(decoder, first, memory.blockTokens - 1)
    let second = CachedSequence(in: memory)
    XCTAssertFalse(second.reserve(1))
    try append(decoder, first, 1)
    XCTAssertFalse(first.reserve(1))
    XCTAssertEqual(first.count, memory.blockTokens)
    assertUsed(memory, 1)
  }

  // MARK: - Steps

  private func lastLogits(_ decoder: Decoder, _ tokens: [Int32]) throws -> [Float] {
    Array(try decoder.logits(PackedTokens(tokens)).rows(tokens.count - 1..<tokens.count).elements)
  }

  /// A sequence with the tokens that are in it.
  private struct Followed {
    let sequence: CachedSequence
    var tokens: [Int32]
  }

  /// Appends to sequences, in the order given, and compares with each computed alone.
  private func step(
    _ decoder: Decoder, _ all: inout [Followed], _ parts: [(index: Int, count: Int, wants: Bool)],
    _ what: String, seed: UInt64
  ) throws {
    let vocabulary = UInt64(decoder.configuration.vocabSize)
    var given: [SequencePart] = []
    for (index, count, wants) in parts {
      let stream = RandomStream(seed: seed, "step", index)
      let tokens = (0..<count).map { Int32(stream[$0] % vocabulary) }
      _ = try XCTUnwrap(all[index].sequence.reserve(count) ? true : nil, "no room, \(what)")
      all[index].tokens += tokens
      given.append(SequencePart(all[index].sequence, tokens, wantsLogits: wants))
    }
    let output = try decoder.step(given)
    let wanting = parts.filter(\.wants)
    XCTAssertEqual(output.logits.shape, [wanting.count, decoder.configuration.vocabSize], what)
    XCTAssertEqual(output.brokenLayers, [:], what)
    for (row, part) in wanting.enumerated() {
      assertSame(
        output.logits.rows(row..<row + 1).elements,
        try lastLogits(decoder, all[part.index].tokens), "\(what), sequence \(part.index)")
    }
    for followed in all { XCTAssertEqual(followed.sequence.count, followed.tokens.count, what) }
  }

  func testForkedSequencesGoOnLikeOthersAlone() throws {
    for model in try TinyModel.families(TinyModel.wide) {
      let plain = model.decoder(.bfloat16)
      for (name, decoder) in [("", plain), (" packed", Decoder(packing: plain))] {
        for prompt in [32, 70, 191, 230] {
          let what = "\(model.name)\(name), prompt of \(prompt)"
          let memory = KeyValueBlocks(decoder, capacity: 80)
          var all = [Followed(sequence: CachedSequence(in: memory), tokens: [])]
          try step(decoder, &all, [(0, prompt, true)], what, seed: 1)
          all += (0..<3).map { _ in
            Followed(sequence: all[0].sequence.fork(), tokens: all[0].tokens)
          }
          all.append(Followed(sequence: CachedSequence(in: memory), tokens: []))
          try step(
            decoder, &all,
            [(2, 1, true), (4, 9, true), (0, 40, true), (3, 100, false), (1, 7, true)], what,
            seed: 2)
          // A fork of a fork, and one that stands still.
          all.append(Followed(sequence: all[3].sequence.fork(), tokens: all[3].tokens))
          try step(
            decoder, &all,
            [(5, 2, true), (3, 8, true), (0, 1, false), (4, 33, false), (1, 1, true)], what,
            seed: 3)
          try step(
            decoder, &all,
            [(4, 1, true), (0, 1, true), (2, 31, true), (5, 1, true), (3, 1, true)], what, seed: 4)
        }
      }
    }
  }

  func testStepsOnAnyNumberOfThreads() throws {
    let model = try TinyModel.families(TinyModel.wide)[0]
    let decoder = Decoder(packing: model.decoder(.bfloat16))
    try withThreads { threads in
      let memory = KeyValueBlocks(decoder, capacity: 30)
      var all = [Followed(sequence: CachedSequence(in: memory), tokens: [])]
      try step(decoder, &all, [(0, 70, true)], "\(threads) threads", seed: 1)
      all.append(Followed(sequence: all[0].sequence.fork(), tokens: all[0].tokens))
      try step(decoder, &all, [(1, 1, true), (0, 40, true)], "\(threads) threads", seed: 2)
      try step(decoder, &all, [(0, 1, true), (1, 5, true)], "\(threads) threads", seed: 3)
    }
  }

  func testNoPartsAndRefusedTokens() throws {
    let decoder = try tiny()
    let nothing = try decoder.step([])
    XCTAssertEqual(nothing.logits.shape, [0, 97])
    XCTAssertEqual(nothing.brokenLayers, [:])
    let memory = KeyValueBlocks(decoder, capacity: 4)
    let first = CachedSequence(in: memory), second = CachedSequence(in: memory)
    for sequence in [first, second] { XCTAssertTrue(sequence.reserve(3)) }
    XCTAssertThrowsError(
      try decoder.step([SequencePart(first, [1, 2]), SequencePart(second, [3, 97])])
    ) {
      XCTAssertEqual(
        "\($0)",
        "The token at position 1 is 97; the model's vocabulary has ids 0 to 96. "
          + "Is the tokenizer that of the checkpoint?")
    }
    XCTAssertEqual([first.count, second.count], [0, 0])
    let none = try decoder.step([
      SequencePart(first, [1, 2], wantsLogits: false),
      SequencePart(second, [3], wantsLogits: false),
    ])
    XCTAssertEqual(none.logits.shape, [0, 97])
    XCTAssertEqual([first.count, second.count], [2, 1])
  }

  // MARK: - What is not finite

  /// The parts beside a broken one keep their bits, and so does whoever gets its blocks next.
  func testABrokenPartBesideOthers() throws {
    // Untied, so that a row of the embedding is no row of the head.
    let model = try TinyModel.all(TinyModel.wide)[1]
    let sound = model.decoder(.bfloat16), decoder = model.decoder(.bfloat16)
    let huge: Int32 = 700
    let embedding = try XCTUnwrap(
      decoder.parameters.first { $0.name == "model.embed_tokens.weight" })
    embedding.value.rows(Int(huge)..<Int(huge) + 1).elements.update(repeating: 3e38)
    let memory = KeyValueBlocks(decoder, capacity: 4)
    let tokens = model.tokens(64).map { $0 % 700 }
    var broken: CachedSequence? = CachedSequence(in: memory)
    let first = CachedSequence(in: memory), second = CachedSequence(in: memory)
    for sequence in [broken, first, second] { XCTAssertEqual(sequence?.reserve(20), true) }
    let middle = Array(tokens[0..<2]) + [huge] + Array(tokens[2..<9])
    let output = try decoder.step([
      SequencePart(first, Array(tokens[0..<20])),
      SequencePart(try XCTUnwrap(broken), middle, wantsLogits: false),
      SequencePart(second, Array(tokens[20..<23])),
    ])
    XCTAssertEqual(output.brokenLayers, [1: 0])
    assertSame(
      output.logits.rows(0..<1).elements, try lastLogits(sound, Array(tokens[0..<20])), "first")
    assertSame(
      output.logits.rows(1..<2).elements, try lastLogits(sound, Array(tokens[20..<23])), "second")

    // Its blocks, whatever they hold, are another's after it.
    broken = nil
    XCTAssertNil(broken)
    let third = CachedSequence(in: memory)
    XCTAssertTrue(third.reserve(64))
    assertUsed(memory, 4)
    for end in [30, 31, 64] {
      let next = try decoder.step([SequencePart(third, Array(tokens[third.count..<end]))])
      XCTAssertEqual(next.brokenLayers, [:])
      assertSame(next.logits.elements, try lastLogits(sound, Array(tokens[..<end])), "to \(end)")
    }
  }

  func testTheFirstBrokenLayer() throws {
    var sizes = TinyModel.wide
    sizes.layers = 3
    for (name, row, layer) in [
      ("model.layers.0.mlp.down_proj.weight", 3, 0),
      ("model.layers.1.self_attn.o_proj.weight", 5, 1),
      ("model.layers.2.mlp.down_proj.weight", 0, 2), ("lm_head.weight", 9, 3),
    ] {
      let model = try TinyModel.all(sizes)[1]
      let decoder = model.decoder(.bfloat16)
      let weight = try XCTUnwrap(decoder.parameters.first { $0.name == name }, name)
      weight.value.rows(row..<row + 1).elements.update(repeating: .nan)
      let memory = KeyValueBlocks(decoder, capacity: 4)
      let parts = [3, 12, 1].map { CachedSequence(in: memory, reserving: $0) }
      let tokens = model.tokens(12)
      let output = try decoder.step([
        SequencePart(parts[0], Array(tokens[..<3])),
        SequencePart(parts[1], tokens, wantsLogits: false),
        SequencePart(parts[2], Array(tokens[..<1])),
      ])
      // What is broken in the logits, their reader sees.
      XCTAssertEqual(
        output.brokenLayers, layer == 3 ? [:] : [0: layer, 1: layer, 2: layer], name)
    }
  }
}

extension CachedSequence {
  fileprivate convenience init(in memory: KeyValueBlocks, reserving tokens: Int) {
    self.init(in: memory)
    XCTAssertTrue(reserve(tokens))
  }
}
