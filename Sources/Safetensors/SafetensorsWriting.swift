import Foundation
import Storage

extension SafetensorsFile {
  /// Writes a file, whole or not at all, tensor by tensor.
  ///
  /// The bytes depend on the tensors only, not on their order: later types first, then by name, as
  /// the reference library stores them. The header is padded with spaces so that the data begins at
  /// a multiple of 8 bytes.
  ///
  /// - Parameters:
  ///   - tensors: What to write. Their bytes are asked for one tensor after the other.
  ///   - metadata: Strings beside the tensors. The default is what transformers asks for.
  ///   - path: The final name; see `AtomicFile`.
  /// - Throws: `SafetensorsError`, or what the source of a tensor throws.
  public static func write(
    _ tensors: [TensorSource], metadata: [String: String] = ["format": "pt"], to path: String
  ) throws {
    let layout = try SafetensorsLayout(tensors, metadata, file: path)
    do {
      var file = try AtomicFile(at: path)
      try file.write(layout.header)
      for (tensor, size) in layout.tensors {
        let end = file.count + size
        func error(_ message: String) -> SafetensorsError {
          SafetensorsError(path, tensor: tensor.name, quoted(tensor.name) + " " + message)
        }
        try tensor.write { bytes in
          guard bytes.count <= end - file.count else {
            throw error("gave more than its \(size) bytes to write.")
          }
          try file.write(bytes)
        }
        guard file.count == end else {
          throw error("gave \(size - (end - file.count)) of its \(size) bytes to write.")
        }
      }
      try file.commit()
    } catch let error as FileError {
      // A source may have failed to read another file.
      throw SafetensorsError(error, file: error.path)
    }
  }
}

/// The header of a file that is to be written, and its tensors in order.
struct SafetensorsLayout {
  /// With the length before it and the padding after it.
  let header: Data
  let tensors: [(source: TensorSource, byteCount: Int)]

  init(
    _ sources: [TensorSource], _ metadata: [String: String], file: String
  ) throws(SafetensorsError) {
    var names: Set<String> = []
    var sized: [(source: TensorSource, byteCount: Int)] = []
    for source in sources {
      func error(_ message: String) -> SafetensorsError {
        SafetensorsError(file, tensor: source.name, quoted(source.name) + " " + message)
      }
      if let problem = problem(ofName: source.name) {
        throw SafetensorsError(file, tensor: source.name, problem)
      }
      guard names.insert(source.name).inserted else { throw error("is to be written twice.") }
      guard source.shape.allSatisfy({ $0 >= 0 }) else {
        throw error("has shape \(source.shape), with a dimension below 0.")
      }
      let (bytes, problem) = source.dtype.byteCount(ofShape: source.shape)
      guard let bytes else { throw error(problem) }
      sized.append((source, bytes))
    }
    sized.sort {
      $0.source.dtype != $1.source.dtype
        ? $0.source.dtype.rank > $1.source.dtype.rank
        : $0.source.name.utf8.lexicographicallyPrecedes($1.source.name.utf8)
    }

    var members: [(key: String, value: JSONValue)] = []
    if !metadata.isEmpty {
      let strings = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      members.append(
        (
          metadataKey,
          .object(JSONObject(members: strings.map { ($0.key, .string($0.value)) }))
        ))
    }
    var begin = 0
    for (source, byteCount) in sized {
      let (end, overflow) = begin.addingReportingOverflow(byteCount)
      guard !overflow else {
        throw SafetensorsError(file, "the tensors have more bytes than any file can hold.")
      }
      func array(_ numbers: [Int]) -> JSONValue {
        .array(numbers.map { .number(JSONNumber($0)) })
      }
      members.append(
        (
          source.name,
          .object(
            JSONObject(members: [
              ("dtype", .string(source.dtype.rawValue)), ("shape", array(source.shape)),
              ("data_offsets", array([begin, end])),
            ]))
        ))
      begin = end
    }
    var text = JSONValue.object(JSONObject(members: members)).serialized()
    text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8))
    guard text.count <= SafetensorsHeader.longestHeader else {
      throw SafetensorsError(
        file,
        "the header would have \(text.count) bytes; at most \(SafetensorsHeader.longestHeader) "
          + "are read. Write fewer tensors into one file.")
    }
    var length = UInt64(text.count).littleEndian
    header = Data(bytes: &length, count: 8) + text
    tensors = sized
  }
}
