import ChatTemplates
import Foundation
import Storage
import Tokenizers

/// What of a checkpoint is about text: its tokenizer, its chat templates, and where it stops.
public struct TextCheckpoint: Sendable {
  public let path: String
  public let tokenizer: Tokenizer
  /// The template that is used; nil if the folder has none.
  public let template: ChatTemplate?
  /// The tokens that end generation: `eos_token_id` of `generation_config.json` and `config.json`,
  /// and the tokenizer's `eos_token`.
  public let endTokens: Set<Int32>
  /// `generation_config.json`, if it is there.
  public let generation: JSONObject?
  /// Rows of the embedding, `vocab_size` of `config.json`; nil without that file.
  public let vocabularyRows: Int?

  /// - Parameters:
  ///   - template: A file that takes the place of the folder's own, or the name of one of several.
  ///   - endTokens: Texts of tokens that take the place of the folder's own.
  /// - Throws: `DatasetError`.
  public init(
    at path: String, template: String? = nil, endTokens: [String]? = nil
  ) throws(DatasetError) {
    self.path = path
    do {
      tokenizer = try Tokenizer(at: path)
      self.template = try Self.template(template, in: path)
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(error)
    }
    let configuration = try Self.object("\(path)/config.json")
    let generation = try Self.object("\(path)/generation_config.json")
    self.generation = generation
    if case .number(let rows)? = configuration?["vocab_size"] {
      vocabularyRows = rows.int
    } else {
      vocabularyRows = nil
    }
    if let endTokens {
      self.endTokens = try Self.ids(endTokens, tokenizer, path)
    } else {
      var ids = Self.ids(configuration?["eos_token_id"]).union(
        Self.ids(generation?["eos_token_id"]))
      if let id = tokenizer.id(role: "eos_token") { ids.insert(id) }
      self.endTokens = ids
    }
    if self.endTokens.isEmpty {
      throw DatasetError(
        path,
        "neither 'generation_config.json', 'config.json' nor the tokenizer names a token that "
          + "ends a text. Name one in the recipe with 'endTokens'.")
    }
  }

  private static func template(_ name: String?, in path: String) throws -> ChatTemplate? {
    let templates = try ChatTemplate.templates(in: path)
    let names = templates.keys.sorted().map { quoted($0) }.joined(separator: ", ")
    guard let name else {
      if templates.isEmpty || templates["default"] != nil { return templates["default"] }
      throw DatasetError(
        path,
        "the checkpoint has several chat templates and no default. Name one of \(names) with "
          + "'chatTemplate'.")
    }
    if let found = templates[name] { return found }
    do {
      let file = try MappedFile(at: name)
      return try withExtendedLifetime(file) { try ChatTemplate(Array(file.bytes), name: name) }
    } catch let error as FileError where error.reason == .missing {
      throw DatasetError(
        path,
        "'chatTemplate' is \(quoted(name)), which is neither a file nor a template of the "
          + "checkpoint\(names.isEmpty ? "" : " (\(names))").")
    }
  }

  private static func ids(
    _ texts: [String], _ tokenizer: Tokenizer, _ path: String
  ) throws(DatasetError) -> Set<Int32> {
    var ids: Set<Int32> = []
    for text in texts {
      guard let id = tokenizer.id(of: text) else {
        throw DatasetError(path, "'endTokens' names \(quoted(text)), which is no token.")
      }
      ids.insert(id)
    }
    return ids
  }

  /// One id, or a list of them.
  private static func ids(_ json: JSONValue?) -> Set<Int32> {
    switch json {
    case .number(let number):
      return Set(number.int.flatMap { Int32(exactly: $0) }.map { [$0] } ?? [])
    case .array(let list): return list.reduce(into: []) { $0.formUnion(ids($1)) }
    default: return []
    }
  }

  private static func object(_ path: String) throws(DatasetError) -> JSONObject? {
    do {
      let file = try MappedFile(at: path)
      let json = try withExtendedLifetime(file) {
        try JSONValue(parsing: file.bytes, source: path, limits: JSONLimits(bytes: 4 << 20))
      }
      guard case .object(let object) = json else {
        throw DatasetError(path, "not a JSON object.")
      }
      return object
    } catch let error as FileError where error.reason == .missing {
      return nil
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(error)
    }
  }
}
