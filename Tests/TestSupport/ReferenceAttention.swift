import Foundation

/// One head's causal attention over one document and its gradients, the plain way, in Double.
///
/// Every result has its size beside it: the sum of the absolute values of what was added up, which
/// is what rounding errors are measured against.
public struct ReferenceAttention {
  public struct Sum: Sendable {
    public var value: [Double]
    public var size: [Double]

    init(_ count: Int) {
      value = [Double](repeating: 0, count: count)
      size = value
    }

    /// Tolerances of `relative` times the size.
    public func tolerances(_ relative: Double) -> [Double] { size.map { $0 * relative + 1e-6 } }
  }

  public private(set) var o: Sum  // (T, D)
  public private(set) var lse: [Double]  // (T)
  public private(set) var delta: [Double]  // (T): Σ_d o · do
  public private(set) var dq: Sum
  public private(set) var dk: Sum
  public private(set) var dv: Sum

  /// - Parameters:
  ///   - q, k, v, do: (T, D) each; rounded to bfloat16 where `rounded`, as the tiles do it.
  ///   - headSize: D.
  public init(
    q: [Float], k: [Float], v: [Float], do gradient: [Float], headSize D: Int, rounded: Bool
  ) {
    func operand(_ x: [Float]) -> [Double] { x.map { Double(rounded ? $0.roundedToBFloat16 : $0) } }
    let (q, k, v, do_) = (operand(q), operand(k), operand(v), operand(gradient))
    let exact = gradient.map(Double.init)
    let T = q.count / D
    let scale = 1 / Double(D).squareRoot()
    (o, dq, dk, dv) = (Sum(T * D), Sum(T * D), Sum(T * D), Sum(T * D))
    lse = [Double](repeating: 0, count: T)
    delta = lse
    var p = lse

    for t in 0..<T {
      var highest = -Double.infinity
      for u in 0...t {
        p[u] = scale * Self.dot(q, t * D, k, u * D, D)
        highest = max(highest, p[u])
      }
      var sum = 0.0
      for u in 0...t {
        p[u] = exp(p[u] - highest)
        sum += p[u]
      }
      lse[t] = highest + log(sum)
      for u in 0...t {
        p[u] /= sum
        Self.add(p[u], abs(p[u]), v, u * D, to: &o, t * D, D)
      }
      var deltaSize = 0.0
      for d in 0..<D {
        delta[t] += o.value[t * D + d] * exact[t * D + d]
        deltaSize += o.size[t * D + d] * abs(exact[t * D + d])
      }
      for u in 0...t {
        let dp = Self.dot(do_, t * D, v, u * D, D)
        let ds = p[u] * (dp - delta[t]) * scale
        let size = p[u] * (Self.dot(do_, t * D, v, u * D, D, { abs($0) }) + deltaSize) * scale
        Self.add(p[u], p[u], do_, t * D, to: &dv, u * D, D)
        Self.add(ds, size, k, u * D, to: &dq, t * D, D)
        Self.add(ds, size, q, t * D, to: &dk, u * D, D)
      }
    }
  }

  @inline(__always)
  private static func dot(
    _ a: [Double], _ i: Int, _ b: [Double], _ j: Int, _ count: Int,
    _ term: (Double) -> Double = { $0 }
  ) -> Double {
    var sum = 0.0
    for d in 0..<count { sum += term(a[i + d] * b[j + d]) }
    return sum
  }

  @inline(__always)
  private static func add(
    _ factor: Double, _ size: Double, _ x: [Double], _ i: Int, to sum: inout Sum, _ j: Int,
    _ count: Int
  ) {
    for d in 0..<count {
      sum.value[j + d] += factor * x[i + d]
      sum.size[j + d] += size * abs(x[i + d])
    }
  }
}
