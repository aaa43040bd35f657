/// Unpacks what zlib packed (RFC 1950): a header, one deflated text, and its Adler-32.
public enum Zlib {
  /// Whether bytes begin as such a text does, one that needs no dictionary (section 2.2).
  public static func isPacked(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 2 else { return false }
    let isDeflated = bytes[0] & 0x0F == 8 && bytes[0] >> 4 <= 7
    let hasDictionary = bytes[1] & 0x20 != 0
    return isDeflated && !hasDictionary && (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
  }

  /// The unpacked bytes.
  ///
  /// - Parameters:
  ///   - source: Where the bytes are from, for errors.
  ///   - limit: The most bytes that are unpacked, so that a few can't fill the memory.
  /// - Throws: `ZlibError` for what zlib did not write, is cut or damaged, or unpacks to more.
  public static func unpacked(
    _ bytes: UnsafeRawBufferPointer, source: String, limit: Int
  ) throws(ZlibError) -> [UInt8] {
    guard isPacked(bytes) else {
      throw ZlibError(description: "\(source): zlib did not write this. Pack it with zlib.")
    }
    var input = BitInput(UnsafeRawBufferPointer(rebasing: bytes[2...]))
    var output: [UInt8] = []
    do throws(InflateError) {
      try Inflate.unpack(&input, to: &output, limit: limit)
      input.alignToByte()
      var checksum: UInt32 = 0
      for _ in 0..<4 { checksum = checksum << 8 | UInt32(truncatingIfNeeded: try input.bytes(1)) }
      guard checksum == adler32(output), !input.hasBytes else { throw .damaged }
    } catch {
      let words =
        switch error {
        case .cut: "the packed bytes end too early. Get them again."
        case .damaged: "the packed bytes are damaged. Get them again."
        case .tooLarge: "unpacked it has more than \(limit) bytes. Unpack it first."
        }
      throw ZlibError(description: "\(source): \(words)")
    }
    return output
  }

  /// The check of RFC 1950, section 9.
  private static func adler32(_ bytes: [UInt8]) -> UInt32 {
    let modulus: UInt64 = 65_521
    var sum: UInt64 = 1
    var sums: UInt64 = 0
    var start = 0
    while start < bytes.count {
      // 64 bits hold the sums of a block of this size, so that it is divided once.
      let end = min(start + (1 << 16), bytes.count)
      for byte in bytes[start..<end] {
        sum += UInt64(byte)
        sums += sum
      }
      sum %= modulus
      sums %= modulus
      start = end
    }
    return UInt32(truncatingIfNeeded: sums << 16 | sum)
  }
}

/// Why packed bytes can't be read.
public struct ZlibError: Error, Equatable, CustomStringConvertible {
  public let description: String
}
