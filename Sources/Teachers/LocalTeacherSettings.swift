import Interface

/// A checkpoint that answers on this machine, and how it is asked to.
///
/// Of a recipe, only `checkpoint` must be there; the rest has the values of `init`.
public struct LocalTeacherSettings: Codable, Equatable, Sendable {
  public enum Weights: String, Choice {
    case bfloat16, int8, float32
  }

  /// A model's folder.
  public var checkpoint: String
  /// How the weights are kept.
  public var weights: Weights
  /// A template's file, or its name if the checkpoint has several; nil for the checkpoint's own.
  public var chatTemplate: String?
  /// Texts of the tokens that end a turn; nil for those of the checkpoint.
  public var endTokens: [String]?
  /// What every answer begins with, such as `<think>\n`.
  public var forcedPrefix: String?
  /// The most tokens within `<think>`, which is then closed; nil for no limit.
  public var thinkingBudget: Int?
  /// The most samples that run at a time.
  public var sequences: Int

  public init(
    checkpoint: String, weights: Weights = .bfloat16, chatTemplate: String? = nil,
    endTokens: [String]? = nil, forcedPrefix: String? = nil, thinkingBudget: Int? = nil,
    sequences: Int = 32
  ) {
    self.checkpoint = checkpoint
    self.weights = weights
    self.chatTemplate = chatTemplate
    self.endTokens = endTokens
    self.forcedPrefix = forcedPrefix
    self.thinkingBudget = thinkingBudget
    self.sequences = sequences
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      checkpoint: try container.decode(String.self, forKey: .checkpoint),
      weights: try container.decodeIfPresent(Weights.self, forKey: .weights) ?? .bfloat16,
      chatTemplate: try container.decodeIfPresent(String.self, forKey: .chatTemplate),
      endTokens: try container.decodeIfPresent([String].self, forKey: .endTokens),
      forcedPrefix: try container.decodeIfPresent(String.self, forKey: .forcedPrefix),
      thinkingBudget: try container.decodeIfPresent(Int.self, forKey: .thinkingBudget),
      sequences: try container.decodeIfPresent(Int.self, forKey: .sequences) ?? 32)
  }

  /// What cannot be meant although it can be read, a sentence each.
  public func findings(place: String = "The recipe", path: String = "") -> [String] {
    var found: [String] = []
    if !(1...1 << 16).contains(sequences) {
      found.append(
        "\(place): '\(path)sequences' is \(sequences); it must lie between 1 and 65536.")
    }
    if let budget = thinkingBudget, budget < 0 {
      found.append("\(place): '\(path)thinkingBudget' is \(budget); it must be 0 or more.")
    }
    return found
  }
}
