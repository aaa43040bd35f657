import Storage

/// What `tokenizer_config.json` and the files beside it add to a tokenizer: which tokens begin and
/// end a text, and added tokens that the tokenizer's own file leaves out.
struct TokenizerConfiguration: Sendable {
  /// The special tokens by role, as texts: `bos_token`, `eos_token`, `pad_token`, `unk_token` and
  /// whatever else ends in `_token`. A chat template knows them by these names.
  private(set) var roles: [String: String] = [:]
  /// `tokenizer_class`
  private(set) var tokenizerClass: String?
  /// `add_bos_token` and `add_eos_token`
  private(set) var addsBOS: Bool?
  private(set) var addsEOS: Bool?
  /// `added_tokens_decoder`, and what `added_tokens.json` names.
  private(set) var addedTokens: [(id: Int, token: JSONObject)] = []

  /// What a folder says; nothing if it has none of the files.
  ///
  /// - Throws: `TokenizerError`.
  init(at path: String) throws(TokenizerError) {
    // Later files fill in what the first does not say.
    if let object = try Self.object(path + "/tokenizer_config.json") {
      try read(object, source: path + "/tokenizer_config.json")
    }
    if let object = try Self.object(path + "/special_tokens_map.json") {
      readRoles(object)
    }
    if addedTokens.isEmpty, let object = try Self.object(path + "/added_tokens.json") {
      try readAddedTokens(object, source: path + "/added_tokens.json")
    }
    if tokenizerClass == nil,
      case .string(let type)? = try Self.object(path + "/config.json")?["model_type"]
    {
      tokenizerClass =
        ["gpt2": "GPT2Tokenizer", "qwen2": "Qwen2Tokenizer", "qwen3": "Qwen2Tokenizer"][type]
    }
  }

  /// What is missing after `object` was read.
  private mutating func readRoles(_ object: JSONObject) {
    for (key, value) in object.members where key.hasSuffix("_token") && roles[key] == nil {
      switch value {
      case .string(let text): roles[key] = text
      case .object(let token):
        if case .string(let text)? = token["content"] { roles[key] = text }
      default: break  // null: the role is not taken
      }
    }
  }

  private mutating func read(_ object: JSONObject, source: String) throws(TokenizerError) {
    readRoles(object)
    if case .string(let name)? = object["tokenizer_class"] { tokenizerClass = name }
    if case .bool(let adds)? = object["add_bos_token"] { addsBOS = adds }
    if case .bool(let adds)? = object["add_eos_token"] { addsEOS = adds }
    guard let json = object["added_tokens_decoder"], json != .null else { return }
    guard case .object(let tokens) = json else {
      throw TokenizerError(source, "'added_tokens_decoder' is not an object.")
    }
    for (key, value) in tokens.members {
      guard let id = Int(key), case .object(let token) = value else {
        throw TokenizerError(
          source, "'added_tokens_decoder' has \(quoted(key)), which is not an id with a token.")
      }
      addedTokens.append((id, token))
    }
  }

  private mutating func readAddedTokens(
    _ object: JSONObject, source: String
  ) throws(TokenizerError) {
    for (content, value) in object.members {
      guard case .number(let number) = value, let id = number.int else {
        throw TokenizerError(source, "\(quoted(content)) has no id.")
      }
      // The file says no more than the ids: transformers takes such tokens as special ones.
      addedTokens.append(
        (
          id,
          JSONObject(members: [
            ("content", .string(content)), ("special", .bool(true)), ("normalized", .bool(false)),
          ])
        ))
    }
  }

  private static func object(_ path: String) throws(TokenizerError) -> JSONObject? {
    do {
      let file = try MappedFile(at: path)
      let json = try withExtendedLifetime(file) {
        try JSONValue(parsing: file.bytes, source: path, limits: JSONLimits(bytes: 64 << 20))
      }
      guard case .object(let object) = json else {
        throw TokenizerError(path, "not a JSON object.")
      }
      return object
    } catch let error as FileError where error.reason == .missing {
      return nil
    } catch let error as TokenizerError {
      throw error
    } catch {
      throw TokenizerError(error)
    }
  }
}

extension TokenizerDefinition {
  /// Adds what the configuration says and the tokenizer's own file does not.
  ///
  /// - Throws: `TokenizerError` where the two disagree.
  mutating func apply(
    _ configuration: TokenizerConfiguration, source: String
  ) throws(TokenizerError) {
    var list = AddedTokenList(source: source, vocabulary: model.vocabulary, tokens: addedTokens)
    for (id, token) in configuration.addedTokens.sorted(by: { $0.id < $1.id }) {
      try list.append(token, id: id)
    }
    addedTokens = list.tokens
    roles = configuration.roles

    // Llama's class in transformers makes the post-processor anew from these two.
    guard let name = configuration.tokenizerClass,
      ["LlamaTokenizer", "LlamaTokenizerFast"].contains(name)
    else { return }
    if let adds = configuration.addsBOS { prefix = adds ? try role("bos_token", source) : [] }
    if let adds = configuration.addsEOS { suffix = adds ? try role("eos_token", source) : [] }
  }

  private func role(_ role: String, _ source: String) throws(TokenizerError) -> [Int32] {
    guard let text = roles[role] else {
      throw TokenizerError(source, "it asks for a '\(role)' around texts, and names none.")
    }
    if let added = addedTokens.first(where: { $0.content.utf8.elementsEqual(text.utf8) }) {
      return [added.id]
    }
    guard let id = model.vocabulary.id(of: text.utf8) else {
      throw TokenizerError(
        source, "its '\(role)' is \(quoted(text)), which is no token of the tokenizer.")
    }
    return [Int32(id)]
  }
}
