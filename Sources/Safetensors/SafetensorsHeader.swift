import Storage

/// What the header of a safetensors file says, checked against the size of the file.
///
/// The file is 8 bytes of length, little-endian; the header, a JSON object; the data. See
/// `README.md` here for what is refused, and where that is more than the reference library refuses.
struct SafetensorsHeader {
  struct Entry {
    let name: String
    let dtype: SafetensorsType
    let shape: [Int]
    /// The bytes of the file, which lie inside it.
    let range: Range<Int>
  }

  /// The tensors, in the order of their data.
  let entries: [Entry]
  /// Where each name is in `entries`.
  let indices: [String: Int]
  let metadata: [String: String]

  static let longestHeader = 100_000_000

  /// Reads and checks the header.
  ///
  /// - Parameters:
  ///   - bytes: The whole file, of which only the header is read.
  ///   - file: Its name in errors.
  /// - Throws: `SafetensorsError`.
  init(parsing bytes: UnsafeRawBufferPointer, file: String) throws(SafetensorsError) {
    guard bytes.count >= 8 else {
      throw SafetensorsError(
        file,
        "the file has \(bytes.count) bytes, fewer than the length of a header. Fetch it again.")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    let rest = bytes.count - 8
    guard length <= Self.longestHeader, let count = Int(exactly: length), count <= rest else {
      let message =
        otherFormat(of: bytes)
        ?? (length <= Self.longestHeader
          ? "its header is to have \(length) bytes, but only \(rest) follow. "
            + "The file is cut off or damaged; fetch it again."
          : "its header is to have \(length) bytes, and at most \(Self.longestHeader) are read. "
            + "The file is damaged, or no safetensors file.")
      throw SafetensorsError(file, message)
    }
    guard count > 0 else { throw SafetensorsError(file, "its header has no bytes.") }

    let header = UnsafeRawBufferPointer(rebasing: bytes[8..<(8 + count)])
    var reader: HeaderReader
    do throws(JSONError) {
      let limits = JSONLimits(bytes: Self.longestHeader)
      reader = HeaderReader(try JSONTokens(header, source: file, limits: limits), file)
    } catch {
      throw SafetensorsError(file, inHeader: error)
    }
    try reader.read()
    let order = try Self.order(of: reader.tensors, dataCount: rest - count, file)

    metadata = reader.metadata
    var indices = reader.indices
    var entries: [Entry] = []
    entries.reserveCapacity(order.count)
    for i in order {
      let tensor = reader.tensors[i]
      indices[tensor.name] = entries.count
      let start = 8 + count
      entries.append(
        Entry(
          name: tensor.name, dtype: tensor.dtype, shape: tensor.shape,
          // Inside the file, as `order` checked.
          range: (start + tensor.begin)..<(start + tensor.end)))
    }
    self.indices = indices
    self.entries = entries
  }

  /// Checks that the tensors fill the data, each byte belonging to one, and returns them in the
  /// order of the data.
  private static func order(
    of tensors: [HeaderReader.Tensor], dataCount: Int, _ file: String
  ) throws(SafetensorsError) -> [Int] {
    for tensor in tensors {
      func error(_ message: String) -> SafetensorsError {
        SafetensorsError(file, tensor: tensor.name, quoted(tensor.name) + " " + message)
      }
      guard tensor.begin <= tensor.end else {
        throw error("begins at byte \(tensor.begin) of the data and ends at \(tensor.end).")
      }
      let (bytes, problem) = tensor.dtype.byteCount(ofShape: tensor.shape)
      guard let bytes else { throw error(problem) }
      // Both are at least 0, so that this does not overflow.
      guard tensor.end - tensor.begin == bytes else {
        throw error(
          "has \(tensor.end - tensor.begin) bytes of data; \(tensor.dtype.rawValue) of shape "
            + "\(tensor.shape) takes \(bytes).")
      }
      guard tensor.end <= dataCount else {
        throw error(
          "ends at byte \(tensor.end) of the data, of which the file has \(dataCount). "
            + "It is cut off or damaged; fetch it again.")
      }
    }
    let order = tensors.indices.sorted {
      (tensors[$0].begin, tensors[$0].end, $0) < (tensors[$1].begin, tensors[$1].end, $1)
    }
    var end = 0
    var last: String?
    for i in order {
      let tensor = tensors[i]
      guard tensor.begin <= end else {
        throw SafetensorsError(
          file, tensor: tensor.name,
          "bytes \(end) to \(tensor.begin) of the data, before \(quoted(tensor.name)), "
            + "belong to no tensor.")
      }
      guard tensor.begin == end else {
        throw SafetensorsError(
          file, tensor: tensor.name,
          "\(quoted(tensor.name)) begins at byte \(tensor.begin) of the data, where "
            + "\(quoted(last ?? "")) is, which ends at \(end).")
      }
      end = tensor.end
      last = tensor.name
    }
    guard end == dataCount else {
      throw SafetensorsError(
        file, "the last \(dataCount - end) of the \(dataCount) bytes of data belong to no tensor.")
    }
    return order
  }
}

/// What a file is that is taken for safetensors by mistake, as a sentence; nil if that is not
/// known.
private func otherFormat(of bytes: UnsafeRawBufferPointer) -> String? {
  func starts(_ prefix: String) -> Bool { bytes.starts(with: prefix.utf8) }
  if starts("version https://git-lfs") {
    return "a Git LFS pointer in place of the file. Fetch that with 'git lfs pull'."
  }
  if starts("PK\u{3}\u{4}") || (bytes.count >= 2 && bytes[0] == 0x80 && (2...5).contains(bytes[1]))
  {
    return "a PyTorch pickle, which may run code when it is read. Convert it to safetensors."
  }
  if starts("GGUF") { return "a GGUF file. Use the safetensors files of the model." }
  if starts("<!DOCTYPE") || starts("<!doctype") || starts("<html") {
    return "a web page in place of the file. Fetch that again."
  }
  return nil
}
