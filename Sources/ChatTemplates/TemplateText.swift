/// A text in UTF-8 that remembers which of its bytes came from the input.
///
/// Input are the bytes of messages and tools; all others are the template's own. Every text of
/// the interpreter is one of these, so that whoever encodes the result can keep what a user wrote
/// from becoming a special token.
struct TemplateText: Sendable {
  private(set) var bytes: [UInt8] = []
  /// Ranges of `bytes` that came from the input: ascending, not empty, apart from one another.
  private(set) var inputRanges: [Range<Int>] = []

  init() {}

  init(_ bytes: [UInt8], isInput: Bool = false) {
    self.bytes = bytes
    if isInput, !bytes.isEmpty { inputRanges = [0..<bytes.count] }
  }

  init(_ string: String, isInput: Bool = false) { self.init(Array(string.utf8), isInput: isInput) }

  var count: Int { bytes.count }
  var isEmpty: Bool { bytes.isEmpty }
  var hasInput: Bool { !inputRanges.isEmpty }
  var string: String { String(decoding: bytes, as: UTF8.self) }

  /// The same bytes, all from the input.
  var asInput: TemplateText { TemplateText(bytes, isInput: true) }

  mutating func reserveCapacity(_ count: Int) { bytes.reserveCapacity(count) }

  mutating func append(_ other: TemplateText) {
    let offset = bytes.count
    bytes.append(contentsOf: other.bytes)
    for range in other.inputRanges {
      mark(range.lowerBound + offset..<range.upperBound + offset)
    }
  }

  /// Appends the template's own bytes.
  mutating func append(own other: some Sequence<UInt8>) { bytes.append(contentsOf: other) }

  /// Appends a part of another text.
  mutating func append(_ other: TemplateText, _ part: Range<Int>) {
    let offset = bytes.count - part.lowerBound
    bytes.append(contentsOf: other.bytes[part])
    var i = other.firstInputRange(endingAfter: part.lowerBound)
    while i < other.inputRanges.count, other.inputRanges[i].lowerBound < part.upperBound {
      let range = other.inputRanges[i].clamped(to: part)
      mark(range.lowerBound + offset..<range.upperBound + offset)
      i += 1
    }
  }

  private mutating func mark(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    if let last = inputRanges.last, last.upperBound == range.lowerBound {
      inputRanges[inputRanges.count - 1] = last.lowerBound..<range.upperBound
    } else {
      inputRanges.append(range)
    }
  }

  /// The index of the first range that ends after a byte; by halving, since a text can be cut
  /// into as many pieces as it has ranges.
  private func firstInputRange(endingAfter byte: Int) -> Int {
    var low = 0
    var high = inputRanges.count
    while low < high {
      let middle = (low + high) / 2
      if inputRanges[middle].upperBound > byte { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// A part of the text, by bytes; its ends must be ends of scalars.
  subscript(part: Range<Int>) -> TemplateText {
    if part == 0..<bytes.count { return self }
    var text = TemplateText()
    text.append(self, part)
    return text
  }

  // MARK: Scalars

  /// The number of scalars, which is what Python calls the length.
  var scalarCount: Int {
    var count = 0
    for byte in bytes where byte & 0xC0 != 0x80 { count += 1 }
    return count
  }

  /// Where the scalar after the one at `byte` begins.
  func endOfScalar(at byte: Int) -> Int {
    var i = byte + 1
    while i < bytes.count, bytes[i] & 0xC0 == 0x80 { i += 1 }
    return min(i, bytes.count)
  }

  /// Where the scalar begins that ends before `byte`.
  func startOfScalar(before byte: Int) -> Int {
    var i = byte - 1
    while i > 0, bytes[i] & 0xC0 == 0x80 { i -= 1 }
    return max(i, 0)
  }

  /// The byte at which a scalar begins, by its index; the end for an index that is too large.
  func byteOffset(ofScalar index: Int) -> Int {
    var left = index
    for (i, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
      if left <= 0 { return i }
      left -= 1
    }
    return bytes.count
  }

  /// The bytes of the scalar that begins at `byte`, decoded.
  func scalar(at byte: Int) -> Unicode.Scalar {
    String(decoding: bytes[byte..<endOfScalar(at: byte)], as: UTF8.self).unicodeScalars.first
      ?? "\u{FFFD}"
  }

  /// Whether Python's `isspace` holds for the scalar that begins at `byte`.
  func isWhitespace(at byte: Int) -> Bool {
    let first = bytes[byte]
    if first < 0x80 { return isASCIIWhitespace(first) }
    guard first == 0xC2 || (0xE1...0xE3).contains(first) else { return false }
    switch scalar(at: byte).value {
    case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: return true
    default: return false
    }
  }
}

/// Whether an ASCII byte is white space for Python, which counts the four separators in.
func isASCIIWhitespace(_ byte: UInt8) -> Bool {
  byte == 0x20 || (0x09...0x0D).contains(byte) || (0x1C...0x1F).contains(byte)
}
