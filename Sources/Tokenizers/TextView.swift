/// A stretch of UTF-8 that is being read; bytes that are no UTF-8 count as characters of one byte.
struct TextView {
  let bytes: UnsafePointer<UInt8>
  /// Where it ends; nothing at or past this is read.
  let end: Int
  private let ascii = CharacterClass.ascii

  init(_ bytes: UnsafePointer<UInt8>, end: Int) {
    self.bytes = bytes
    self.end = end
  }

  /// The class of the character at `i`, which must be before the end, and its length in bytes.
  @inline(__always)
  func character(at i: Int) -> (class: CharacterClass, length: Int) {
    let byte = bytes[i]
    return byte < 0x80 ? (ascii[Int(byte)], 1) : wide(at: i)
  }

  /// The class at `i`; `.other` has no meaning at the end.
  @inline(__always)
  func isClass(_ class: CharacterClass, at i: Int) -> Bool {
    i < end && character(at: i).class == `class`
  }

  /// Where the run of one class that begins at `start` ends.
  @inline(__always)
  func endOfRun(_ class: CharacterClass, from start: Int) -> Int {
    var i = start
    while i < end {
      let (found, length) = character(at: i)
      if found != `class` { break }
      i += length
    }
    return i
  }

  /// Where the run of white space that begins at `start` ends, and where the last newline in it
  /// does.
  func endOfSpace(from start: Int) -> (end: Int, newlineEnd: Int?) {
    var i = start
    var newlineEnd: Int?
    while i < end {
      let (found, length) = character(at: i)
      if found == .newline {
        newlineEnd = i + 1
      } else if found != .space {
        break
      }
      i += length
    }
    return (i, newlineEnd)
  }

  /// The length of the last character before `i`, which must be past `start`.
  func lengthBefore(_ i: Int, from start: Int) -> Int {
    for length in 1...4 where i - length >= start {
      if scalar(at: i - length)?.length == length { return length }
    }
    return 1
  }

  /// Whether bytes are UTF-8 from end to end.
  static func isUTF8(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress else { return true }
      let view = TextView(start, end: buffer.count)
      var i = 0
      while i < buffer.count {
        guard let length = view.scalar(at: i)?.length else { return false }
        i += length
      }
      return true
    }
  }

  @inline(never)
  private func wide(at i: Int) -> (class: CharacterClass, length: Int) {
    guard let (value, length) = scalar(at: i) else { return (.other, 1) }
    return (CharacterClass.table[value], length)
  }

  /// The scalar that begins at `i` and its length; nil if what is there is no UTF-8 (table 3-7 of
  /// the Unicode standard).
  @inline(__always)
  func scalar(at i: Int) -> (value: Int, length: Int)? {
    let lead = Int(bytes[i])
    if lead < 0x80 { return (lead, 1) }
    func trail(_ k: Int) -> Int? {
      guard i + k < end, bytes[i + k] & 0xC0 == 0x80 else { return nil }
      return Int(bytes[i + k] & 0x3F)
    }
    switch lead {
    case 0xC2...0xDF:
      guard let a = trail(1) else { return nil }
      return ((lead & 0x1F) << 6 | a, 2)
    case 0xE0...0xEF:
      guard let a = trail(1), let b = trail(2) else { return nil }
      let value = (lead & 0x0F) << 12 | a << 6 | b
      return value < 0x800 || (0xD800...0xDFFF).contains(value) ? nil : (value, 3)
    case 0xF0...0xF4:
      guard let a = trail(1), let b = trail(2), let c = trail(3) else { return nil }
      let value = (lead & 0x07) << 18 | a << 12 | b << 6 | c
      return (0x10000...0x10FFFF).contains(value) ? (value, 4) : nil
    default:
      return nil
    }
  }
}
