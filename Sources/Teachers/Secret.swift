import Foundation

/// A key that a server asks for. It goes into one header and nowhere else: it has no description,
/// no coding and no equality, and what prints or dumps it shows `<secret>`.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  private let text: String

  /// A key as it stands in a variable or a file; white space around it is no part of it.
  ///
  /// - Parameter source: Where it is from, for the error, such as `'key.file'`.
  /// - Throws: `SecretError` if it is empty, or has what no header can hold; the key is not told.
  public init(_ text: String, source: String) throws(SecretError) {
    let trimmed = text.utf8.drop { $0 <= 0x20 }.reversed().drop { $0 <= 0x20 }.reversed()
    guard !trimmed.isEmpty else {
      throw SecretError("The key that \(source) names is empty. Put the server's key there.")
    }
    guard trimmed.count <= Self.longest else {
      throw SecretError(
        "What \(source) names has \(trimmed.count) bytes; a key has at most \(Self.longest). "
          + "It must hold the key alone.")
    }
    guard trimmed.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw SecretError(
        "The key that \(source) names has a blank, a line feed or another character in it that no "
          + "key has. It must hold the key alone, in one line.")
    }
    self.text = String(decoding: Array(trimmed), as: UTF8.self)
  }

  static let longest = 8192

  public var description: String { "<secret>" }
  public var debugDescription: String { "<secret>" }
  public var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }

  /// The value of the `Authorization` header.
  var authorization: String { "Bearer " + text }

  /// Keys shorter than this are taken out of texts whole, not in pieces, and an answer may hold them:
  /// they may be words.
  private static let shortestGuarded = 12
  /// Keys shorter than this, such as `EMPTY` or `none`, are not kept secret by anybody.
  private static let shortestRedacted = 8
  /// Pieces of a key this long are taken out of texts, because servers show keys in part.
  private static let shortestPiece = 8

  /// The text with `<secret>` in place of the key and of longer pieces of it.
  func redacted(_ text: String) -> String {
    let key = Array(self.text.utf8)
    guard key.count >= Self.shortestRedacted else { return text }
    let bytes = Array(text.utf8)
    let length = key.count < Self.shortestGuarded ? key.count : Self.shortestPiece
    guard bytes.count >= length else { return text }
    let pieces = Set((0...(key.count - length)).map { Array(key[$0..<($0 + length)]) })
    var result: [UInt8] = []
    /// Up to where the bytes belong to a piece.
    var end = 0
    for (i, byte) in bytes.enumerated() {
      if i + length <= bytes.count, pieces.contains(Array(bytes[i..<(i + length)])) {
        if i >= end { result += Array(description.utf8) }
        end = i + length
      }
      if i >= end { result.append(byte) }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Whether the whole key stands in the text.
  func stands(in text: String) -> Bool {
    let key = Array(self.text.utf8)
    guard key.count >= Self.shortestGuarded else { return false }
    var text = text
    return text.withUTF8 { bytes in
      bytes.count >= key.count
        && (0...(bytes.count - key.count)).contains { start in
          bytes[start] == key[0]
            && bytes[start..<(start + key.count)].elementsEqual(key)
        }
    }
  }
}

/// Why there is no key. The sentence never holds one.
public struct SecretError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Where a key is: in an environment variable or in a file, never in the recipe itself.
///
/// Errors do not repeat the variable's or the file's name, because that is where keys are written
/// by mistake.
public enum SecretSource: Codable, Equatable, Sendable {
  case environment(String)
  /// A file that its owner alone may read, as `ssh` demands it of its keys: a key that others read
  /// is theirs too. Where a system mounts secrets readable for all, use a variable.
  case file(String)

  private enum CodingKeys: String, CodingKey { case environment, file }

  public init(from decoder: any Decoder) throws {
    func refused(_ words: String) -> DecodingError {
      .dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: words))
    }
    let advice =
      "must be { environment: \"NAME\" } or { file: \"path\" }: where the key is. The key itself "
      + "does not belong in a recipe"
    if let single = try? decoder.singleValueContainer(),
      (try? single.decode(String.self)) != nil || (try? single.decode(Double.self)) != nil
        || (try? single.decode(Bool.self)) != nil
    {
      throw refused(advice)
    }
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let environment = try container.decodeIfPresent(String.self, forKey: .environment)
    let file = try container.decodeIfPresent(String.self, forKey: .file)
    switch (environment, file) {
    case (let name?, nil): self = .environment(name)
    case (nil, let path?): self = .file(path)
    default: throw refused(advice)
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .environment(let name): try container.encode(name, forKey: .environment)
    case .file(let path): try container.encode(path, forKey: .file)
    }
  }

  /// Reads the key.
  ///
  /// - Throws: `SecretError`.
  public func secret(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(SecretError) -> Secret {
    switch self {
    case .environment(let name):
      guard Self.isName(name) else {
        throw SecretError(
          "'key.environment' is not the name of an environment variable, which has letters, digits "
            + "and '_' only. Write the variable's name there, not the key.")
      }
      guard let text = environment[name] else {
        throw SecretError(
          "The environment variable that 'key.environment' names is not set. Set it to the key; "
            + "the recipe has its name only.")
      }
      return try Secret(text, source: "'key.environment'")
    case .file(let path): return try Self.read(path)
    }
  }

  private static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
    return name.utf8.allSatisfy {
      switch $0 {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
      default: false
      }
    }
  }

  private static func read(_ path: String) throws(SecretError) -> Secret {
    // Without O_NONBLOCK, a named pipe would be waited for.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw SecretError(
        "The file that 'key.file' names cannot be read: \(String(cString: strerror(errno))).")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw SecretError("What 'key.file' names is not a file; it must be one that holds the key.")
    }
    guard status.st_mode & 0o077 == 0 else {
      let mode = String(status.st_mode & 0o777, radix: 8)
      throw SecretError(
        "The file that 'key.file' names can be used by others (its mode is \(mode)). Make it its "
          + "owner's alone with 'chmod 600', and consider the key as known to them.")
    }
    var buffer = [UInt8](repeating: 0, count: Secret.longest + 256)
    var count = 0
    while count < buffer.count {
      let read = buffer.withUnsafeMutableBytes { bytes in
        Foundation.read(descriptor, bytes.baseAddress.map { $0 + count }, bytes.count - count)
      }
      guard read > 0 else { break }
      count += read
    }
    return try Secret(String(decoding: buffer[..<count], as: UTF8.self), source: "'key.file'")
  }
}
