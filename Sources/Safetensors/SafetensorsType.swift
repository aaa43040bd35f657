/// The type of a tensor's elements, by the name it has in the format.
///
/// In the order of the reference library, which stores tensors of later types first: by descending
/// alignment, so that each tensor is aligned.
public enum SafetensorsType: String, CaseIterable, Sendable {
  case bool = "BOOL"
  case f4 = "F4"
  case f6E2M3 = "F6_E2M3"
  case f6E3M2 = "F6_E3M2"
  case u8 = "U8"
  case i8 = "I8"
  case f8E5M2 = "F8_E5M2"
  case f8E4M3 = "F8_E4M3"
  case f8E8M0 = "F8_E8M0"
  case f8E4M3FNUZ = "F8_E4M3FNUZ"
  case f8E5M2FNUZ = "F8_E5M2FNUZ"
  case i16 = "I16"
  case u16 = "U16"
  case f16 = "F16"
  case bf16 = "BF16"
  case i32 = "I32"
  case u32 = "U32"
  case f32 = "F32"
  case c64 = "C64"
  case f64 = "F64"
  case i64 = "I64"
  case u64 = "U64"

  /// The bits of one element. Those of less than a byte are packed, so that a tensor must have a
  /// number of elements that fills whole bytes.
  public var bitCount: Int {
    switch self {
    case .f4: 4
    case .f6E2M3, .f6E3M2: 6
    case .bool, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ: 8
    case .i16, .u16, .f16, .bf16: 16
    case .i32, .u32, .f32: 32
    case .c64, .f64, .i64, .u64: 64
    }
  }

  /// The position in the order of the reference library.
  var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  /// The bytes of a tensor, or a sentence about why there is no such number.
  func byteCount(ofShape shape: [Int]) -> (bytes: Int?, problem: String) {
    var product = 1
    var hasOverflowed = false
    for factor in shape + [bitCount] {
      let (partial, overflow) = product.multipliedReportingOverflow(by: factor)
      product = partial
      hasOverflowed = hasOverflowed || overflow
    }
    if hasOverflowed {
      return (nil, "has shape \(shape), which is more than any file can hold.")
    }
    guard product.isMultiple(of: 8) else {
      return (nil, "is \(rawValue) of shape \(shape), which does not fill whole bytes.")
    }
    return (product / 8, "")
  }
}
