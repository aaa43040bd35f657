/// Why the bytes of a text in a pickle are none.
enum PickledTextError: Error {
  case halfSurrogate, notUTF8, notASCII, notQuoted, badEscape
}

/// A text in UTF-8, in which Python writes halves of surrogate pairs, too.
func pickledUTF8(_ bytes: UnsafeRawBufferPointer) -> Result<String, PickledTextError> {
  let text = String(decoding: bytes, as: UTF8.self)
  // Whatever isn't UTF-8 was replaced.
  if text.utf8.elementsEqual(bytes) { return .success(text) }
  let hasHalf = bytes.indices.dropLast().contains { bytes[$0] == 0xED && bytes[$0 + 1] >= 0xA0 }
  return .failure(hasHalf ? .halfSurrogate : .notUTF8)
}

/// A text of protocol 0 in Python's encoding `raw_unicode_escape`: Latin-1, and escapes `\uXXXX` and
/// `\UXXXXXXXX`; a backslash before anything else is itself, and takes that with it.
func pickledLine(_ bytes: UnsafeRawBufferPointer) -> Result<String, PickledTextError> {
  var text = String.UnicodeScalarView()
  var i = 0
  while i < bytes.count {
    guard bytes[i] == UInt8(ascii: "\\") else {
      text.append(Unicode.Scalar(bytes[i]))
      i += 1
      continue
    }
    guard i + 1 < bytes.count else {
      text.append("\\")
      break
    }
    let letter = bytes[i + 1]
    i += 2
    let digitCount: Int
    switch letter {
    case UInt8(ascii: "u"): digitCount = 4
    case UInt8(ascii: "U"): digitCount = 8
    default:
      text.append("\\")
      text.append(Unicode.Scalar(letter))
      continue
    }
    guard digitCount <= bytes.count - i, let value = hexadecimal(bytes[i..<i + digitCount]) else {
      return .failure(.badEscape)
    }
    guard let scalar = Unicode.Scalar(value) else {
      return .failure(value <= 0xFFFF ? .halfSurrogate : .badEscape)
    }
    text.append(scalar)
    i += digitCount
  }
  return .success(String(text))
}

/// A text of Python 2, which doesn't say its encoding.
func pickledASCII(_ bytes: UnsafeRawBufferPointer) -> Result<String, PickledTextError> {
  guard bytes.allSatisfy({ $0 < 0x80 }) else { return .failure(.notASCII) }
  return .success(String(decoding: bytes, as: UTF8.self))
}

/// A text of Python 2 in protocol 0: in quotes, with escapes as in Python's programs.
func pickledLiteral(_ line: UnsafeRawBufferPointer) -> Result<String, PickledTextError> {
  guard line.count >= 2, line.first == line.last, let quote = line.first,
    quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
  else { return .failure(.notQuoted) }
  let bytes = line[1..<line.count - 1]
  var text: [UInt8] = []
  var i = bytes.startIndex
  while i < bytes.endIndex {
    guard bytes[i] == UInt8(ascii: "\\") else {
      text.append(bytes[i])
      i += 1
      continue
    }
    guard i + 1 < bytes.endIndex else { return .failure(.badEscape) }
    let letter = bytes[i + 1]
    i += 2
    switch letter {
    case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): text.append(letter)
    case UInt8(ascii: "a"): text.append(0x07)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "v"): text.append(0x0B)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "x"):
      guard bytes.endIndex - i >= 2, let value = hexadecimal(bytes[i..<i + 2]) else {
        return .failure(.badEscape)
      }
      text.append(UInt8(truncatingIfNeeded: value))
      i += 2
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      var value = Int(letter) & 7
      let digits = bytes[i...].prefix(2).prefix { $0 & 0xF8 == 0x30 }
      for digit in digits { value = value << 3 | Int(digit) & 7 }
      text.append(UInt8(truncatingIfNeeded: value))
      i += digits.count
    default: text += [UInt8(ascii: "\\"), letter]
    }
  }
  return text.withUnsafeBytes { pickledASCII($0) }
}

/// At most eight hexadecimal digits.
private func hexadecimal(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt32? {
  var value: UInt32 = 0
  for byte in digits {
    guard let digit = hexDigit(byte) else { return nil }
    value = value << 4 | UInt32(digit)
  }
  return value
}

/// An integer from decimal digits, as Python writes one: without zeros in front.
func pickledInteger(_ bytes: UnsafeRawBufferPointer) -> String? {
  let digits = bytes.drop { $0 == UInt8(ascii: "-") }
  guard bytes.count - digits.count <= 1, let first = digits.first,
    digits.allSatisfy({ (0x30...0x39).contains($0) }), first != 0x30 || bytes.count == 1
  else { return nil }
  return String(decoding: bytes, as: UTF8.self)
}

/// An integer from its bytes, the lowest first, the highest bit its sign; none is 0.
func pickledInteger(littleEndian bytes: UnsafeRawBufferPointer) -> String {
  let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
  // The magnitude in words of 64 bits: for a negative number its bits turned round, and 1.
  var words: [UInt64] = []
  var carry: UInt64 = isNegative ? 1 : 0
  for first in stride(from: 0, to: bytes.count, by: 8) {
    var word: UInt64 = 0
    for i in 0..<8 {
      let byte = first + i < bytes.count ? bytes[first + i] : isNegative ? 0xFF : 0
      word |= UInt64(byte) << UInt64(8 * i)
    }
    let (sum, overflow) = (isNegative ? ~word : word).addingReportingOverflow(carry)
    words.append(sum)
    carry = overflow ? 1 : 0
  }
  while words.last == 0 { words.removeLast() }
  var groups: [UInt64] = []
  let groupBase: UInt64 = 1_000_000_000_000_000_000  // 18 digits: any number of them fits a word
  while !words.isEmpty {
    var rest: UInt64 = 0
    for i in words.indices.reversed() {
      (words[i], rest) = groupBase.dividingFullWidth((rest, words[i]))
    }
    while words.last == 0 { words.removeLast() }
    groups.append(rest)
  }
  guard let first = groups.popLast() else { return "0" }
  var text = (isNegative ? "-" : "") + String(first)
  for group in groups.reversed() {
    let digits = String(group)
    text += String(repeating: "0", count: 18 - digits.utf8.count) + digits
  }
  return text
}

/// A float as Python's `repr` writes it.
func pickledFloat(_ bytes: UnsafeRawBufferPointer) -> Double? {
  switch bytes {
  case _ where bytes.elementsEqual("nan".utf8): return .nan
  case _ where bytes.elementsEqual("inf".utf8): return .infinity
  case _ where bytes.elementsEqual("-inf".utf8): return -.infinity
  default:
    guard JSONNumber.isNumber(bytes) else { return nil }
    return Double(String(decoding: bytes, as: UTF8.self))
  }
}
