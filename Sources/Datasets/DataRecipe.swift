import Storage

/// What a data set is made of, and how it becomes rows to train on.
public struct DataRecipe: Codable, Equatable, Sendable {
  /// The folder whose tokenizer and chat template are used: the student's.
  public var checkpoint: String
  /// A template's file, or its name if the checkpoint has several; nil for the checkpoint's own.
  public var chatTemplate: String?
  /// What the template is given besides: texts, numbers, true and false.
  public var templateVariables: [String: TemplateVariable]?
  /// Texts of the tokens that end a turn; nil for those of the checkpoint.
  public var endTokens: [String]?
  public var sources: [SampleSource]
  /// The longest document, and the length of rows, in tokens.
  public var contextLength: Int
  public var supervision: Supervision
  public var longerDocuments: LengthPolicy
  public var packing: PackingMethod
  /// Whether special tokens that are written out in samples become those tokens.
  public var specialTokensInText: Bool
  public var seed: UInt64
  /// The folder where prepared data is kept.
  public var cache: String

  /// A value of `templateVariables`.
  public enum TemplateVariable: Codable, Equatable, Sendable {
    case bool(Bool), number(Int), text(String)

    public init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let bool = try? container.decode(Bool.self) {
        self = .bool(bool)
      } else if let number = try? container.decode(Int.self) {
        self = .number(number)
      } else {
        self = .text(try container.decode(String.self))
      }
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .bool(let bool): try container.encode(bool)
      case .number(let number): try container.encode(number)
      case .text(let text): try container.encode(text)
      }
    }

    var json: JSONValue {
      switch self {
      case .bool(let bool): .bool(bool)
      case .number(let number): .number(JSONNumber(number))
      case .text(let text): .string(text)
      }
    }
  }

  /// The rendering that the recipe asks for.
  ///
  /// - Throws: `DatasetError` if the checkpoint's files can't be used.
  public func rendering(_ checkpoint: TextCheckpoint) -> Rendering {
    Rendering(
      tokenizer: checkpoint.tokenizer, template: checkpoint.template,
      endTokens: checkpoint.endTokens, supervision: supervision,
      specialTokensInText: specialTokensInText,
      variables: (templateVariables ?? [:]).mapValues(\.json))
  }

  /// The checkpoint's text files, with what the recipe puts in their place.
  ///
  /// - Throws: `DatasetError`.
  public func textCheckpoint() throws(DatasetError) -> TextCheckpoint {
    try TextCheckpoint(at: checkpoint, template: chatTemplate, endTokens: endTokens)
  }
}
