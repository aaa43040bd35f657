import Interface
import Models

/// A number of bytes as a person writes it: "5GB", "1.5 GB" or "512MiB", in upper or lower case.
struct ByteSize: Equatable, Sendable {
  let bytes: Int

  static let wording = "a size such as '5GB' or '500MB'"

  /// Nil for a text that is no size, or not at least one byte.
  init?(_ text: String) {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
    let units = [
      "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
      "kib": 0x1p10, "mib": 0x1p20, "gib": 0x1p30, "tib": 0x1p40,
    ]
    guard let value = Double(number), let factor = units[unit],
      let bytes = Int(exactly: (value * factor).rounded()), bytes > 0
    else { return nil }
    self.bytes = bytes
  }
}

extension Values where Value == ByteSize {
  static var sizes: Values { Values(ByteSize.wording) { ByteSize($0) } }
}

/// The types that weights are written in.
enum StoredType: String, Choice {
  case float32, bfloat16

  var dtype: ModelConfiguration.Dtype {
    switch self {
    case .float32: .float32
    case .bfloat16: .bfloat16
    }
  }
}
