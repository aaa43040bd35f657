import Storage

/// Reads the parts of `tokenizer.json` that say what is done to text.
///
/// Each part is an object with a `type`. A type, or a setting of one, that this package does not
/// know is refused by name: guessing would give other ids without a word.
struct ComponentReader {
  let source: String

  func error(_ message: String) -> TokenizerError { TokenizerError(source, message) }

  // MARK: Normalizer

  func normalizer(_ json: JSONValue?) throws(TokenizerError) -> Normalizer {
    guard let json, json != .null else { return Normalizer() }
    let object = try object(json, "normalizer")
    let type = try type(object, "normalizer")
    switch type {
    case "NFC": return Normalizer(steps: [.nfc])
    case "Prepend":
      return Normalizer(steps: [.prepend(try bytes(object, "prepend", "normalizer"))])
    case "Replace":
      let (old, new) = try replacement(object, "normalizer")
      return Normalizer(steps: [.replace(old, with: new)])
    case "Sequence":
      var steps: [Normalizer.Step] = []
      for part in try list(object, "normalizers", "normalizer") {
        steps += try normalizer(part).steps
      }
      return Normalizer(steps: steps)
    default: throw unsupported("normalizer", type, "NFC, Prepend, Replace and Sequence")
    }
  }

  // MARK: Pre-tokenizer

  func preTokenizer(_ json: JSONValue?) throws(TokenizerError) -> (PreTokenizer, isBytes: Bool) {
    guard let json, json != .null else { return (PreTokenizer(), false) }
    var result = PreTokenizer()
    var isBytes = false
    try add(json, to: &result, &isBytes)
    return (result, isBytes)
  }

  private func add(
    _ json: JSONValue, to result: inout PreTokenizer, _ isBytes: inout Bool
  ) throws(TokenizerError) {
    let object = try object(json, "pre_tokenizer")
    let type = try type(object, "pre_tokenizer")
    if isBytes {
      throw error("'pre_tokenizer' has '\(type)' behind ByteLevel, which must be the last.")
    }
    switch type {
    case "Sequence":
      for part in try list(object, "pretokenizers", "pre_tokenizer") {
        try add(part, to: &result, &isBytes)
      }
    case "Split": result.patterns.append(try splitPattern(object))
    case "Digits":
      let individual = try bool(object, "individual_digits", "pre_tokenizer", default: false)
      result.patterns.append(.digits(individual: individual))
    case "ByteLevel":
      isBytes = true
      if try bool(object, "add_prefix_space", "pre_tokenizer", default: true) {
        try prepare(.prefixSpace, &result, type)
      }
      if try bool(object, "use_regex", "pre_tokenizer", default: true) {
        result.patterns.append(.gpt2)
      }
    case "Metaspace":
      let mark = try bytes(object, "replacement", "pre_tokenizer")
      guard mark == PreTokenizer.metaspace else {
        throw error("'pre_tokenizer.replacement' of Metaspace is not '▁', the only one supported.")
      }
      try prepare(.metaspace(try prependScheme(object, "pre_tokenizer")), &result, type)
      if try bool(object, "split", "pre_tokenizer", default: true) {
        result.patterns.append(.metaspace)
      }
    default:
      throw unsupported(
        "pre_tokenizer", type, "ByteLevel, Digits, Metaspace, Split and Sequence")
    }
  }

  private func prepare(
    _ preparation: PreTokenizer.Preparation, _ result: inout PreTokenizer, _ type: String
  ) throws(TokenizerError) {
    // It would be done to every piece that the patterns before it cut.
    guard result.patterns.isEmpty, result.preparation == .none else {
      throw error(
        "'pre_tokenizer' has a \(type) that adds spaces behind another part, which is not "
          + "supported.")
    }
    result.preparation = preparation
  }

  private func splitPattern(_ object: JSONObject) throws(TokenizerError) -> SplitPattern {
    guard case .object(let pattern)? = object["pattern"],
      case .string(let regex)? = pattern["Regex"]
    else {
      throw error("'pre_tokenizer' has a Split without 'pattern.Regex', which is not supported.")
    }
    guard let known = SplitPattern(regex) else {
      throw error(
        "the pattern \(quoted(regex, longest: 400)) of 'pre_tokenizer' is not one this package "
          + "has a scanner for.")
    }
    let behavior = try string(object, "behavior", "pre_tokenizer")
    let inverted = try bool(object, "invert", "pre_tokenizer", default: false)
    // Text between matches would be a piece of its own; these patterns leave none.
    guard (behavior == "Isolated" && !inverted) || (behavior == "Removed" && inverted) else {
      throw error(
        "'pre_tokenizer' has a Split with the behavior \(quoted(behavior))"
          + "\(inverted ? ", inverted" : ""), which is not supported; 'Isolated' is.")
    }
    return known
  }

  func prependScheme(
    _ object: JSONObject, _ part: String
  ) throws(TokenizerError) -> PreTokenizer.PrependScheme {
    guard let value = object["prepend_scheme"] else {
      // Written before the key existed.
      return try bool(object, "add_prefix_space", part, default: true) ? .always : .never
    }
    if case .string(let text) = value, let scheme = PreTokenizer.PrependScheme(rawValue: text) {
      return scheme
    }
    throw error("'\(part).prepend_scheme' is not one of 'always', 'never', 'first'.")
  }

  // MARK: Decoder

  func decoder(_ json: JSONValue?) throws(TokenizerError) -> TokenDecoder {
    guard let json, json != .null else { return .spaced }
    let object = try object(json, "decoder")
    let type = try type(object, "decoder")
    switch type {
    case "ByteLevel": return .byteLevel
    case "Metaspace":
      guard try bytes(object, "replacement", "decoder") == PreTokenizer.metaspace else {
        throw error("'decoder.replacement' of Metaspace is not '▁', the only one supported.")
      }
      return .metaspace(dropsFirst: try prependScheme(object, "decoder") != .never)
    case "Sequence":
      let parts = try list(object, "decoders", "decoder")
      if parts.count == 1 { return try decoder(parts[0]) }
      return try textDecoder(parts)
    case "Replace", "ByteFallback", "Fuse", "Strip": return try textDecoder([json])
    default:
      throw unsupported(
        "decoder", type, "ByteLevel, ByteFallback, Fuse, Metaspace, Replace, Strip and Sequence")
    }
  }

  /// Replace as often as one likes, then ByteFallback, Fuse and Strip, each at most once.
  private func textDecoder(_ parts: [JSONValue]) throws(TokenizerError) -> TokenDecoder {
    var replacements: [TokenDecoder.Replacement] = []
    var byteFallback = false
    var fuses = false
    var stripped: TokenDecoder.Stripped?
    for part in parts {
      let object = try object(part, "decoder")
      let type = try type(object, "decoder")
      switch type {
      case "Replace" where !byteFallback && !fuses:
        let (old, new) = try replacement(object, "decoder")
        replacements.append(.init(old: old, new: new))
      case "ByteFallback" where !byteFallback && !fuses: byteFallback = true
      case "Fuse" where !fuses: fuses = true
      case "Strip" where fuses && stripped == nil:
        guard try count(object, "stop", "decoder") == 0 else {
          throw error("'decoder' has a Strip whose 'stop' is not 0, which is not supported.")
        }
        stripped = TokenDecoder.Stripped(
          content: try bytes(object, "content", "decoder"),
          count: try count(object, "start", "decoder"))
      case "Replace", "ByteFallback", "Fuse", "Strip":
        throw error(
          "'decoder' has \(type) at an unknown place; known is the order Replace, ByteFallback, "
            + "Fuse, Strip.")
      default: throw unsupported("decoder", type, "Replace, ByteFallback, Fuse and Strip in a row")
      }
    }
    return .text(replacements: replacements, byteFallback: byteFallback, stripped: stripped)
  }

  // MARK: Post-processor

  /// What a post-processor puts before and behind a text.
  func affixes(_ json: JSONValue?) throws(TokenizerError) -> (prefix: [Int32], suffix: [Int32]) {
    guard let json, json != .null else { return ([], []) }
    let object = try object(json, "post_processor")
    let type = try type(object, "post_processor")
    switch type {
    case "ByteLevel": return ([], [])  // it moves offsets only
    case "TemplateProcessing": return try template(object)
    case "Sequence":
      var prefix: [Int32] = []
      var suffix: [Int32] = []
      for part in try list(object, "processors", "post_processor") {
        let (before, after) = try affixes(part)
        prefix = before + prefix
        suffix += after
      }
      return (prefix, suffix)
    default:
      throw unsupported("post_processor", type, "ByteLevel, TemplateProcessing and Sequence")
    }
  }

  private func template(
    _ object: JSONObject
  ) throws(TokenizerError) -> (prefix: [Int32], suffix: [Int32]) {
    var prefix: [Int32] = []
    var suffix: [Int32] = []
    var hasText = false
    let tokens: JSONObject
    if case .object(let found)? = object["special_tokens"] {
      tokens = found
    } else {
      tokens = JSONObject(members: [])
    }
    for piece in try list(object, "single", "post_processor") {
      guard case .object(let piece) = piece, piece.members.count == 1 else {
        throw error("'post_processor.single' holds something that is no piece of a template.")
      }
      let (kind, value) = piece.members[0]
      guard case .object(let value) = value, case .string(let name)? = value["id"] else {
        throw error("'post_processor.single' holds a piece without an 'id'.")
      }
      switch kind {
      case "Sequence":
        guard name == "A", !hasText else {
          throw error("'post_processor.single' must hold the sequence 'A' once.")
        }
        hasText = true
      case "SpecialToken":
        guard case .object(let token)? = tokens[name], case .array(let ids)? = token["ids"] else {
          throw error(
            "'post_processor.single' names the token \(quoted(name)), which 'special_tokens' "
              + "beside it does not have.")
        }
        for id in ids {
          guard case .number(let number) = id, let int = number.int,
            (0..<TokenizerLimits.ids).contains(int)
          else {
            throw error("'post_processor' gives the token \(quoted(name)) an id that is none.")
          }
          if hasText { suffix.append(Int32(int)) } else { prefix.append(Int32(int)) }
        }
      default:
        throw error("'post_processor.single' holds a \(quoted(kind)), which is not supported.")
      }
    }
    guard hasText else { throw error("'post_processor.single' must hold the sequence 'A' once.") }
    return (prefix, suffix)
  }

  // MARK: Values

  private func unsupported(_ part: String, _ type: String, _ known: String) -> TokenizerError {
    error("the \(part) \(quoted(type)) is not supported; supported are \(known).")
  }

  private func replacement(
    _ object: JSONObject, _ part: String
  ) throws(TokenizerError) -> ([UInt8], [UInt8]) {
    guard case .object(let pattern)? = object["pattern"],
      case .string(let old)? = pattern["String"], !old.isEmpty
    else {
      throw error(
        "'\(part)' has a Replace whose pattern is not a String, or empty, which is not supported.")
    }
    return (Array(old.utf8), try bytes(object, "content", part))
  }

  func object(_ json: JSONValue, _ part: String) throws(TokenizerError) -> JSONObject {
    guard case .object(let object) = json else { throw error("'\(part)' is not an object.") }
    return object
  }

  private func type(_ object: JSONObject, _ part: String) throws(TokenizerError) -> String {
    try string(object, "type", part)
  }

  func string(
    _ object: JSONObject, _ key: String, _ part: String
  ) throws(TokenizerError) -> String {
    guard case .string(let text)? = object[key] else {
      throw error("'\(part).\(key)' is missing or not a text.")
    }
    return text
  }

  private func bytes(
    _ object: JSONObject, _ key: String, _ part: String
  ) throws(TokenizerError) -> [UInt8] {
    Array(try string(object, key, part).utf8)
  }

  func bool(
    _ object: JSONObject, _ key: String, _ part: String, default: Bool
  ) throws(TokenizerError) -> Bool {
    switch object[key] {
    case nil: return `default`
    case .bool(let bool)?: return bool
    default: throw error("'\(part).\(key)' is neither true nor false.")
    }
  }

  private func count(
    _ object: JSONObject, _ key: String, _ part: String
  ) throws(TokenizerError) -> Int {
    guard case .number(let number)? = object[key], let int = number.int, (0...1000).contains(int)
    else { throw error("'\(part).\(key)' is not a whole number from 0 to 1000.") }
    return int
  }

  private func list(
    _ object: JSONObject, _ key: String, _ part: String
  ) throws(TokenizerError) -> [JSONValue] {
    guard case .array(let list)? = object[key] else {
      throw error("'\(part).\(key)' is missing or not a list.")
    }
    return list
  }
}
