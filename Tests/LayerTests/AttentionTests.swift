import Layers
import Tensors
import TestSupport
import XCTest

/// Attention against the plain way, and what must hold of its bits. (Its tiles are tested for every
/// instruction set in KernelTests.)
final class AttentionTests: XCTestCase {
  /// Heads, key-value heads, channels of a head, and the lengths of the documents.
  private let cases: [(H: Int, K: Int, D: Int, lengths: [Int])] = [
    (1, 1, 1, [3]), (3, 1, 6, [1, 5, 13]), (4, 2, 16, [97]), (2, 2, 64, [31, 1, 230]),
    (6, 2, 80, [67, 41]), (3, 3, 128, [113]), (2, 1, 256, [229]), (4, 2, 7, [500]),
    (5, 5, 33, [17, 200, 3]), (14, 2, 64, [101]),
  ]

  func testAgainstThePlainWay() {
    for (H, K, D, lengths) in cases {
      let T = lengths.reduce(0, +)
      let qkv = Tensor(seeded: [T, (H + 2 * K) * D], seed: 1, scale: 2)
      let dO = Tensor(seeded: [T, H * D], seed: 2)
      let spans = AttentionSpan.documents(lengths)
      for precision in Precision.allCases {
        let attention = Attention(heads: H, keyValueHeads: K, headSize: D, precision: precision)
        let what = "\(precision), H \(H), K \(K), D \(D), documents of \(lengths)"
        let (o, lse) = attention.forward(qkv, spans: spans)
        XCTAssertEqual(o.shape, [T, H * D])
        XCTAssertEqual(lse.shape, [H, T])
        let dqkv = attention.backward(dO, qkv: qkv, o: o, lse: lse, spans: spans)
        XCTAssertEqual(dqkv.shape, qkv.shape)

        let plain = Plain(attention, qkv, dO, spans)
        let unit = precision == .bfloat16 ? 0x1p-8 : 4e-6
        assertClose(
          o.values, plain.o.value, within: plain.o.size.map { $0 * unit + 1e-6 }, "o, \(what)")
        assertClose(lse.values, plain.lse, absolute: 4e-6, "lse, \(what)")
        assertClose(
          dqkv.values, plain.dqkv.value, within: plain.dqkv.size.map { $0 * unit + 1e-6 },
          "dqkv, \(what)")
      }
    }
  }

  func testGradients() {
    for (H, K, D, lengths) in [(2, 1, 3, [5, 1, 2]), (3, 3, 1, [4]), (4, 2, 5, [3, 4])] {
      let T = lengths.reduce(0, +)
      let qkv = Tensor(seeded: [T, (H + 2 * K) * D], seed: 1)
      let dO = Tensor(seeded: [T, H * D], seed: 2)
      let spans = AttentionSpan.documents(lengths)
      let attention = Attention(heads: H, keyValueHeads: K, headSize: D, precision: .float32)
      let (o, lse) = attention.forward(qkv, spans: spans)
      let dqkv = attention.backward(dO, qkv: qkv, o: o, lse: lse, spans: spans)
      assertGradientsMatch([Variable("qkv", qkv, dqkv)]) {
        attention.forward(qkv, spans: spans).o.dot(dO)
      }
    }
  }

  // MARK: - Bits

  func testPackedDocumentsAreAsEachAlone() {
    // Longer than a block and a tile, and at places that are multiples of nothing.
    let lengths = [5, 301, 1, 96, 113, 225], T = lengths.reduce(0, +)
    forEachPrecision { attention in
      let qkv = Tensor(seeded: [T, columns], seed: 1, scale: 2)
      let dO = Tensor(seeded: [T, outputs], seed: 2)
      let packed = run(attention, qkv, dO, AttentionSpan.documents(lengths))
      var start = 0
      for length in lengths {
        let rows = start..<start + length
        let alone = run(
          attention, qkv.rows(rows), dO.rows(rows), AttentionSpan.documents([length]))
        let what = "document \(rows), \(attention.precision)"
        assertSameBits(alone.o, packed.o.rows(rows), "o of \(what)")
        assertSameBits(alone.dqkv, packed.dqkv.rows(rows), "dqkv of \(what)")
        for head in 0..<attention.heads {
          assertSameBits(
            alone.lse.rows(head..<head + 1).values,
            Array(packed.lse.rows(head..<head + 1).values[rows]), "lse of \(what)")
        }
        start += length
      }
    }
  }

  func testTheFutureMovesNothing() {
    let T = 461
    forEachPrecision { attention in
      let qkv = Tensor(seeded: [T, columns], seed: 1, scale: 2)
      let (o, lse) = attention.forward(qkv, spans: AttentionSpan.documents([T]))
      for cut in [1, 13, 112, 191, 193, 224, 225, 460] {
        let other = Tensor(seeded: [T, columns], seed: 7, scale: 5)
        other.pointer.update(from: qkv.pointer, count: cut * columns)
        let changed = attention.forward(other, spans: AttentionSpan.documents([T]))
        let what = "before \(cut), \(attention.precision)"
        assertSameBits(changed.o.rows(0..<cut), o.rows(0..<cut), "o \(what)")
        XCTAssertNotEqual(changed.o.rows(cut..<T).values, o.rows(cut..<T).values)
        for head in 0..<attention.heads {
          assertSameBits(
            Array(changed.lse.rows(head..<head + 1).values[..<cut]),
            Array(lse.rows(head..<head + 1).values[..<cut]), "lse \(what)")
        }
        // And a document that ends there is as if nothing had followed.
        let short = attention.forward(qkv.rows(0..<cut), spans: AttentionSpan.documents([cut]))
        assertSameBits(short.o, o.rows(0..<cut), "o, nothing \(what)")
      }
    }
  }

  /// Tokens of several sequences, against keys and values in the blocks of a cache.
  func testDecodingIsAsTheWhole() {
    let lengths = [300, 17, 461]
    forEachPrecision { attention in
      let layout = CacheLayout(
        layers: 2, keyValueHeads: attention.keyValueHeads, headSize: attention.headSize,
        precision: attention.precision)
      let sequences = lengths.enumerated().map { number, length in
        Tensor(seeded: [length, columns], seed: number, scale: 2)
      }
      let whole = sequences.map {
        attention.forward($0, spans: AttentionSpan.documents([$0.rows])).o
      }
      // The steps in which each sequence is cut: one by one, a few, and many tokens at a time.
      let cuts = [
        [1, 110, 1, 1, 7, 8, 63, 1, 31, 1, 76], [17], [224, 1, 1, 5, 6, 7, 8, 9, 192, 1, 7],
      ]
      for layer in 0..<2 {
        // Blocks lie in any order; those of other sequences are in between.
        let count = 3 * (480 / layout.blockTokens + 1)
        let memory = Tensor(zeros: [count, layout.blockWords])
        var done = [0, 0, 0]
        for step in 0..<11 {
          let active = (0..<3).filter { step < cuts[$0].count }
          let parts = active.map { done[$0]..<done[$0] + cuts[$0][step] }
          let queries = Tensor(uninitialized: [parts.reduce(0) { $0 + $1.count }, columns])
          var row = 0
          let spans = zip(active, parts).map { number, part in
            let blocks = stride(from: 0, to: part.upperBound, by: layout.blockTokens).map { start in
              UnsafeMutableRawPointer(
                memory.row(count - 1 - number - 3 * (start / layout.blockTokens))
              )
              .assumingMemoryBound(to: UInt32.self)
            }
            for t in part {
              queries.row(row + t - part.lowerBound).update(
                from: sequences[number].row(t), count: columns)
            }
            defer { row += part.count }
            return CachedSpan(
              firstQuery: row, queryCount: part.count, firstPosition: part.lowerBound,
              blocks: blocks)
          }
          attention.store(queries, spans, layout, layer: layer)
          let o = attention.forward(queries, cached: spans, layout, layer: layer)
          for (span, (number, part)) in zip(spans, zip(active, parts)) {
            assertSameBits(
              o.rows(span.firstQuery..<span.firstQuery + span.queryCount), whole[number].rows(part),
              "sequence \(number), tokens \(part), layer \(layer), \(attention.precision)")
            done[number] = part.upperBound
          }
        }
        XCTAssertEqual(done, lengths)
      }
    }
  }

  func testTheSameBitsOnAnyThreads() {
    forEachPrecision { attention in
      assertSameBitsOnAnyThreads("Attention, \(attention.precision)") {
        let lengths = [37, 461, 5], T = 503
        let results = run(
          attention, Tensor(seeded: [T, columns], seed: 1, scale: 2),
          Tensor(seeded: [T, outputs], seed: 2), AttentionSpan.documents(lengths))
        return [("o", results.o), ("lse", results.lse), ("dqkv", results.dqkv)]
      }
    }
  }

  func testNaNStaysInItsDocument() {
    let lengths = [29, 230, 40], T = lengths.reduce(0, +)
    forEachPrecision { attention in
      let qkv = Tensor(seeded: [T, columns], seed: 1), dO = Tensor(seeded: [T, outputs], seed: 2)
      let clean = run(attention, qkv, dO, AttentionSpan.documents(lengths))
      // The whole of the middle document, whatever stands in it.
      for bad in [Float.nan, .infinity] {
        for t in 29..<259 { qkv.rows(t..<t + 1).elements.update(repeating: bad) }
        let results = run(attention, qkv, dO, AttentionSpan.documents(lengths))
        for rows in [0..<29, 259..<T] {
          assertSameBits(results.o.rows(rows), clean.o.rows(rows), "o, \(bad)")
          assertSameBits(results.dqkv.rows(rows), clean.dqkv.rows(rows), "dqkv, \(bad)")
        }
        // And it does not vanish.
        XCTAssertTrue(results.o.rows(29..<259).values.allSatisfy(\.isNaN), "o, \(bad)")
      }
    }
  }

  /// One NaN is seen by every later query of its document's head.
  func testNaNIsSeen() {
    forEachPrecision { attention in
      for token in [0, 100, 229] {
        let qkv = Tensor(seeded: [230, columns], seed: 1)
        qkv.row(token)[outputs] = .nan  // the first channel of the first key head
        let (o, lse) = attention.forward(qkv, spans: AttentionSpan.documents([230]))
        for t in token..<230 {
          XCTAssertTrue(o.row(t)[0].isNaN, "o[\(t)], NaN at \(token), \(attention.precision)")
          XCTAssertTrue(lse.row(0)[t].isNaN, "lse[\(t)], NaN at \(token)")
        }
        for t in 0..<token { XCTAssertFalse(o.row(t)[0].isNaN, "o[\(t)], NaN at \(token)") }
        // Heads of another group do not see it.
        XCTAssertFalse(o.row(229)[3 * attention.headSize].isNaN)
      }
    }
  }

  // MARK: -

  private let (H, K, D) = (4, 2, 9)
  private var columns: Int { (H + 2 * K) * D }
  private var outputs: Int { H * D }

  private func forEachPrecision(_ body: (Attention) -> Void) {
    for precision in Precision.allCases {
      body(Attention(heads: H, keyValueHeads: K, headSize: D, precision: precision))
    }
  }

  private func run(
    _ attention: Attention, _ qkv: Tensor, _ dO: Tensor, _ spans: [AttentionSpan]
  ) -> (o: Tensor, lse: Tensor, dqkv: Tensor) {
    let (o, lse) = attention.forward(qkv, spans: spans)
    return (o, lse, attention.backward(dO, qkv: qkv, o: o, lse: lse, spans: spans))
  }
}

/// All heads and documents, one by one, with `ReferenceAttention`.
private struct Plain {
  private(set) var o: (value: [Double], size: [Double])
  private(set) var lse: [Double]
  private(set) var dqkv: (value: [Double], size: [Double])

  init(_ attention: Attention, _ qkv: Tensor, _ dO: Tensor, _ spans: [AttentionSpan]) {
    let (H, K, D) = (attention.heads, attention.keyValueHeads, attention.headSize)
    let T = qkv.rows
    func zeros(_ count: Int) -> [Double] { [Double](repeating: 0, count: count) }
    o = (zeros(dO.count), zeros(dO.count))
    dqkv = (zeros(qkv.count), zeros(qkv.count))
    lse = zeros(H * T)
    for span in spans {
      let rows = span.firstQuery..<span.firstQuery + span.queryCount
      func head(_ x: Tensor, _ column: Int) -> [Float] {
        rows.flatMap { t in (0..<D).map { x.row(t)[column + $0] } }
      }
      for h in 0..<H {
        let columns = (q: h * D, k: (H + h / (H / K)) * D, v: (H + K + h / (H / K)) * D)
        let plain = ReferenceAttention(
          q: head(qkv, columns.q), k: head(qkv, columns.k), v: head(qkv, columns.v),
          do: head(dO, columns.q), headSize: D, rounded: attention.precision == .bfloat16)
        for (row, t) in rows.enumerated() {
          lse[h * T + t] = plain.lse[row]
          for d in 0..<D {
            let from = row * D + d
            o.value[t * H * D + columns.q + d] = plain.o.value[from]
            o.size[t * H * D + columns.q + d] = plain.o.size[from]
            for (sum, column) in [
              (plain.dq, columns.q), (plain.dk, columns.k), (plain.dv, columns.v),
            ] {
              dqkv.value[t * qkv.columns + column + d] += sum.value[from]
              dqkv.size[t * qkv.columns + column + d] += sum.size[from]
            }
          }
        }
      }
    }
  }
}
