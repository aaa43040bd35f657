import CKernels
import EmulatedKernels
import Foundation
import Tensors
import TestSupport
import XCTest

/// Attention's tiles in every instruction set, against attention the plain way in Double.
final class AttentionTileTests: XCTestCase {
  /// Tokens and channels of a head: around every vector, tile and block.
  private let shapes = [
    (1, 1), (2, 16), (5, 3), (13, 64), (31, 6), (97, 33), (113, 16), (193, 20), (225, 80),
    (229, 128), (401, 64), (461, 7), (241, 256),
  ]

  func testForwardAndBackward() {
    for (T, D) in shapes {
      let head = AttentionHead(tokens: T, headSize: D)
      for precision in Precision.allCases {
        let reference = head.reference(rounded: precision == .bfloat16)
        // Rounding a probability or its gradient to bfloat16 is off by up to 2^-9 of it.
        let unit = precision == .bfloat16 ? 0x1p-8 : 4e-6
        for variant in Variant.all {
          let what = "\(variant), \(precision), \(T) tokens, \(D) channels"
          let results = head.run(
            variant.kernels.products(precision), delta: reference.delta.map { Float($0) })
          assertClose(
            results.o, reference.o.value, within: reference.o.tolerances(unit), "o, \(what)")
          assertClose(results.lse, reference.lse, absolute: 4e-6, "lse, \(what)")
          assertClose(
            results.dq, reference.dq.value, within: reference.dq.tolerances(unit), "dq, \(what)")
          assertClose(
            results.dk, reference.dk.value, within: reference.dk.tolerances(unit), "dk, \(what)")
          assertClose(
            results.dv, reference.dv.value, within: reference.dv.tolerances(unit), "dv, \(what)")
        }
      }
    }
  }

  /// Scores far apart, in ascending order: each tile's maximum is above all before it.
  func testScoresFarApart() {
    let (T, D) = (437, 5)
    let head = AttentionHead(tokens: T, headSize: D, growing: true)
    for precision in Precision.allCases {
      let reference = head.reference(rounded: precision == .bfloat16)
      for variant in Variant.all {
        let what = "\(variant), \(precision)"
        let results = head.run(
          variant.kernels.products(precision), delta: reference.delta.map { Float($0) })
        let unit = precision == .bfloat16 ? 0x1p-8 : 4e-5
        assertClose(
          results.o, reference.o.value, within: reference.o.tolerances(unit), "o, \(what)")
        assertClose(results.lse, reference.lse, relative: 1e-6, absolute: 4e-6, "lse, \(what)")
        assertClose(
          results.dv, reference.dv.value, within: reference.dv.tolerances(unit), "dv, \(what)")
      }
    }
  }

  /// Blocks that begin inside a tile of keys, as in decoding and in the middle of a prompt.
  func testQueriesFromAnyPosition() {
    let (T, D) = (331, 24)
    let head = AttentionHead(tokens: T, headSize: D)
    for variant in Variant.all {
      for precision in Precision.allCases {
        let tiles = variant.kernels.products(precision)
        let whole = head.run(tiles, delta: [Float](repeating: 0, count: T))
        for first in [0, 1, 100, 191, 192, 223, 224, 330] {
          for count in [1, 3, 14, 31] where first + count <= T {
            let part = head.forward(tiles, queries: first..<first + count)
            let what = "\(variant), \(precision), \(count) queries from \(first)"
            assertSameBits(
              part.o, Array(whole.o[first * D..<(first + count) * D]), "o, \(what)")
            assertSameBits(part.lse, Array(whole.lse[first..<first + count]), "lse, \(what)")
          }
        }
      }
    }
  }
}

/// One head's operands, as strided columns of rows, and how the tiles are run over them.
private struct AttentionHead {
  let T: Int
  let D: Int
  private let q, k, v, gradient: [Float]

  init(tokens: Int, headSize: Int, growing: Bool = false) {
    (T, D) = (tokens, headSize)
    let count = tokens * headSize
    if growing {
      q = seededFloats(count, seed: 1, scale: 0.1).map { $0 + 1 }
      k = (0..<count).map { Float($0 / headSize) * 0.25 }
    } else {
      q = seededFloats(count, seed: 1, scale: 2)
      k = seededFloats(count, seed: 2, scale: 2)
    }
    v = seededFloats(count, seed: 3)
    gradient = seededFloats(count, seed: 4)
  }

  func reference(rounded: Bool) -> ReferenceAttention {
    ReferenceAttention(q: q, k: k, v: v, do: gradient, headSize: D, rounded: rounded)
  }

  typealias Results = (o: [Float], lse: [Float], dq: [Float], dk: [Float], dv: [Float])

  /// Forward and backward over the whole document.
  func run(_ tiles: ck_products, delta: [Float]) -> Results {
    let (o, lse) = forward(tiles, queries: 0..<T)
    let gradients = backward(tiles, lse: lse, delta: delta)
    return (o, lse, gradients.dq, gradients.dk, gradients.dv)
  }

  /// The outputs of some queries, against the keys up to the last of them.
  func forward(_ tiles: ck_products, queries range: Range<Int>) -> (o: [Float], lse: [Float]) {
    let held = range.upperBound
    let (keys, rowWords) = packed(k, tiles, tiles.attention_pack_rows, held, rows: true)
    let (values, _) = packed(v, tiles, tiles.attention_pack_columns, held, rows: false)
    _ = rowWords
    let stride = D + 3
    let query = strided(q)
    let lse = Guarded<UInt32>(count: range.count)
    let o = Guarded([Float](repeating: mark, count: range.count * stride))
    let block = Int(tiles.attention_queries)
    let scratch = self.scratch(tiles)
    for first in Swift.stride(from: range.lowerBound, to: range.upperBound, by: block) {
      let count = min(block, range.upperBound - first)
      let at = first - range.lowerBound
      query.withUnsafeBufferPointer { query in
        var job = ck_attention_forward(
          q: query.baseAddress! + first * stride, q_stride: Int64(stride), queries: Int64(count),
          first_position: Int64(first), keys: Int64(held), head_size: Int64(D),
          scale: 1 / Float(D).squareRoot(), k: keys.pointer, v: values.pointer,
          o: o.floats + at * stride, o_stride: Int64(stride), lse: lse.floats + at,
          scratch: scratch.pointer)
        tiles.attention_forward(&job)
      }
    }
    for result in [lse, o, scratch] { result.checkZones("attention_forward") }
    return (unstrided(o.values), lse.values)
  }

  private func backward(
    _ tiles: ck_products, lse: [Float], delta: [Float]
  ) -> (dq: [Float], dk: [Float], dv: [Float]) {
    let stride = D + 3, block = Int(tiles.attention_queries), tile = Int(tiles.keys_per_tile)
    let (kRows, rowWords) = packed(k, tiles, tiles.attention_pack_rows, T, rows: true)
    let (vRows, _) = packed(v, tiles, tiles.attention_pack_rows, T, rows: true)
    let (kColumns, columnWords) = packed(k, tiles, tiles.attention_pack_columns, T, rows: false)
    // Gradients are added to: they begin at 1, and what lies beside them must stay.
    let start = strided([Float](repeating: 1, count: T * D))
    let dq = Guarded(start), dk = Guarded(start), dv = Guarded(start)
    let scratch = self.scratch(tiles)
    for first in Swift.stride(from: 0, to: T, by: block) {
      let count = min(block, T - first)
      let qRows = packedBlock(q, tiles, tiles.attention_pack_queries, first, count, rows: true)
      let doRows = packedBlock(
        gradient, tiles, tiles.attention_pack_queries, first, count, rows: true)
      let qColumns = packedBlock(q, tiles, tiles.attention_pack_columns, first, count, rows: false)
      let doColumns = packedBlock(
        gradient, tiles, tiles.attention_pack_columns, first, count, rows: false)
      for number in 0...(first + count - 1) / tile {
        lse.withUnsafeBufferPointer { lse in
          delta.withUnsafeBufferPointer { delta in
            var job = ck_attention_backward(
              queries: Int64(count), first_position: Int64(first), tile: Int64(number),
              keys: Int64(T), head_size: Int64(D), scale: 1 / Float(D).squareRoot(),
              q_rows: qRows.pointer, do_rows: doRows.pointer, q_columns: qColumns.pointer,
              do_columns: doColumns.pointer, k_rows: kRows.pointer + number * rowWords,
              v_rows: vRows.pointer + number * rowWords,
              k_columns: kColumns.pointer + number * columnWords, lse: lse.baseAddress! + first,
              delta: delta.baseAddress! + first, dq: dq.floats + first * stride,
              dk: dk.floats + number * tile * stride, dv: dv.floats + number * tile * stride,
              dq_stride: Int64(stride), dkv_stride: Int64(stride), scratch: scratch.pointer)
            tiles.attention_backward(&job)
          }
        }
      }
    }
    for result in [dq, dk, dv, scratch] { result.checkZones("attention_backward") }
    func added(_ x: Guarded<UInt32>) -> [Float] { unstrided(x.values).map { $0 - 1 } }
    return (added(dq), added(dk), added(dv))
  }

  // MARK: - Memory

  private var mark: Float { 12345.5 }

  /// Rows three floats farther apart than they are wide, with a mark between them.
  private func strided(_ x: [Float]) -> [Float] {
    (0..<x.count / D).flatMap { x[$0 * D..<($0 + 1) * D] + [mark, mark, mark] }
  }

  private func unstrided(_ x: [Float]) -> [Float] {
    let stride = D + 3
    return (0..<x.count / stride).flatMap { row in
      XCTAssertEqual(
        Array(x[row * stride + D..<(row + 1) * stride]), [mark, mark, mark], "beside row \(row)")
      return x[row * stride..<row * stride + D]
    }
  }

  /// Scratch memory full of NaN: whoever uses what it did not write, shows it.
  private func scratch(_ tiles: ck_products) -> Guarded<UInt32> {
    let words = Int(tiles.attention_scratch_words(Int64(D)))
    return Guarded([Float](repeating: .nan, count: words))
  }

  private typealias Packing = (
    UnsafeMutablePointer<UInt32>?, UnsafePointer<Float>?, Int64, Int64, Int64
  ) -> Void

  /// The first `held` rows of `x`, tile after tile.
  private func packed(
    _ x: [Float], _ tiles: ck_products, _ pack: Packing, _ held: Int, rows: Bool
  ) -> (Guarded<UInt32>, words: Int) {
    let size = Int(tiles.keys_per_tile)
    let words = Int(
      rows ? tiles.attention_row_words(Int64(D)) : tiles.attention_column_words(Int64(D)))
    let count = (held + size - 1) / size
    let result = Guarded([Float](repeating: .nan, count: count * words))
    for tile in 0..<count {
      let from = tile * size
      let keys = min(size, held - from)
      // Later tokens are NaN: nothing may depend on them.
      let source = strided(
        Array(x[..<(held * D)]) + [Float](repeating: .nan, count: (T - held) * D))
      source.withUnsafeBufferPointer {
        pack(
          result.pointer + tile * words, $0.baseAddress! + from * (D + 3), Int64(D + 3),
          Int64(keys), Int64(D))
      }
    }
    result.checkZones("packing keys")
    return (result, words)
  }

  private func packedBlock(
    _ x: [Float], _ tiles: ck_products, _ pack: Packing, _ first: Int, _ count: Int, rows: Bool
  ) -> Guarded<UInt32> {
    let words = Int(
      rows ? tiles.attention_query_words(Int64(D)) : tiles.attention_query_column_words(Int64(D)))
    let result = Guarded([Float](repeating: .nan, count: words))
    strided(x).withUnsafeBufferPointer {
      pack(
        result.pointer, $0.baseAddress! + first * (D + 3), Int64(D + 3), Int64(count), Int64(D))
    }
    result.checkZones("packing queries")
    return result
  }
}
