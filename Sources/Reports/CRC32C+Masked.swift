import Storage

extension CRC32C {
  /// As TensorFlow stores it, so that a checksum of data with checksums inside is a good one:
  /// turned right by 15 bits, plus a constant.
  static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let crc = checksum(bytes)
    return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }
}
