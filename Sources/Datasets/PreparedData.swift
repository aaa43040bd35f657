import Foundation
import Storage

/// Why prepared data can't be read; making it again is always the remedy.
public struct PreparedDataError: Error, Equatable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    /// There is none.
    case missing
    /// It was made from other samples, or with other settings.
    case otherKey
    /// It is not what was written.
    case damaged
  }

  public let reason: Reason
  public let description: String

  init(_ reason: Reason, _ path: String, _ message: String) {
    self.reason = reason
    description = "\(path): \(message) Remove the folder; it will be made again."
  }
}

/// Documents that were rendered before, mapped into memory.
///
/// A folder of three files. `tokens.bin` holds the ids of all documents, four bytes each, little
/// end first; a token that is not learned is stored as its complement, a negative number, so that
/// ids and mask cannot get out of step. `documents.bin` holds for each document where it ends in
/// tokens (eight bytes), the number of its source and how many of its tokens are learned (four
/// each), and the number of its sample (eight). `prepared.json` says what they are, and the key they were made with.
public struct PreparedData: Sendable {
  public let path: String
  /// What the data was made from, as `PreparationKey` tells.
  public let key: String
  /// What was said of the data when it was made.
  public let report: JSONObject
  public let count: Int
  private let idLimit: Int

  private let tokens: MappedFile?
  private let documents: MappedFile?

  static let format = 2
  static let recordBytes = 24
  static let fileNames = ["tokens.bin", "documents.bin", "prepared.json"]

  /// Opens prepared data and checks all of it but the tokens, which are checked as they are read.
  ///
  /// - Parameter key: The key it must have; nil for any.
  /// - Throws: `PreparedDataError`.
  public init(at path: String, key: String? = nil) throws(PreparedDataError) {
    self.path = path
    let manifest = try Self.manifest(path)
    guard case .string(let found)? = manifest["key"],
      let format = Self.count(manifest["format"]),
      let documentCount = Self.count(manifest["documents"]),
      let tokenCount = Self.count(manifest["tokens"]),
      let sourceCount = Self.count(manifest["sources"]),
      let idLimit = Self.count(manifest["idLimit"]), case .object(let report)? = manifest["report"]
    else {
      throw PreparedDataError(.damaged, path + "/prepared.json", "it lacks what it must say.")
    }
    guard format == Self.format, key == nil || key == found else {
      throw PreparedDataError(
        .otherKey, path, "it was prepared from other samples, or with other settings.")
    }
    self.key = found
    self.idLimit = idLimit
    self.report = report
    count = documentCount
    tokens = try Self.file("tokens.bin", in: path, count: tokenCount, each: 4)
    documents = try Self.file(
      "documents.bin", in: path, count: documentCount, each: Self.recordBytes)
    var end: UInt64 = 0
    for i in 0..<count {
      let next = documentEnd(i)
      guard next > end, next <= UInt64(tokenCount) else {
        throw PreparedDataError(
          .damaged, path + "/documents.bin",
          "document \(i) ends at token \(next), behind \(end) of "
            + "\(tokenCount).")
      }
      guard supervisedCount(of: i) <= Int(next - end), source(of: i) < sourceCount else {
        throw PreparedDataError(
          .damaged, path + "/documents.bin",
          "document \(i) has more learned tokens than tokens, or "
            + "a source that is none.")
      }
      end = next
    }
    guard end == UInt64(tokenCount) else {
      throw PreparedDataError(
        .damaged, path + "/documents.bin", "the documents end at token \(end) of \(tokenCount).")
    }
  }

  /// The number of tokens of a document.
  public func length(of document: Int) -> Int { range(document).count }

  /// The lengths of all documents.
  public var lengths: [Int] { (0..<count).map { length(of: $0) } }

  /// The number of the source that a document came from.
  public func source(of document: Int) -> Int { Int(number(document, at: 8)) }

  /// How many tokens of a document are learned.
  public func supervisedCount(of document: Int) -> Int { Int(number(document, at: 12)) }

  /// The number of the sample that a document was made from, over all sources, from 0.
  public func sample(of document: Int) -> Int {
    precondition((0..<count).contains(document))
    guard let documents else { return 0 }
    return Int(
      truncatingIfNeeded: UInt64(
        littleEndian: documents.bytes.loadUnaligned(
          fromByteOffset: Self.recordBytes * document + 16, as: UInt64.self)))
  }

  /// A document's tokens, and for each whether it is learned.
  ///
  /// - Throws: `PreparedDataError` if a token is beyond the tokenizer's, or the number of learned
  ///   ones is not what was written.
  public func document(
    _ document: Int
  ) throws(PreparedDataError) -> (ids: [Int32], supervised: [Bool]) {
    let range = range(document)
    guard let tokens else { return ([], []) }
    var ids = [Int32](repeating: 0, count: range.count)
    var supervised = [Bool](repeating: false, count: range.count)
    withExtendedLifetime(tokens) {
      for (i, place) in range.enumerated() {
        let stored = Int32(
          littleEndian: tokens.bytes.loadUnaligned(fromByteOffset: 4 * place, as: Int32.self))
        ids[i] = stored < 0 ? ~stored : stored
        supervised[i] = stored >= 0
      }
    }
    guard ids.allSatisfy({ $0 < idLimit }),
      supervised.count(where: { $0 }) == supervisedCount(of: document)
    else {
      throw PreparedDataError(
        .damaged, path + "/tokens.bin", "document \(document) is not what was written.")
    }
    return (ids, supervised)
  }

  private func range(_ document: Int) -> Range<Int> {
    precondition((0..<count).contains(document))
    return (document == 0 ? 0 : Int(documentEnd(document - 1)))..<Int(documentEnd(document))
  }

  private func documentEnd(_ document: Int) -> UInt64 {
    guard let documents else { return 0 }
    return UInt64(
      littleEndian: documents.bytes.loadUnaligned(
        fromByteOffset: Self.recordBytes * document, as: UInt64.self))
  }

  private func number(_ document: Int, at offset: Int) -> UInt32 {
    precondition((0..<count).contains(document))
    guard let documents else { return 0 }
    return UInt32(
      littleEndian: documents.bytes.loadUnaligned(
        fromByteOffset: Self.recordBytes * document + offset, as: UInt32.self))
  }

  // MARK: Files

  private static func manifest(_ path: String) throws(PreparedDataError) -> JSONObject {
    let name = path + "/prepared.json"
    do {
      let file = try MappedFile(at: name)
      let json = try withExtendedLifetime(file) {
        try JSONValue(parsing: file.bytes, source: name, limits: JSONLimits(bytes: 16 << 20))
      }
      if case .object(let object) = json { return object }
      throw PreparedDataError(.damaged, name, "not a JSON object.")
    } catch let error as PreparedDataError {
      throw error
    } catch let error as FileError where error.reason == .missing {
      throw PreparedDataError(.missing, path, "no prepared data.")
    } catch {
      throw PreparedDataError(.damaged, path, "\(error)")
    }
  }

  /// A file of so many records; nil if there are none, since an empty file can't be mapped.
  private static func file(
    _ name: String, in path: String, count: Int, each size: Int
  ) throws(PreparedDataError) -> MappedFile? {
    if count == 0 { return nil }
    let file: MappedFile
    do {
      file = try MappedFile(at: "\(path)/\(name)")
    } catch {
      throw PreparedDataError(.damaged, path, "\(error)")
    }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
    guard !overflow, file.bytes.count == bytes else {
      throw PreparedDataError(
        .damaged, "\(path)/\(name)", "it has \(file.bytes.count) bytes, not \(count) times \(size)."
      )
    }
    return file
  }

  private static func count(_ json: JSONValue?) -> Int? {
    guard case .number(let number)? = json, let int = number.int, int >= 0 else { return nil }
    return int
  }
}
