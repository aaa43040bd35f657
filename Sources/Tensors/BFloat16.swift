/// A float with 8 bits of exponent and 8 of precision: the upper half of a float32.
public struct BFloat16: Equatable, Sendable {
  public var bitPattern: UInt16

  public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  /// The nearest bfloat16, ties to even; beyond the largest, infinity; NaN stays NaN.
  public init(_ value: Float) {
    let bits = value.bitPattern
    bitPattern =
      value.isNaN
      ? UInt16(truncatingIfNeeded: bits >> 16) | 0x40
      : UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
  }
}

extension BFloat16 {
  /// One of the two nearest bfloat16, which has `value` as its mean over all `random`.
  ///
  /// `random` is added below what is kept, and the rest is cut off: a share of all 2^16 of them as
  /// large as what lies between carries up. What is finite stays so: beyond the largest bfloat16 it
  /// is the largest. Infinity and NaN stay what they are. The kernel `round_stochastically` does
  /// this for many.
  public init(_ value: Float, random: UInt16) {
    let magnitude = value.magnitude.bitPattern, sign = value.bitPattern & 0x8000_0000
    let rounded =
      value.isFinite
      ? min(magnitude + UInt32(random), 0x7f7f_ffff)
      : value.isNaN ? magnitude | 0x0040_0000 : magnitude
    bitPattern = UInt16(truncatingIfNeeded: (sign | rounded) >> 16)
  }
}

extension Float {
  public init(_ value: BFloat16) { self.init(bitPattern: UInt32(value.bitPattern) << 16) }
}
