import Storage

/// A safetensors file, mapped into memory; its tensors are read from there, never copied.
///
/// Everything that the header says is checked before a tensor is handed out: every tensor lies
/// inside the file, and they fill it without holes and overlaps.
public struct SafetensorsFile: Sendable {
  /// The path, as it was given.
  public let path: String

  private let mapping: MappedFile
  private let header: SafetensorsHeader

  /// Maps a file and checks its header.
  ///
  /// - Throws: `SafetensorsError`, which names the file and the tensor.
  public init(at path: String) throws(SafetensorsError) {
    try self.init(at: path, followsLinks: true, named: path)
  }

  /// - Parameter name: What the file is called in errors.
  init(at path: String, followsLinks: Bool, named name: String) throws(SafetensorsError) {
    do throws(FileError) {
      mapping = try MappedFile(at: path, followsLinks: followsLinks)
    } catch {
      throw SafetensorsError(error, file: name)
    }
    header = try SafetensorsHeader(parsing: mapping.bytes, file: name)
    self.path = name
  }

  /// The strings beside the tensors; empty if there are none.
  public var metadata: [String: String] { header.metadata }

  /// The names of the tensors, in the order of their data.
  public var tensorNames: [String] { header.entries.map(\.name) }

  /// The tensors, in the order of their data.
  public var tensors: [SafetensorsTensor] {
    header.entries.map { SafetensorsTensor($0, mapping) }
  }

  /// The tensor of this name, byte for byte; nil if there is none.
  public subscript(name: String) -> SafetensorsTensor? {
    guard let i = header.indices[name], header.entries[i].name.utf8.elementsEqual(name.utf8)
    else { return nil }
    return SafetensorsTensor(header.entries[i], mapping)
  }

  /// Checks that the file has not been cut short since it was mapped, before a long read.
  ///
  /// - Throws: `SafetensorsError`. See `MappedFile` for what this does not see.
  public func checkSize() throws(SafetensorsError) {
    do throws(FileError) {
      try mapping.checkSize()
    } catch {
      throw SafetensorsError(error, file: path)
    }
  }
}

/// One tensor of a file, with its bytes where the file is mapped.
public struct SafetensorsTensor: Sendable {
  public let name: String
  public let dtype: SafetensorsType
  /// The dimensions, the last of which is contiguous; empty for a single number.
  public let shape: [Int]

  private let range: Range<Int>
  private let mapping: MappedFile

  init(_ entry: SafetensorsHeader.Entry, _ mapping: MappedFile) {
    name = entry.name
    dtype = entry.dtype
    shape = entry.shape
    range = entry.range
    self.mapping = mapping
  }

  /// The number of bytes, which dtype and shape give.
  public var byteCount: Int { range.count }

  /// The elements, little-endian, row after row, valid as long as this tensor or its file.
  ///
  /// Swift may release a value after its last use: keep one of the two while the bytes are read,
  /// or use `withUnsafeBytes`. Files of this package's writer and the reference library's are
  /// aligned to 8 bytes at the header's end, which aligns every element; others need not be, so
  /// check before binding the memory to a type.
  public var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: mapping.bytes[range])
  }

  /// What keeps the bytes where they are.
  public var owner: AnyObject { mapping }

  /// Calls `body` with the bytes, which stay valid until it returns.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(mapping) {} }
    return try body(bytes)
  }
}
