import Foundation

/// An empty folder for one test, removed with this object.
final class TemporaryFolder {
  let path: String

  init(_ name: String = "safetensors-tests-" + UUID().uuidString) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func names(_ folder: String = "") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: file(folder))) ?? []).sorted()
  }

  func bytes(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: file(name)).map { Array($0) }
  }

  func write(_ bytes: some Sequence<UInt8>, as name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
  }

  func makeFolder(_ name: String) throws {
    try FileManager.default.createDirectory(
      atPath: file(name), withIntermediateDirectories: true)
  }

  func link(_ name: String, to destination: String) throws {
    try FileManager.default.createSymbolicLink(
      atPath: file(name), withDestinationPath: destination)
  }
}

/// The bytes of a file: the length of the header, the header, and the data 0, 1, 2 and so on.
func safetensors(_ header: some Sequence<UInt8>, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
  let header = Array(header)
  let length = length ?? UInt64(header.count)
  return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header
    + (0..<data).map { UInt8(truncatingIfNeeded: $0) }
}

func safetensors(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
  safetensors(header.utf8, data: data, length: length)
}

/// A file with tensors of one byte each.
func safetensors(naming names: String...) -> [UInt8] {
  let members = names.enumerated().map {
    #""\#($1)":{"dtype":"U8","shape":[1],"data_offsets":[\#($0),\#($0 + 1)]}"#
  }
  return safetensors("{" + members.joined(separator: ",") + "}", data: names.count)
}
