import ChatTemplates
import Storage

/// What a data set is made of, and how it becomes rows to train on.
public struct DataRecipe: Codable, Equatable, Sendable {
  /// The folder whose tokenizer and chat template are used: the student's. A recipe for training
  /// names the student elsewhere.
  public var checkpoint: String?
  /// A template's file, or its name if the checkpoint has several; nil for the checkpoint's own.
  public var chatTemplate: String?
  /// What the template is given besides: texts, numbers, true and false.
  public var templateVariables: [String: TemplateVariable]?
  /// The day that templates which write today's date are told, such as "2024-07-26": otherwise the
  /// same samples would be other rows tomorrow.
  public var date: String?
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
  /// Checks of the gate that are left out, by their names.
  public var skippedChecks: [GateCheck]?
  public var seed: UInt64
  /// The folder where prepared data is kept.
  public var cache: String

  public init(
    checkpoint: String? = nil, sources: [SampleSource], contextLength: Int,
    supervision: Supervision, longerDocuments: LengthPolicy, packing: PackingMethod,
    specialTokensInText: Bool, seed: UInt64, cache: String
  ) {
    self.checkpoint = checkpoint
    self.sources = sources
    self.contextLength = contextLength
    self.supervision = supervision
    self.longerDocuments = longerDocuments
    self.packing = packing
    self.specialTokensInText = specialTokensInText
    self.seed = seed
    self.cache = cache
  }

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
  /// - Throws: `DatasetError` if its date is none, or missing though the template asks for one.
  public func rendering(_ checkpoint: TextCheckpoint) throws(DatasetError) -> Rendering {
    Rendering(
      tokenizer: checkpoint.tokenizer, template: checkpoint.template,
      endTokens: checkpoint.endTokens, supervision: supervision,
      specialTokensInText: specialTokensInText,
      variables: (templateVariables ?? [:]).mapValues(\.json), date: try templateDate(checkpoint))
  }

  private func templateDate(_ checkpoint: TextCheckpoint) throws(DatasetError) -> TemplateDate {
    guard let date else {
      if checkpoint.template?.usesDate ?? false, templateVariables?["date_string"] == nil {
        throw DatasetError(
          checkpoint.path,
          "its chat template writes today's date. Set 'date' in the recipe, for "
            + "example to \"2024-07-26\", so that the same samples are the same rows tomorrow.")
      }
      return .now
    }
    let parts = date.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 3, date.utf8.count == 10, let year = parts[0], let month = parts[1],
      let day = parts[2], (1...9999).contains(year), (1...12).contains(month),
      (1...31).contains(day)
    else {
      throw DatasetError("The recipe", "'date' is \(quoted(date)), not a day such as 2024-07-26.")
    }
    return TemplateDate(year: year, month: month, day: day)
  }

  /// The checkpoint's text files, with what the recipe puts in their place.
  ///
  /// - Throws: `DatasetError`.
  public func textCheckpoint() throws(DatasetError) -> TextCheckpoint {
    guard let checkpoint else {
      throw DatasetError(
        "The recipe",
        "it has no 'checkpoint', the folder whose tokenizer and chat template are used.")
    }
    return try TextCheckpoint(at: checkpoint, template: chatTemplate, endTokens: endTokens)
  }
}
