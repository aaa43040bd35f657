import Foundation

/// Random numbers that depend on a key and a position alone, not on what was drawn before.
///
/// The generator is SplitMix64 (Steele, Lea & Flood 2014) run as a counter: number `index` of a
/// stream is the mix of `key + index · γ`. Streams are told apart by a purpose and numbers, such as
/// `RandomStream(seed: 42, "initialization", 3)`.
public struct RandomStream: Sendable {
  /// What kernels that draw from the stream take; two streams are alike when their keys are.
  public let key: UInt64

  public init(seed: UInt64, _ purpose: String, _ numbers: Int...) {
    var key = Self.mix(seed &+ Self.gamma)
    for byte in purpose.utf8 { key = Self.mix(key ^ UInt64(byte) &+ Self.gamma) }
    for number in numbers {
      key = Self.mix(key ^ UInt64(bitPattern: Int64(number)) &+ Self.gamma)
    }
    self.key = key
  }

  /// 64 random bits.
  public subscript(index: Int) -> UInt64 {
    Self.mix(key &+ (UInt64(bitPattern: Int64(index)) &+ 1) &* Self.gamma)
  }

  /// A number from 0 up to, not including, 1: 53 random bits.
  public func uniform(_ index: Int) -> Double { Double(self[index] >> 11) * 0x1p-53 }

  /// A number of the standard normal distribution (Box & Muller 1958), from numbers 2 · `index`
  /// and 2 · `index` + 1 of the stream.
  public func normal(_ index: Int) -> Double {
    let radius = (-2 * log(1 - uniform(2 &* index))).squareRoot()
    return radius * cos(2 * .pi * uniform(2 &* index &+ 1))
  }

  private static let gamma: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension Tensor {
  /// Fills the tensor from a normal distribution around 0, the same on any number of threads.
  public func fillNormal(standardDeviation: Double, from stream: RandomStream) {
    ThreadPool.shared.forEachChunk(of: count, size: 1 << 14) { range, _, _ in
      for index in range { pointer[index] = Float(stream.normal(index) * standardDeviation) }
    }
  }
}
