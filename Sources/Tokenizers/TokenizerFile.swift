import Storage

/// Reads `tokenizer.json`.
///
/// The vocabulary and the merges, nearly all of the file, go into their tables as they are read;
/// the rest becomes a tree first.
struct TokenizerFile {
  private let source: String
  private let reader: ComponentReader
  private var tokens: JSONTokens
  private var sections: [String: JSONValue] = [:]
  private var settings: [String: JSONValue] = [:]
  private var vocabulary = ByteTable()
  private var hasVocabulary = false
  private var merges: [(left: JSONText, right: JSONText?)] = []

  /// - Throws: `TokenizerError`.
  static func read(
    _ bytes: UnsafeRawBufferPointer, source: String
  ) throws(TokenizerError) -> TokenizerDefinition {
    do {
      var file = TokenizerFile(
        source: source, reader: ComponentReader(source: source),
        tokens: try JSONTokens(
          bytes, source: source, limits: JSONLimits(bytes: TokenizerLimits.fileBytes)))
      try file.readSections()
      return try file.definition()
    } catch let error as TokenizerError {
      throw error
    } catch {
      throw TokenizerError(error)
    }
  }

  /// Reads `vocab.json`: an object of tokens and ids.
  static func vocabulary(at path: String) throws(TokenizerError) -> ByteTable {
    do {
      let mapped = try MappedFile(at: path)
      return try withExtendedLifetime(mapped) {
        var file = TokenizerFile(
          source: path, reader: ComponentReader(source: path),
          tokens: try JSONTokens(
            mapped.bytes, source: path, limits: JSONLimits(bytes: TokenizerLimits.fileBytes)))
        try file.readVocabulary()
        _ = try file.tokens.next()
        return file.vocabulary
      }
    } catch let error as TokenizerError {
      throw error
    } catch {
      throw TokenizerError(error)
    }
  }

  // MARK: Reading

  private mutating func readSections() throws {
    guard case .beginObject = try tokens.next() else { throw error("not a JSON object.") }
    while case .key(let text) = try tokens.next() {
      let key = tokens.string(text)
      if key == "model" {
        try readModel()
      } else if sections.updateValue(try JSONValue(reading: &tokens), forKey: key) != nil {
        throw twice(key)
      }
    }
    _ = try tokens.next()
  }

  private mutating func readModel() throws {
    guard settings.isEmpty, !hasVocabulary else { throw twice("model") }
    guard case .beginObject = try tokens.next() else { throw error("'model' is not an object.") }
    while case .key(let text) = try tokens.next() {
      let key = tokens.string(text)
      switch key {
      case "vocab": try readVocabulary()
      case "merges": try readMerges()
      default:
        if settings.updateValue(try JSONValue(reading: &tokens), forKey: key) != nil {
          throw twice("model.\(key)")
        }
      }
    }
  }

  private mutating func readVocabulary() throws {
    guard !hasVocabulary else { throw twice("model.vocab") }
    hasVocabulary = true
    // Other models than byte-pair encodings have lists here.
    guard case .beginObject = try tokens.next() else {
      throw error("'model.vocab' is not an object of tokens and ids.")
    }
    vocabulary = ByteTable(capacity: tokens.bytes.count / 80)
    while case .key(let text) = try tokens.next() {
      guard case .number(let range) = try tokens.next(),
        let id = Int(String(decoding: tokens[range], as: UTF8.self)),
        (0..<TokenizerLimits.ids).contains(id)
      else {
        throw error(
          "the token \(quoted(tokens.string(text))) has an id that is not a whole number from 0 to "
            + "\(TokenizerLimits.ids - 1).")
      }
      let conflict = withBytes(text) { vocabulary.insert($0, id: id) }
      switch conflict {
      case nil: break
      case .key: throw error("the token \(quoted(tokens.string(text))) stands there twice.")
      case .id: throw error("two tokens have the id \(id).")
      }
    }
  }

  private mutating func readMerges() throws {
    guard merges.isEmpty else { throw twice("model.merges") }
    guard case .beginArray = try tokens.next() else {
      throw error("'model.merges' is not a list.")
    }
    while true {
      switch try tokens.next() {
      case .string(let text): merges.append((text, nil))
      case .beginArray:
        guard case .string(let left) = try tokens.next(),
          case .string(let right) = try tokens.next(), case .endArray = try tokens.next()
        else { throw error("merge \(merges.count) is not a pair of tokens.") }
        merges.append((left, right))
      case .endArray: return
      default: throw error("merge \(merges.count) is neither a text nor a pair.")
      }
    }
  }

  private func withBytes<Result>(
    _ text: JSONText, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    if !text.hasEscapes { return body(tokens[text.range]) }
    return Array(tokens.string(text).utf8).withUnsafeBytes(body)
  }

  // MARK: Understanding

  private func definition() throws(TokenizerError) -> TokenizerDefinition {
    try checkSettings()
    let normalizer = try reader.normalizer(sections["normalizer"])
    let (preTokenizer, isBytes) = try reader.preTokenizer(sections["pre_tokenizer"])
    let model = BytePairModel(
      alphabet: try alphabet(isBytes: isBytes), vocabulary: vocabulary,
      wholePieces: try setting("ignore_merges") ? wholePieces(isBytes: isBytes) : nil,
      merges: try mergeTable())
    let (prefix, suffix) = try reader.affixes(sections["post_processor"])
    let addedTokens = try addedTokens()
    let ids = Set(addedTokens.map(\.id))
    for id in prefix + suffix where !ids.contains(id) && vocabulary.bytes(of: Int(id)) == nil {
      throw error("'post_processor' puts the id \(id) around texts, which no token has.")
    }
    return TokenizerDefinition(
      model: model, normalizer: normalizer, preTokenizer: preTokenizer,
      decoder: try reader.decoder(sections["decoder"]), addedTokens: addedTokens,
      prefix: prefix, suffix: suffix)
  }

  private func checkSettings() throws(TokenizerError) {
    if case .string(let type)? = settings["type"], type != "BPE" {
      throw error("the model \(quoted(type)) is not supported; BPE is.")
    }
    guard hasVocabulary else { throw error("'model.vocab' is missing.") }
    if let dropout = settings["dropout"], dropout != .null {
      guard case .number(let number) = dropout, number.double == 0 else {
        throw error("'model.dropout' is set; ids that are drawn by lot are not supported.")
      }
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let value = settings[key], value != .null, value != .string("") {
        throw error("'model.\(key)' is set, which is not supported.")
      }
    }
  }

  private func setting(_ key: String) throws(TokenizerError) -> Bool {
    switch settings[key] {
    case nil, .null: return false
    case .bool(let value): return value
    default: throw error("'model.\(key)' is neither true nor false.")
    }
  }

  private func alphabet(isBytes: Bool) throws(TokenizerError) -> BytePairModel.Alphabet {
    var unknown: Int32?
    if case .string(let token)? = settings["unk_token"] {
      guard let id = vocabulary.id(of: token.utf8) else {
        throw error("'model.unk_token' is \(quoted(token)), which the vocabulary does not have.")
      }
      unknown = Int32(id)
    }
    if isBytes {
      return .bytes(
        (UInt8.min ... .max).map { byte in
          vocabulary.id(of: ByteCharacters.text(of: [byte]).utf8).map { Int32($0) }
            ?? unknown ?? -1
        })
    }
    var bytes: [Int32]?
    if try setting("byte_fallback") {
      bytes = (UInt8.min ... .max).map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        let token = "<0x\(digits.count == 1 ? "0" : "")\(digits)>"
        return vocabulary.id(of: token.utf8).map { Int32($0) } ?? -1
      }
    }
    return .characters(
      bytes: bytes, unknown: unknown, fusesUnknown: try setting("fuse_unk"))
  }

  private func wholePieces(isBytes: Bool) -> ByteTable {
    if !isBytes { return vocabulary }
    let table = ByteTable(capacity: vocabulary.count)
    for id in 0..<vocabulary.idLimit {
      if let text = vocabulary.bytes(of: id), let bytes = ByteCharacters.bytes(of: text) {
        // Two spellings of the same bytes can't be: the alphabet is one to one.
        _ = bytes.withUnsafeBytes { table.insert($0, id: id) }
      }
    }
    return table
  }

  private func mergeTable() throws(TokenizerError) -> MergeTable {
    let table = MergeTable(capacity: merges.count)
    var product: [UInt8] = []
    for (rank, merge) in merges.enumerated() {
      var parts: [Int] = []
      product.removeAll(keepingCapacity: true)
      func add(_ part: UnsafeRawBufferPointer) -> Bool {
        guard let id = vocabulary.id(of: part) else { return false }
        parts.append(id)
        product.append(contentsOf: part)
        return true
      }
      let isKnown: Bool
      if let right = merge.right {
        isKnown = withBytes(merge.left, add) && withBytes(right, add)
      } else {
        isKnown = withBytes(merge.left) { text in
          guard let space = text.firstIndex(of: UInt8(ascii: " ")) else { return false }
          return add(UnsafeRawBufferPointer(rebasing: text[..<space]))
            && add(UnsafeRawBufferPointer(rebasing: text[(space + 1)...]))
        }
      }
      guard isKnown, let id = product.withUnsafeBytes({ vocabulary.id(of: $0) }) else {
        let text = tokens.string(merge.left) + (merge.right.map { " " + tokens.string($0) } ?? "")
        throw error(
          "merge \(rank), \(quoted(text)), is not two tokens of the vocabulary that make a third.")
      }
      table.insert(Int32(parts[0]), Int32(parts[1]), rank: rank, product: Int32(id))
    }
    return table
  }

  private func addedTokens() throws(TokenizerError) -> [AddedToken] {
    guard let json = sections["added_tokens"], json != .null else { return [] }
    guard case .array(let list) = json else { throw error("'added_tokens' is not a list.") }
    var added = AddedTokenList(source: source, vocabulary: vocabulary)
    for token in list {
      try added.append(try reader.object(token, "added_tokens"), id: nil)
    }
    return added.tokens
  }

  private func error(_ message: String) -> TokenizerError { TokenizerError(source, message) }

  private func twice(_ key: String) -> TokenizerError {
    error("the key \(quoted(key)) stands there twice. Keep one of them.")
  }
}

/// Added tokens, checked against each other and the vocabulary.
struct AddedTokenList {
  let source: String
  let vocabulary: ByteTable
  private(set) var tokens: [AddedToken] = []
  private var ids: Set<Int32> = []
  private var contents: [[UInt8]: Int32] = [:]
  private var byteCount = 0

  init(source: String, vocabulary: ByteTable, tokens: [AddedToken] = []) {
    self.source = source
    self.vocabulary = vocabulary
    self.tokens = tokens
    ids = Set(tokens.map(\.id))
    contents = Dictionary(tokens.map { (Array($0.content.utf8), $0.id) }) { first, _ in first }
  }

  /// Adds a token as `tokenizer.json` and `added_tokens_decoder` describe it; one that is there
  /// already with the same id changes nothing.
  mutating func append(_ object: JSONObject, id: Int?) throws(TokenizerError) {
    let reader = ComponentReader(source: source)
    let content = try reader.string(object, "content", "added_tokens")
    var number = id
    if number == nil, case .number(let json)? = object["id"] { number = json.int }
    guard let number, (0..<TokenizerLimits.ids).contains(number), !content.isEmpty else {
      throw TokenizerError(
        source,
        "the added token \(quoted(content)) is empty, or its id is no whole number from 0 "
          + "to \(TokenizerLimits.ids - 1).")
    }
    var token = AddedToken(id: Int32(number), content: content)
    token.singleWord = try reader.bool(object, "single_word", "added_tokens", default: false)
    token.lstrip = try reader.bool(object, "lstrip", "added_tokens", default: false)
    token.rstrip = try reader.bool(object, "rstrip", "added_tokens", default: false)
    token.special = try reader.bool(object, "special", "added_tokens", default: false)
    token.normalized = try reader.bool(
      object, "normalized", "added_tokens", default: !token.special)
    try append(token)
  }

  mutating func append(_ token: AddedToken) throws(TokenizerError) {
    let content = Array(token.content.utf8)
    if let found = contents[content] ?? vocabulary.id(of: content).map({ Int32($0) }),
      found != token.id
    {
      throw TokenizerError(
        source,
        "the added token \(quoted(token.content)) has the id \(token.id), but also \(found).")
    }
    if let other = vocabulary.bytes(of: Int(token.id)), !other.elementsEqual(content) {
      throw TokenizerError(
        source,
        "the added token \(quoted(token.content)) has the id \(token.id) of the token "
          + "\(quoted(String(decoding: other, as: UTF8.self))).")
    }
    if contents[content] != nil { return }
    guard ids.insert(token.id).inserted else {
      throw TokenizerError(source, "two added tokens have the id \(token.id).")
    }
    byteCount += content.count
    guard byteCount <= TokenizerLimits.addedBytes else {
      throw TokenizerError(
        source, "the added tokens are longer than \(TokenizerLimits.addedBytes) bytes in all.")
    }
    contents[content] = token.id
    tokens.append(token)
  }
}
