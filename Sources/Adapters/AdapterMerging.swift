import Tensors

/// Adds scale · B · A to a weight that is read a part at a time, in any type and from anywhere.
///
/// The product is made in float32 for a stretch of rows at a time, on all threads. Stretches are
/// cut by the weight's shape alone, so that the bits of the sum depend neither on the parts that
/// the weight is read in nor on the threads; see `Tensor.setProduct` for the order of summation.
public final class AdapterMerging {
  private let layer: AdaptedLayer
  private let a: Tensor
  private let b: Tensor
  private let rowsOfStretch: Int
  /// The rows that the product was made of last.
  private var rows: Range<Int>
  private let product: Tensor

  /// Elements of a stretch: 16 MiB, in which a product is long enough for all threads.
  private static let stretch = 1 << 22

  /// Reads A and B of one layer.
  public init(_ pair: AdapterPair) {
    layer = pair.layer
    a = pair.readA()
    b = pair.readB()
    rowsOfStretch = min(layer.outputs, max(1, Self.stretch / layer.inputs))
    rows = 0..<0
    product = Tensor(uninitialized: [rowsOfStretch, layer.inputs])
  }

  /// Adds the elements `range` of scale · B · A, row after row, to those that the pointer leads to.
  ///
  /// It is fastest from the first element to the last: a stretch is kept until another is asked for.
  public func add(_ range: Range<Int>, to weights: UnsafeMutablePointer<Float>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= layer.outputs * layer.inputs,
      "elements \(range) of \(layer.outputs)×\(layer.inputs)")
    var start = range.lowerBound
    while start < range.upperBound {
      makeProduct(with: start / layer.inputs)
      let end = min(range.upperBound, rows.upperBound * layer.inputs)
      kernels.add(
        weights + (start - range.lowerBound),
        product.pointer + (start - rows.lowerBound * layer.inputs), Int64(end - start))
      start = end
    }
  }

  private func makeProduct(with row: Int) {
    if rows.contains(row) { return }
    let first = row / rowsOfStretch * rowsOfStretch
    rows = first..<min(layer.outputs, first + rowsOfStretch)
    let part = product.rows(0..<rows.count)
    part.setProduct(of: b.rows(rows).matrix, a.matrix, .float32)
    part.scale(by: Float(layer.scale))
  }
}
