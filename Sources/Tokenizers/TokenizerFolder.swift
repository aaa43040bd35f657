import Storage

extension Tokenizer {
  /// The tokenizer of a checkpoint's folder.
  ///
  /// Looked for are `tokenizer.json`, then `vocab.json` with `merges.txt`, then a
  /// `tokenizer.model` in tiktoken's format.
  ///
  /// - Throws: `TokenizerError`.
  public init(at path: String) throws(TokenizerError) {
    try self.init(file: path + "/tokenizer.json")
  }

  /// A tokenizer from a file `tokenizer.json`.
  ///
  /// - Throws: `TokenizerError`.
  public init(file path: String) throws(TokenizerError) {
    let file: MappedFile
    do { file = try MappedFile(at: path) } catch { throw TokenizerError(error) }
    let definition = try withExtendedLifetime(file) { () throws(TokenizerError) in
      try TokenizerFile.read(file.bytes, source: path)
    }
    self.init(definition)
  }
}
