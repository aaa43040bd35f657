import CKernels
import Foundation
import Tensors

extension Decoder {
  /// A copy of a decoder for generation: its weights rounded and packed.
  ///
  /// In bfloat16, text generated with it has, to the bit, the probabilities that `decoder` gives it in bfloat16.
  /// After the weights of `decoder` have changed, call `repack`.
  public convenience init(packing decoder: Decoder, _ format: PackedFormat = .bfloat16) {
    precondition(decoder.precision == .bfloat16, "packed weights are rounded to bfloat16")
    self.init(
      decoder.configuration, precision: .bfloat16,
      form: .packed(format, embeddingIsBFloat16: decoder.embedding.weight.bfloat16 != nil))
    repack(decoder)
  }

  /// Takes over the weights of the decoder this one was packed from.
  public func repack(_ decoder: Decoder) {
    precondition(decoder.lowRank == nil, "adapters are merged first")
    let values = Dictionary(
      decoder.parameters.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    _ = fillWeights { name, elements, to in values[name]?.read(elements, into: to) }
  }

  /// Fills all weights from a source of elements by name, packed ones a stretch of rows at a time.
  ///
  /// - Parameter read: Writes the elements of a range of a tensor; called on many threads.
  /// - Returns: The names of tensors with an element that is not finite.
  func fillWeights(
    _ read: (_ name: String, _ elements: Range<Int>, _ to: UnsafeMutablePointer<Float>) -> Void
  ) -> Set<String> {
    let broken = Findings()
    var filled: Set<ObjectIdentifier> = []
    for part in parts where filled.insert(ObjectIdentifier(part.weight)).inserted {
      let weight = part.weight
      let parts = parts.filter { $0.weight === weight }
      if let packed = weight.packed {
        let size = packed.rowGranule * 64
        let rows = Tensor(uninitialized: [min(size, weight.rows), weight.columns])
        for start in stride(from: 0, to: weight.rows, by: size) {
          let stretch = start..<min(start + size, weight.rows)
          fill(rows, stretch, parts, read, broken)
          packed.pack(rows.rows(0..<stretch.count), at: start)
        }
      } else if let half = weight.bfloat16 {
        let size = max(1, (1 << 22) / weight.columns)
        let rows = Tensor(uninitialized: [min(size, weight.rows), weight.columns])
        half.prefetch()
        for start in stride(from: 0, to: weight.rows, by: size) {
          let stretch = start..<min(start + size, weight.rows)
          // Rows that are mapped are only looked at.
          fill(rows, stretch, parts, read, broken)
          if half.own != nil { half.round(rows.rows(0..<stretch.count), at: start) }
        }
        half.release()
      } else {
        fill(weight.value, 0..<weight.rows, parts, read, broken)
      }
    }
    return broken.names
  }

  /// Writes rows `stretch` of a weight to the first rows of a tensor.
  private func fill(
    _ to: Tensor, _ stretch: Range<Int>, _ parts: [WeightPart],
    _ read: (_ name: String, _ elements: Range<Int>, _ to: UnsafeMutablePointer<Float>) -> Void,
    _ broken: Findings
  ) {
    let columns = to.columns
    for part in parts {
      let rows = part.rows.clamped(to: stretch)
      let first = (rows.lowerBound - part.rows.lowerBound) * columns
      let start = to.pointer + (rows.lowerBound - stretch.lowerBound) * columns
      ThreadPool.shared.forEachChunk(of: rows.count * columns, size: 1 << 16) { range, _, _ in
        let elements = first + range.lowerBound..<first + range.upperBound
        read(part.name, elements, start + range.lowerBound)
        if !kernels.square_sum(start + range.lowerBound, Int64(range.count)).isFinite {
          broken.add(part.name)
        }
      }
    }
  }
}

/// Names that several threads collect.
private final class Findings: @unchecked Sendable {
  private let lock = NSLock()
  private(set) var names: Set<String> = []
  func add(_ name: String) { lock.withLock { _ = names.insert(name) } }
}
