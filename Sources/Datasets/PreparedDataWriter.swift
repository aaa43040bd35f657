import Foundation
import Storage

/// Writes prepared data, document by document; nothing is there until it is finished.
public struct PreparedDataWriter: ~Copyable {
  private var folder: AtomicFolder
  private var tokens: AtomicFile
  private var documents: AtomicFile
  private let key: String
  private let sources: Int
  private let idLimit: Int
  private var tokenCount: UInt64 = 0
  private var documentCount = 0

  /// Starts a folder, which takes the place of older prepared data when it is finished.
  ///
  /// - Parameters:
  ///   - sources: How many sources there are.
  ///   - idLimit: All ids are below this.
  /// - Throws: `FileError`.
  public init(
    at path: String, key: String, sources: Int, idLimit: Int
  ) throws(FileError) {
    let folder = try AtomicFolder(at: path) { PreparedData.fileNames.contains($0) }
    let tokens = try AtomicFile(at: folder.partialPath + "/tokens.bin")
    let documents = try AtomicFile(at: folder.partialPath + "/documents.bin")
    self.folder = folder
    self.tokens = tokens
    self.documents = documents
    self.key = key
    self.sources = sources
    self.idLimit = idLimit
  }

  /// Appends a document, which must hold a token.
  ///
  /// - Parameter sample: The number of its sample over all sources, from 0.
  /// - Throws: `FileError`.
  public mutating func append(
    _ document: RenderedDocument, source: Int, sample: Int
  ) throws(FileError) {
    precondition((0..<sources).contains(source) && sample >= 0)
    precondition(!document.ids.isEmpty && document.ids.count == document.supervised.count)
    let stored = zip(document.ids, document.supervised).map { id, isSupervised in
      precondition((0..<Int32(idLimit)).contains(id))
      return (isSupervised ? id : ~id).littleEndian
    }
    try tokens.write(stored.withUnsafeBytes { Data($0) })
    tokenCount += UInt64(stored.count)
    documentCount += 1
    var record = Data()
    withUnsafeBytes(of: tokenCount.littleEndian) { record.append(contentsOf: $0) }
    withUnsafeBytes(of: UInt32(source).littleEndian) { record.append(contentsOf: $0) }
    withUnsafeBytes(of: UInt32(document.supervisedCount).littleEndian) {
      record.append(contentsOf: $0)
    }
    withUnsafeBytes(of: UInt64(sample).littleEndian) { record.append(contentsOf: $0) }
    try documents.write(record)
  }

  /// Gives the folder its name.
  ///
  /// - Parameter report: What there is to say of the data.
  /// - Throws: `FileError`.
  public mutating func finish(report: JSONObject) throws(FileError) {
    try tokens.commit()
    try documents.commit()
    let manifest = JSONValue.object(
      JSONObject(members: [
        ("format", .number(JSONNumber(PreparedData.format))), ("key", .string(key)),
        ("documents", .number(JSONNumber(documentCount))),
        ("tokens", .number(JSONNumber(Int(tokenCount)))),
        ("sources", .number(JSONNumber(sources))), ("idLimit", .number(JSONNumber(idLimit))),
        ("report", .object(report)),
      ]))
    try folder.write(manifest.serialized(pretty: true), as: "prepared.json")
    try folder.commit()
  }
}
