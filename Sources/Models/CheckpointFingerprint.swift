import Foundation
import Safetensors
import Storage

extension Checkpoint {
  /// A hash by which another model is noticed: 64 hexadecimal digits.
  ///
  /// It covers the configuration, the size of each file of weights, and 64 stretches of 1 KiB from
  /// each, so that it takes no longer for a large model than for a small one. It is no proof
  /// against somebody who changes weights on purpose.
  public var fingerprint: String {
    var hash = SHA256()
    hash.update(Array(JSONValue.object(configuration.json).serialized()))
    for file in tensors.files {
      guard let mapped = try? MappedFile(at: file.path) else { continue }
      withExtendedLifetime(mapped) {
        let bytes = mapped.bytes
        hash.update(Array("\(bytes.count) ".utf8))
        let parts = 64
        for part in 0..<parts {
          let start = bytes.count / parts * part
          hash.update(
            UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + 1024)]))
        }
      }
    }
    return hash.finalizedText()
  }
}
