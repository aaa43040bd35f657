import CKernels
import Tensors
import TestSupport
import XCTest

/// A paged cache of keys and values in every instruction set: where they are stored, what tiles are
/// made of them, and attention to them against `attention_forward`, to the bit.
final class CachedAttentionTests: XCTestCase {
  private let headSizes = [1, 7, 33, 64, 80, 128, 256]

  func testKeysAndValuesAreStoredAtTheirPlaces() {
    forEachVariantAndPrecision { what, tiles, precision in
      for D in headSizes {
        let what = "\(what), \(D) channels", count = Int(tiles.cache_block_keys)
        let k = seededFloats(count * D, seed: 1), v = seededFloats(count * D, seed: 2)
        let block = CacheBlock(tiles, headSize: D)
        // Another sequence's tokens first, and not in order: each word's halves are replaced.
        for key in 0..<count { block.store(key, v, k) }
        for key in stride(from: count - 1, through: 0, by: -1) { block.store(key, k, v) }
        block.checkZones(what)
        for (name, found, source) in [
          ("key", block.key, k), ("value", block.value, v),
        ] as [(String, (Int, Int) -> Float, [Float])] {
          let all = (0..<count * D).map { found($0 / D, $0 % D) }
          assertSameBits(all, precision.rounded(source), "\(name), \(what)")
        }
      }
    }
  }

  func testUnwrittenPartsStayZero() {
    forEachVariantAndPrecision { what, tiles, precision in
      for D in headSizes {
        let count = Int(tiles.cache_block_keys)
        let k = seededFloats(count * D, seed: 1).map { $0 + 2 }
        for key in [0, 1, count / 2, count - 1] {
          let block = CacheBlock(tiles, headSize: D)
          block.store(key, k, k)
          let nonzero = block.elements.reduce(0) { sum, word in
            sum + (precision == .float32 ? (word == 0 ? 0 : 1) : halves(word))
          }
          XCTAssertEqual(nonzero, 2 * D, "\(what), \(D) channels, key \(key)")
          for other in 0..<count where other != key {
            for d in 0..<D {
              XCTAssertEqual(block.key(other, d), 0, "\(what), \(D) channels, key \(key)")
              XCTAssertEqual(block.value(other, d), 0, "\(what), \(D) channels, value \(key)")
            }
          }
        }
      }
    }
  }

  private func halves(_ word: UInt32) -> Int {
    (word & 0xffff == 0 ? 0 : 1) + (word >> 16 == 0 ? 0 : 1)
  }

  /// The tiles made of blocks are those that training packs, with zeros for tokens not there.
  func testExpandedBlocksAreTheTilesOfTraining() {
    forEachVariantAndPrecision { what, tiles, _ in
      let size = Int(tiles.keys_per_tile), blockKeys = Int(tiles.cache_block_keys)
      XCTAssertEqual(size % blockKeys, 0, what)
      for D in headSizes {
        for held in [size, 77] {
          let zeros = [Float](repeating: 0, count: (size - held) * D)
          let k = seededFloats(held * D, seed: 3) + zeros
          let v = seededFloats(held * D, seed: 4) + zeros
          let keyWords = Int(tiles.attention_row_words(Int64(D)))
          let valueWords = Int(tiles.attention_column_words(Int64(D)))
          let keys = Guarded<UInt32>(count: keyWords), values = Guarded<UInt32>(count: valueWords)
          for number in (0..<size / blockKeys).reversed() {
            let block = CacheBlock(tiles, headSize: D)
            for key in 0..<blockKeys where number * blockKeys + key < held {
              block.store(key, k, v, at: number * blockKeys + key)
            }
            tiles.cache_expand(
              keys.pointer, values.pointer, Int64(number), block.keys, block.values, Int64(D))
          }
          let what = "\(what), \(D) channels, \(held) tokens"
          keys.checkZones("keys, \(what)")
          values.checkZones("values, \(what)")
          var expectedKeys = [UInt32](repeating: 0, count: keyWords)
          var expectedValues = [UInt32](repeating: 0, count: valueWords)
          tiles.attention_pack_rows(&expectedKeys, k, Int64(D), Int64(size), Int64(D))
          tiles.attention_pack_columns(&expectedValues, v, Int64(D), Int64(size), Int64(D))
          XCTAssertTrue(keys.elements == expectedKeys, "keys, \(what)")
          XCTAssertTrue(values.elements == expectedValues, "values, \(what)")
        }
      }
    }
  }

  func testTheBitsOfAttentionInTraining() {
    let positions = [0, 1, 31, 32, 33, 191, 192, 223, 224, 447, 448, 500]
    forEachVariantAndPrecision { what, tiles, _ in
      for D in headSizes {
        let cached = CachedHeads(tiles, headSize: D, heads: 15, tokens: 512)
        for position in positions {
          let expected = cached.trained(position)
          XCTAssertTrue(expected.allSatisfy(\.isFinite), "\(what), position \(position)")
          for heads in [1, 2, 7, 15] {
            let what = "\(what), \(D) channels, position \(position), \(heads) heads"
            let own = Array(expected[..<(heads * D)])
            assertSameBits(cached.attend(position, heads: heads, later: false), own, what)
            assertSameBits(
              cached.attend(position, heads: heads, later: true), own, "\(what), later tokens")
          }
        }
      }
    }
  }

  private func forEachVariantAndPrecision(_ body: (String, ck_products, Precision) -> Void) {
    for variant in Variant.all {
      for precision in Precision.allCases {
        body("\(variant), \(precision)", variant.kernels.products(precision), precision)
      }
    }
  }
}

extension Precision {
  /// What an operand of this precision is.
  fileprivate func rounded(_ x: [Float]) -> [Float] {
    self == .float32 ? x : x.map(\.roundedToBFloat16)
  }
}

/// One head's block of a cache, between zones that must stay.
private final class CacheBlock {
  private let tiles: ck_products
  private let D: Int
  private let keyMemory, valueMemory: Guarded<UInt32>

  init(_ tiles: ck_products, headSize: Int) {
    self.tiles = tiles
    D = headSize
    keyMemory = Guarded(count: Int(tiles.cache_key_words(Int64(headSize))))
    valueMemory = Guarded(count: Int(tiles.cache_value_words(Int64(headSize))))
    keyMemory.pointer.update(repeating: 0, count: keyMemory.count)
    valueMemory.pointer.update(repeating: 0, count: valueMemory.count)
  }

  var keys: UnsafeMutablePointer<UInt32> { keyMemory.pointer }
  var values: UnsafeMutablePointer<UInt32> { valueMemory.pointer }
  var elements: [UInt32] { keyMemory.elements + valueMemory.elements }

  func checkZones(_ what: String) {
    keyMemory.checkZones("keys, \(what)")
    valueMemory.checkZones("values, \(what)")
  }

  /// Stores row `row` (or `key`) of k and v.
  func store(_ key: Int, _ k: [Float], _ v: [Float], at row: Int? = nil) {
    let start = (row ?? key) * D
    tiles.cache_store(
      keys, values, Int64(key), Array(k[start..<start + D]), Array(v[start..<start + D]), Int64(D))
  }

  /// Keys lie in panels of keys, pairs of channels in a word.
  func key(_ key: Int, _ d: Int) -> Float {
    let width = Int(tiles.b_width), perWord = Int(tiles.kept_per_word)
    let steps = (D + perWord - 1) / perWord
    return element(keys[key / width * width * steps + d / perWord * width + key % width], d)
  }

  /// Values lie in panels of channels, pairs of keys in a word.
  func value(_ key: Int, _ d: Int) -> Float {
    let width = Int(tiles.b_width), perWord = Int(tiles.kept_per_word)
    let steps = Int(tiles.cache_block_keys) / perWord
    return element(values[d / width * width * steps + key / perWord * width + d % width], key)
  }

  private func element(_ word: UInt32, _ index: Int) -> Float {
    if tiles.kept_per_word == 1 { return Float(bitPattern: word) }
    return Float(bitPattern: index % 2 == 0 ? word << 16 : word & 0xffff_0000)
  }
}

/// Heads that share keys and values, and both ways to attend to them.
private struct CachedHeads {
  private let tiles: ck_products
  private let D, heads, tokens: Int
  private let q, k, v: [Float]
  private var scale: Float { 1 / Float(D).squareRoot() }
  /// Where keys and values begin in a block: other heads' come before and between.
  private let keyOffset = 48, valueOffset: Int
  private let blockWords: Int
  private let full: [[UInt32]]

  /// - Parameter tokens: A multiple of a block's.
  init(_ tiles: ck_products, headSize: Int, heads: Int, tokens: Int) {
    self.tiles = tiles
    (D, self.heads, self.tokens) = (headSize, heads, tokens)
    q = seededFloats(heads * headSize, seed: 5, scale: 3)
    k = seededFloats(tokens * headSize, seed: 6, scale: 2)
    v = seededFloats(tokens * headSize, seed: 7)
    let keyWords = Int(tiles.cache_key_words(Int64(headSize)))
    valueOffset = keyOffset + keyWords + 16
    blockWords = valueOffset + Int(tiles.cache_value_words(Int64(headSize)))
    full = Self.blocks(
      tiles, headSize, blockWords, keyOffset, valueOffset, k, v, count: tokens, tokens: tokens)
  }

  private static func blocks(
    _ tiles: ck_products, _ D: Int, _ words: Int, _ keyOffset: Int, _ valueOffset: Int,
    _ k: [Float], _ v: [Float], count: Int, tokens: Int
  ) -> [[UInt32]] {
    let size = Int(tiles.cache_block_keys)
    return stride(from: 0, to: count, by: size).map { first in
      // NaN where other heads' words are.
      var block = [UInt32](repeating: 0x7fc0_7fc0, count: words)
      for i in keyOffset..<valueOffset - 16 { block[i] = 0 }
      for i in valueOffset..<words { block[i] = 0 }
      block.withUnsafeMutableBufferPointer { block in
        for token in first..<min(first + size, count) {
          k.withUnsafeBufferPointer { k in
            v.withUnsafeBufferPointer { v in
              tiles.cache_store(
                block.baseAddress! + keyOffset, block.baseAddress! + valueOffset,
                Int64(token - first), k.baseAddress! + token * D, v.baseAddress! + token * D,
                Int64(D))
            }
          }
        }
      }
      return block
    }
  }

  /// Attention to a cache of the tokens up to `position`, or of all where `later`.
  func attend(_ position: Int, heads: Int, later: Bool) -> [Float] {
    let held = (position / Int(tiles.cache_block_keys) + 1)
    let blocks =
      later
      ? Array(full[..<held])
      : Array(full[..<(held - 1)])
        + Self.blocks(
          tiles, D, blockWords, keyOffset, valueOffset,
          Array(k[(held - 1) * Int(tiles.cache_block_keys) * D..<(position + 1) * D]),
          Array(v[(held - 1) * Int(tiles.cache_block_keys) * D..<(position + 1) * D]),
          count: position + 1 - (held - 1) * Int(tiles.cache_block_keys), tokens: tokens)
    let copies = blocks.map { block in
      let copy = UnsafeMutablePointer<UInt32>.allocate(capacity: blockWords)
      copy.update(from: block, count: blockWords)
      return copy
    }
    defer { for copy in copies { copy.deallocate() } }
    let o = Guarded([Float](repeating: .nan, count: heads * D))
    let words = Int(tiles.cached_attention_scratch_words(Int64(heads), Int64(D)))
    let scratch = Guarded([Float](repeating: .nan, count: words))
    let pointers = copies.map { UnsafePointer($0) as UnsafePointer<UInt32>? }
    pointers.withUnsafeBufferPointer { pointers in
      q.withUnsafeBufferPointer { q in
        var job = ck_cached_attention(
          q: q.baseAddress, heads: Int64(heads), position: Int64(position), head_size: Int64(D),
          scale: scale, blocks: pointers.baseAddress, key_offset: Int64(keyOffset),
          value_offset: Int64(valueOffset), o: o.floats, scratch: scratch.pointer)
        tiles.cached_attention(&job)
      }
    }
    o.checkZones("o of cached_attention")
    scratch.checkZones("scratch of cached_attention")
    return o.values
  }

  /// All heads' attention from `position` to the document that ends there, as in training.
  func trained(_ position: Int) -> [Float] {
    let held = position + 1, size = Int(tiles.keys_per_tile)
    let keyWords = Int(tiles.attention_row_words(Int64(D)))
    let valueWords = Int(tiles.attention_column_words(Int64(D)))
    let count = (held + size - 1) / size
    var keys = [UInt32](repeating: 0, count: count * keyWords)
    var values = [UInt32](repeating: 0, count: count * valueWords)
    for tile in 0..<count {
      let first = tile * size, rows = Int64(min(size, held - first))
      keys.withUnsafeMutableBufferPointer { keys in
        tiles.attention_pack_rows(
          keys.baseAddress! + tile * keyWords, Array(k[(first * D)...]), Int64(D), rows, Int64(D))
      }
      values.withUnsafeMutableBufferPointer { values in
        tiles.attention_pack_columns(
          values.baseAddress! + tile * valueWords, Array(v[(first * D)...]), Int64(D), rows,
          Int64(D))
      }
    }
    var o = [Float](repeating: .nan, count: heads * D), lse: Float = 0
    var scratch = [UInt32](
      repeating: 0x7fc0_0000, count: Int(tiles.attention_scratch_words(Int64(D))))
    for head in 0..<heads {
      q.withUnsafeBufferPointer { q in
        o.withUnsafeMutableBufferPointer { o in
          keys.withUnsafeBufferPointer { keys in
            values.withUnsafeBufferPointer { values in
              scratch.withUnsafeMutableBufferPointer { scratch in
                withUnsafeMutablePointer(to: &lse) { lse in
                  var job = ck_attention_forward(
                    q: q.baseAddress! + head * D, q_stride: Int64(D), queries: 1,
                    first_position: Int64(position), keys: Int64(held), head_size: Int64(D),
                    scale: scale, k: keys.baseAddress, v: values.baseAddress,
                    o: o.baseAddress! + head * D, o_stride: Int64(D), lse: lse,
                    scratch: scratch.baseAddress)
                  tiles.attention_forward(&job)
                }
              }
            }
          }
        }
      }
    }
    return o
  }
}
