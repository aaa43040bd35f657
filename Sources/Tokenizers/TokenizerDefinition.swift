/// What a tokenizer's files say, understood.
struct TokenizerDefinition: Sendable {
  var model: BytePairModel
  var normalizer = Normalizer()
  var preTokenizer = PreTokenizer()
  var decoder = TokenDecoder.byteLevel
  var addedTokens: [AddedToken] = []
  /// What goes before and behind a text.
  var prefix: [Int32] = []
  var suffix: [Int32] = []
  /// The special tokens by role, such as `bos_token`.
  var roles: [String: String] = [:]
}

/// Bounds of what a tokenizer's files may say.
enum TokenizerLimits {
  /// Ids are smaller than this: eight times those of the largest vocabularies there are. Tables are
  /// as long as the largest id asks.
  static let ids = 1 << 21
  /// The bytes of all added tokens together.
  static let addedBytes = 1 << 20
  /// The bytes of a file.
  static let fileBytes = 256 << 20
}
