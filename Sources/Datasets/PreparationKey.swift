import Storage

/// What prepared data depends on, as one hash: samples, tokenizer, template and settings.
public struct PreparationKey: Sendable {
  private var hash = SHA256()

  public init() {}

  /// Adds a part by its name. Name and bytes are told with their lengths, so that two different
  /// lists of parts are never the same bytes.
  public mutating func add(_ name: String, _ bytes: UnsafeRawBufferPointer) {
    var lengths: [UInt8] = []
    withUnsafeBytes(of: UInt64(name.utf8.count).littleEndian) { lengths += $0 }
    withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { lengths += $0 }
    hash.update(lengths + Array(name.utf8))
    hash.update(bytes)
  }

  public mutating func add(_ name: String, _ text: String) {
    Array(text.utf8).withUnsafeBytes { add(name, $0) }
  }

  /// Adds a file's bytes; a file that is missing is a part of its own.
  ///
  /// - Throws: `FileError`.
  public mutating func add(_ name: String, file path: String) throws(FileError) {
    do throws(FileError) {
      let file = try MappedFile(at: path)
      withExtendedLifetime(file) { add(name, file.bytes) }
    } catch {
      switch error.reason {
      case .missing: add(name + " missing", "")
      case .empty: add(name, "")
      default: throw error
      }
    }
  }

  public var text: String { hash.finalizedText() }
}

extension Preparation {
  /// The key of what `run` would write.
  ///
  /// - Throws: `DatasetError` if a file can't be read.
  public func key() throws(DatasetError) -> String {
    var key = PreparationKey()
    key.add("format", "\(PreparedData.format)")
    do throws(FileError) {
      // Every file that a tokenizer or template may be read from.
      for name in [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja",
      ] { try key.add(name, file: checkpoint.path + "/" + name) }
      if let template = recipe.chatTemplate {
        key.add("chatTemplate", template)
        try key.add("chatTemplate", file: template)
      }
      let name = recipe.chatTemplate ?? "default"
      try key.add(
        "additional template",
        file: "\(checkpoint.path)/additional_chat_templates/\(name).jinja")
    } catch {
      throw DatasetError(error)
    }
    key.add("end tokens", checkpoint.endTokens.sorted().map { "\($0)" }.joined(separator: " "))
    key.add("rows", "\(checkpoint.vocabularyRows ?? 0)")
    for (name, value) in (recipe.templateVariables ?? [:]).sorted(by: { $0.key < $1.key }) {
      key.add("variable " + name, "\(value)")
    }
    key.add("date", recipe.date ?? "")
    key.add("contextLength", "\(recipe.contextLength)")
    key.add("supervision", recipe.supervision.rawValue)
    key.add("longerDocuments", recipe.longerDocuments.rawValue)
    key.add("specialTokensInText", "\(recipe.specialTokensInText)")
    if let skipped = recipe.skippedChecks, !skipped.isEmpty {
      key.add("skippedChecks", Set(skipped.map(\.rawValue)).sorted().joined(separator: " "))
    }
    for file in files {
      key.add("form", file.form.rawValue)
      for (role, field) in (file.source.fields ?? [:]).sorted(by: { $0.key < $1.key }) {
        key.add("field " + role, field)
      }
      key.add("system", file.source.system ?? "")
      key.add("samples", file.records.bytes)
    }
    return key.text
  }
}
