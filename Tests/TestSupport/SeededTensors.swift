import Tensors

/// A repeatable source of randomness: the same seed gives the same test.
///
/// SplitMix64 (Steele, Lea & Flood 2014), written apart from the package's own random numbers.
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  public init(seed: Int) { state = UInt64(bitPattern: Int64(seed)) &* 0xD134_2543_DE82_EF95 }

  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A multiple of 2^-24 from -1 up to 1; never subnormal.
  public mutating func float() -> Float { Float(Int64(bitPattern: next()) >> 39) * 0x1p-24 }
}

/// `count` floats from `-scale` to `scale`.
public func seededFloats(_ count: Int, seed: Int, scale: Float = 1) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return (0..<count).map { _ in generator.float() * scale }
}

extension Tensor {
  /// A tensor of floats from `-scale` to `scale`, around `center`.
  public init(seeded shape: [Int], seed: Int, scale: Float = 1, center: Float = 0) {
    let values = seededFloats(shape.reduce(1, *), seed: seed, scale: scale)
    self.init(values.map { $0 + center }, shape: shape)
  }

  /// A copy of the elements.
  public var values: [Float] { Array(elements) }

  /// Σ x · y over all elements, in Double.
  public func dot(_ other: Tensor) -> Double {
    precondition(count == other.count, "\(shape) times \(other.shape)")
    return (0..<count).reduce(0) { $0 + Double(elements[$1]) * Double(other.elements[$1]) }
  }
}

extension Float {
  /// The nearest bfloat16 as a float, found by comparing distances: ties to even.
  public var roundedToBFloat16: Float {
    guard isFinite else { return self }
    let below = Float(bitPattern: bitPattern & 0xffff_0000)
    let above = Float(bitPattern: (bitPattern & 0xffff_0000) &+ 0x1_0000)
    // Beyond the largest bfloat16 the next one would be 2^128.
    let next = above.isFinite ? Double(above) : (sign == .plus ? 0x1p128 : -0x1p128)
    let (down, up) = (abs(Double(self) - Double(below)), abs(next - Double(self)))
    if down != up { return down < up ? below : above }
    return below.bitPattern >> 16 & 1 == 0 ? below : above
  }
}
