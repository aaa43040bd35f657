/// The cyclic redundancy check of iSCSI, RFC 3720, appendix B.4: reflected polynomial 0x82F63B78.
public enum CRC32C {
  /// Eight tables of 256: table `k` has what a byte becomes once `k` more bytes have followed it, so
  /// that eight bytes are taken at once.
  private static let tables: [UInt32] = {
    var tables = (0..<256).map { byte in
      (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0x82F6_3B78 : 0) }
    }
    for i in 256..<8 * 256 {
      let before = tables[i - 256]
      tables.append(before >> 8 ^ tables[Int(before & 0xFF)])
    }
    return tables
  }()

  public static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { t in
      var crc = ~UInt32(0)
      var i = 0
      while i + 8 <= bytes.count {
        let low =
          crc ^ UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt32.self))
        let high = UInt32(
          littleEndian: bytes.loadUnaligned(fromByteOffset: i + 4, as: UInt32.self))
        let near =
          t[0x700 + Int(low & 0xFF)] ^ t[0x600 + Int(low >> 8 & 0xFF)]
          ^ t[0x500 + Int(low >> 16 & 0xFF)] ^ t[0x400 + Int(low >> 24)]
        let far =
          t[0x300 + Int(high & 0xFF)] ^ t[0x200 + Int(high >> 8 & 0xFF)]
          ^ t[0x100 + Int(high >> 16 & 0xFF)] ^ t[Int(high >> 24)]
        crc = near ^ far
        i += 8
      }
      while i < bytes.count {
        crc = crc >> 8 ^ t[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[i])]
        i += 1
      }
      return ~crc
    }
  }

  public static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    Array(bytes).withUnsafeBytes { checksum($0) }
  }
}
