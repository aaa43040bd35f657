import Storage

extension Tokenizer {
  /// The tokenizer of a checkpoint's folder.
  ///
  /// Looked for are `tokenizer.json`, then `vocab.json` with `merges.txt`, then a
  /// `tokenizer.model` in tiktoken's format, which is taken to be Llama 3's. Beside them
  /// `tokenizer_config.json` (or the older `special_tokens_map.json` and `added_tokens.json`) says
  /// which tokens begin and end a text.
  ///
  /// - Throws: `TokenizerError`.
  public init(at path: String) throws(TokenizerError) {
    let configuration = try TokenizerConfiguration(at: path)
    var source = path + "/tokenizer.json"
    var definition: TokenizerDefinition
    if let file = try Self.file(source) {
      definition = try withExtendedLifetime(file) { () throws(TokenizerError) in
        try TokenizerFile.read(file.bytes, source: source)
      }
    } else if try Self.file(path + "/vocab.json") != nil {
      source = path + "/vocab.json"
      guard let splitting = VocabularyFiles.Splitting(tokenizerClass: configuration.tokenizerClass)
      else {
        throw TokenizerError(
          source,
          "it does not say how text is split. A 'tokenizer_config.json' beside it with a "
            + "'tokenizer_class' of GPT2Tokenizer or Qwen2Tokenizer would; a 'tokenizer.json' "
            + "needs neither.")
      }
      definition = try VocabularyFiles.read(
        vocabulary: source, merges: path + "/merges.txt", splitting: splitting)
    } else if let file = try Self.file(path + "/tokenizer.model") {
      source = file.path
      definition = try withExtendedLifetime(file) { () throws(TokenizerError) in
        try VocabularyFiles.readTiktoken(file.bytes, source: file.path, splitting: .llama3)
      }
      if configuration.addedTokens.isEmpty {
        throw TokenizerError(
          source,
          "it holds no special tokens. Put the checkpoint's 'tokenizer_config.json' beside "
            + "it, which names them.")
      }
    } else {
      throw TokenizerError(
        path,
        "no tokenizer. Looked for are 'tokenizer.json', 'vocab.json' with 'merges.txt', and "
          + "'tokenizer.model' in tiktoken's format.")
    }
    try definition.apply(configuration, source: source)
    self.init(definition)
  }

  /// A tokenizer from the text of a `tokenizer.json`.
  ///
  /// - Parameter source: The text's name in errors.
  /// - Throws: `TokenizerError`.
  public init(parsing text: [UInt8], source: String) throws(TokenizerError) {
    let definition = text.withUnsafeBytes { bytes in
      Result { () throws(TokenizerError) in try TokenizerFile.read(bytes, source: source) }
    }
    self.init(try definition.get())
  }

  private static func file(_ path: String) throws(TokenizerError) -> MappedFile? {
    do {
      return try MappedFile(at: path)
    } catch {
      if error.reason == .missing { return nil }
      throw TokenizerError(error)
    }
  }
}
