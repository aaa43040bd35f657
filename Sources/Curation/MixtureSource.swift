import Datasets
import Interface

extension CurationRecipe {
  /// Samples of other origin that the curated ones are mixed with.
  ///
  /// Of `count`, `weight` and `share` at most one is given; without any, all of it is taken.
  public struct MixtureSource: Codable, Equatable, Sendable {
    public enum Reasoning: String, Choice {
      /// Written as `<think>…</think>` before the answer, wherever the sample has it.
      case keep
      /// Left out: only answers are learned.
      case drop
      /// The turns stay byte for byte.
      case asIs
    }

    /// A file in any form that data sets are read in.
    public var path: String
    /// The form of its samples; without it, the one that the first has.
    public var form: SampleForm?
    /// For `form: "fields"`: which key holds the text of which role.
    public var fields: [String: String]?
    /// A system turn for conversations that have none.
    public var system: String?
    /// What reports call it; without it, the file's name.
    public var name: String?
    /// How many samples.
    public var count: Int?
    /// Its part among the sources that have a weight.
    public var weight: Double?
    /// Its part of the whole set, from 0 to 1.
    public var share: Double?
    /// Decides which are taken; without it, the recipe's.
    public var seed: UInt64?
    public var reasoning: Reasoning

    public init(
      path: String, form: SampleForm? = nil, fields: [String: String]? = nil,
      system: String? = nil, name: String? = nil, count: Int? = nil, weight: Double? = nil,
      share: Double? = nil, seed: UInt64? = nil, reasoning: Reasoning = .keep
    ) {
      (self.path, self.form, self.fields, self.system) = (path, form, fields, system)
      (self.name, self.count, self.weight, self.share) = (name, count, weight, share)
      (self.seed, self.reasoning) = (seed, reasoning)
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        path: try keys.decode(String.self, forKey: .path),
        form: try keys.decodeIfPresent(SampleForm.self, forKey: .form),
        fields: try keys.decodeIfPresent([String: String].self, forKey: .fields),
        system: try keys.decodeIfPresent(String.self, forKey: .system),
        name: try keys.decodeIfPresent(String.self, forKey: .name),
        count: try keys.decodeIfPresent(Int.self, forKey: .count),
        weight: try keys.decodeIfPresent(Double.self, forKey: .weight),
        share: try keys.decodeIfPresent(Double.self, forKey: .share),
        seed: try keys.decodeIfPresent(UInt64.self, forKey: .seed),
        reasoning: try keys.value(.reasoning, or: .keep))
    }

    var sourceName: String {
      name ?? path.split(separator: "/").last.map(String.init) ?? path
    }
  }
}
