/// Unpacks a file that gzip wrote (RFC 1952): one member or several, each checked.
public enum Gzip {
  /// Whether bytes begin as such a file does.
  public static func isPacked(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bytes.starts(with: [0x1F, 0x8B])
  }

  /// The unpacked bytes.
  ///
  /// - Parameters:
  ///   - source: The file's name, for errors.
  ///   - limit: The most bytes that are unpacked, so that a small file can't fill the memory.
  /// - Throws: `GzipError` for what is no such file, is cut or damaged, or unpacks to more.
  public static func unpacked(
    _ bytes: UnsafeRawBufferPointer, source: String, limit: Int
  ) throws(GzipError) -> [UInt8] {
    var input = BitInput(bytes)
    var output: [UInt8] = []
    do throws(InflateError) {
      repeat {
        let start = output.count
        try skipHeader(&input)
        try Inflate.unpack(&input, to: &output, limit: limit)
        input.alignToByte()
        let checksum = try UInt32(input.bytes(4))
        let count = try UInt32(input.bytes(4))
        guard checksum == crc32(output[start...]),
          count == UInt32(truncatingIfNeeded: output.count - start)
        else { throw .damaged }
      } while input.hasBytes
    } catch {
      let words =
        switch error {
        case .cut: "the packed file ends too early. Get it again."
        case .damaged: "the packed file is damaged. Get it again."
        case .tooLarge: "unpacked it has more than \(limit) bytes. Unpack it first."
        }
      throw GzipError(description: "\(source): \(words)")
    }
    return output
  }

  private static func skipHeader(_ input: inout BitInput) throws(InflateError) {
    guard try input.bytes(2) == 0x8B1F, try input.bytes(1) == 8 else { throw .damaged }
    let flags = try input.bytes(1)
    _ = try input.bytes(4)
    _ = try input.bytes(2)
    if flags & 4 != 0 {
      for _ in 0..<(try input.bytes(2)) { _ = try input.bytes(1) }
    }
    // The file's name, and a comment.
    for flag in [8, 16] where flags & flag != 0 {
      while try input.bytes(1) != 0 {}
    }
    if flags & 2 != 0 { _ = try input.bytes(2) }
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
  }

  /// The check of RFC 1952, section 8.
  private static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let table = table
    return ~bytes.reduce(~UInt32(0)) { crc, byte in
      crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)]
    }
  }
}

/// Why a packed file can't be read.
public struct GzipError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

enum InflateError: Error { case cut, damaged, tooLarge }

/// Bits of a text in the order of RFC 1951: the lowest of each byte first.
struct BitInput {
  private let source: UnsafeRawBufferPointer
  private var position = 0
  private var held: UInt32 = 0
  private var heldCount = 0

  init(_ bytes: UnsafeRawBufferPointer) { source = bytes }

  /// Whether a whole byte is left.
  var hasBytes: Bool { position < source.count }

  /// The next bits as a number, at most 16.
  mutating func bits(_ count: Int) throws(InflateError) -> Int {
    while heldCount < count {
      guard position < source.count else { throw .cut }
      held |= UInt32(source[position]) << UInt32(heldCount)
      position += 1
      heldCount += 8
    }
    let value = held & (1 << UInt32(count) - 1)
    held >>= UInt32(count)
    heldCount -= count
    return Int(value)
  }

  /// Leaves the rest of a byte that was begun.
  mutating func alignToByte() {
    position -= heldCount / 8
    held = 0
    heldCount = 0
  }

  /// The next bytes as a number, the lowest first.
  mutating func bytes(_ count: Int) throws(InflateError) -> Int {
    var value = 0
    for i in 0..<count { value |= try bits(8) << (8 * i) }
    return value
  }
}

/// The format "deflate" of RFC 1951.
enum Inflate {
  /// Unpacks blocks up to the last one.
  static func unpack(
    _ input: inout BitInput, to output: inout [UInt8], limit: Int
  ) throws(InflateError) {
    let start = output.count
    var isLast = false
    while !isLast {
      isLast = try input.bits(1) == 1
      switch try input.bits(2) {
      case 0:
        input.alignToByte()
        let count = try input.bytes(2)
        guard try input.bytes(2) == ~count & 0xFFFF else { throw .damaged }
        guard output.count + count <= limit else { throw .tooLarge }
        for _ in 0..<count { output.append(UInt8(truncatingIfNeeded: try input.bytes(1))) }
      case 1:
        try codes(&input, fixedLiterals, fixedDistances, start, &output, limit)
      case 2:
        let (literals, distances) = try tables(&input)
        try codes(&input, literals, distances, start, &output, limit)
      default: throw .damaged
      }
    }
  }

  /// A prefix code: how many codes there are of each length, and their symbols in order.
  private struct Code {
    var counts = [Int](repeating: 0, count: 16)
    var symbols: [Int] = []

    /// Nil for lengths that more codes claim than there are; fewer are put up with.
    init?(_ lengths: ArraySlice<Int>) {
      for length in lengths { counts[length] += 1 }
      counts[0] = 0
      var left = 1
      for length in 1..<16 {
        left = left << 1 - counts[length]
        if left < 0 { return nil }
      }
      for length in 1..<16 {
        for (symbol, other) in lengths.enumerated() where other == length { symbols.append(symbol) }
      }
    }

    func symbol(_ input: inout BitInput) throws(InflateError) -> Int {
      var code = 0
      var first = 0
      var index = 0
      for length in 1..<16 {
        code |= try input.bits(1)
        let count = counts[length]
        if code - first < count {
          let at = index + code - first
          guard symbols.indices.contains(at) else { throw .damaged }
          return symbols[at]
        }
        index += count
        first = (first + count) << 1
        code <<= 1
      }
      throw .damaged
    }
  }

  private static let fixedLiterals = Code(
    ([Int](repeating: 8, count: 144) + [Int](repeating: 9, count: 112)
      + [Int](repeating: 7, count: 24) + [Int](repeating: 8, count: 8))[...])
  private static let fixedDistances = Code([Int](repeating: 5, count: 30)[...])

  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
    3073, 4097, 6145, 8193, 12289, 16385, 24577,
  ]
  /// The order in which the lengths of the code for lengths come.
  private static let lengthOrder = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
  ]

  private static func codes(
    _ input: inout BitInput, _ literals: Code?, _ distances: Code?, _ start: Int,
    _ output: inout [UInt8], _ limit: Int
  ) throws(InflateError) {
    guard let literals, let distances else { throw .damaged }
    while true {
      let symbol = try literals.symbol(&input)
      if symbol == 256 { return }
      guard output.count < limit else { throw .tooLarge }
      if symbol < 256 {
        output.append(UInt8(truncatingIfNeeded: symbol))
        continue
      }
      let kind = symbol - 257
      guard lengthBases.indices.contains(kind) else { throw .damaged }
      let length = lengthBases[kind] + (try input.bits(lengthBits[kind]))
      let far = try distances.symbol(&input)
      guard distanceBases.indices.contains(far) else { throw .damaged }
      let distance = distanceBases[far] + (try input.bits(max(0, far / 2 - 1)))
      guard distance <= output.count - start else { throw .damaged }
      guard output.count + length <= limit else { throw .tooLarge }
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  /// The codes that a block brings.
  private static func tables(
    _ input: inout BitInput
  ) throws(InflateError) -> (literals: Code?, distances: Code?) {
    let literalCount = try input.bits(5) + 257
    let distanceCount = try input.bits(5) + 1
    let lengthCount = try input.bits(4) + 4
    guard literalCount <= 286, distanceCount <= 30 else { throw .damaged }
    var lengths = [Int](repeating: 0, count: 19)
    for name in lengthOrder.prefix(lengthCount) { lengths[name] = try input.bits(3) }
    guard let code = Code(lengths[...]) else { throw .damaged }
    lengths = []
    while lengths.count < literalCount + distanceCount {
      let symbol = try code.symbol(&input)
      switch symbol {
      case 0..<16: lengths.append(symbol)
      case 16:
        guard let last = lengths.last else { throw .damaged }
        lengths += [Int](repeating: last, count: 3 + (try input.bits(2)))
      case 17: lengths += [Int](repeating: 0, count: 3 + (try input.bits(3)))
      default: lengths += [Int](repeating: 0, count: 11 + (try input.bits(7)))
      }
    }
    guard lengths.count == literalCount + distanceCount, lengths[256] != 0 else { throw .damaged }
    return (Code(lengths[..<literalCount]), Code(Array(lengths[literalCount...])[...]))
  }
}
