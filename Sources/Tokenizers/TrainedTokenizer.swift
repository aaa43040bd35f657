import Foundation
import Storage

/// A byte-pair encoding that was learned, to be written as Hugging Face's files.
public struct TrainedTokenizer: Sendable {
  let settings: TokenizerTraining.Settings
  /// The tokens by id, as the file spells them.
  public let tokens: [String]
  /// Pairs of ids, in the order in which they were learned.
  public let merges: [(Int32, Int32)]

  /// The text of `tokenizer.json`.
  public var tokenizerJSON: Data {
    let vocabulary = tokens.enumerated().map { ($1, JSONValue.number(JSONNumber($0))) }
    let pairs = merges.map { left, right in
      JSONValue.array([.string(tokens[Int(left)]), .string(tokens[Int(right)])])
    }
    let visible = Set(settings.visibleTokens.map { Array($0.utf8) })
    let added = settings.specialTokens.enumerated().map { id, content in
      Self.object([
        ("id", .number(JSONNumber(id))), ("content", .string(content)),
        ("single_word", .bool(false)), ("lstrip", .bool(false)), ("rstrip", .bool(false)),
        ("normalized", .bool(false)),
        ("special", .bool(!visible.contains(Array(content.utf8)))),
      ])
    }
    return Self.object([
      ("version", .string("1.0")), ("truncation", .null), ("padding", .null),
      ("added_tokens", .array(added)),
      (
        "normalizer", settings.splitting == .qwen2 ? Self.object([("type", .string("NFC"))]) : .null
      ),
      ("pre_tokenizer", preTokenizer), ("post_processor", .null),
      ("decoder", byteLevel(addsSpace: true, usesPattern: true)),
      (
        "model",
        Self.object([
          ("type", .string("BPE")), ("dropout", .null), ("unk_token", .null),
          ("continuing_subword_prefix", .null), ("end_of_word_suffix", .null),
          ("fuse_unk", .bool(false)), ("byte_fallback", .bool(false)),
          ("ignore_merges", .bool(false)), ("vocab", Self.object(vocabulary)),
          ("merges", .array(pairs)),
        ])
      ),
    ]).serialized(pretty: true)
  }

  /// The text of `tokenizer_config.json`.
  ///
  /// - Parameter roles: Which special token is the `eos_token` and so on.
  public func configurationJSON(roles: [String: String]) -> Data {
    Self.object(
      [("tokenizer_class", .string("PreTrainedTokenizerFast"))]
        + roles.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }
        + [("clean_up_tokenization_spaces", .bool(false))]
    ).serialized(pretty: true)
  }

  private var preTokenizer: JSONValue {
    guard let text = settings.splitting.pattern.text, settings.splitting != .gpt2 else {
      return byteLevel(usesPattern: true)
    }
    let split = Self.object([
      ("type", .string("Split")), ("pattern", Self.object([("Regex", .string(text))])),
      ("behavior", .string("Isolated")), ("invert", .bool(false)),
    ])
    return Self.object([
      ("type", .string("Sequence")),
      ("pretokenizers", .array([split, byteLevel(usesPattern: false)])),
    ])
  }

  private func byteLevel(addsSpace: Bool = false, usesPattern: Bool) -> JSONValue {
    Self.object([
      ("type", .string("ByteLevel")), ("add_prefix_space", .bool(addsSpace)),
      ("trim_offsets", .bool(true)), ("use_regex", .bool(usesPattern)),
    ])
  }

  private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
    .object(JSONObject(members: members.map { (key: $0.0, value: $0.1) }))
  }
}
