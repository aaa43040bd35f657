import Interface

/// What a table of models holds: its rows, its columns, and which rows are set against each other.
public struct ComparisonRecipe: Codable, Equatable, Sendable {
  /// What stands above the table.
  public var title: String
  /// Models, from above to below.
  public var rows: [Row]
  /// Without it: of each benchmark that was measured pass@1, the majority vote over as many samples
  /// as most models have, and a rating where all problems are rated.
  public var columns: [Column]?
  /// Pairs of rows. Without it: all pairs of measured rows, or only neighbors where there are many;
  /// and neighbors of which one is published.
  public var compare: [[String]]?
  /// Runs of reinforcement whose accuracy and lengths are drawn; without it, those of 'made'.
  public var curves: [Curve]?
  /// Of intervals and comparisons; without it, 0.95.
  public var confidence: Double?
  /// Of the bootstrap; without it, 10,000.
  public var resamples: Int?
  /// The folder of the table, which is made. What holds it must exist.
  public var output: String

  public init(
    title: String, rows: [Row], columns: [Column]? = nil, compare: [[String]]? = nil,
    curves: [Curve]? = nil, confidence: Double? = nil, resamples: Int? = nil, output: String
  ) {
    (self.title, self.rows, self.columns) = (title, rows, columns)
    (self.compare, self.curves) = (compare, curves)
    (self.confidence, self.resamples, self.output) = (confidence, resamples, output)
  }

  /// A model: measured here ('evaluation'), published ('published'), or with figures from elsewhere
  /// ('figures').
  public struct Row: Codable, Equatable, Sendable {
    /// What the table calls it. A published row has the name under which it was published.
    public var name: String?
    /// A model's folder that `distill evaluate` left.
    public var evaluation: String?
    /// How many parameters the model has, where its runs don't tell.
    public var parameters: Int?
    /// The runs that made the model, for what that took.
    public var made: [Made]?
    /// The name of a row of `PublishedRow.all`.
    public var published: String?
    /// Where 'figures' come from.
    public var source: String?
    /// By benchmark and score, in points of 100: `{ "AIME 2024": { "pass@1": 47.0 } }`.
    public var figures: [String: [String: Double]]?

    public init(
      name: String? = nil, evaluation: String? = nil, parameters: Int? = nil, made: [Made]? = nil,
      published: String? = nil, source: String? = nil, figures: [String: [String: Double]]? = nil
    ) {
      (self.name, self.evaluation, self.parameters) = (name, evaluation, parameters)
      (self.made, self.published) = (made, published)
      (self.source, self.figures) = (source, figures)
    }

    /// What the table calls it.
    var title: String { name ?? published ?? "" }
  }

  /// A run that made a model: its folder, or an object that says what the folder can't.
  public struct Made: Codable, Equatable, Sendable {
    /// The folder of a run of 'generate', 'fine-tune' or 'reinforce'.
    public var run: String
    /// How many parameters the model has that sampled or was trained; of a mixture of experts,
    /// those that a token uses.
    public var parameters: Int?

    public init(_ run: String, parameters: Int? = nil) {
      (self.run, self.parameters) = (run, parameters)
    }

    private enum CodingKeys: CodingKey { case run, parameters }

    public init(from decoder: any Decoder) throws {
      if let single = try? decoder.singleValueContainer(),
        let run = try? single.decode(String.self)
      {
        self.init(run)
        return
      }
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        try keys.decode(String.self, forKey: .run),
        parameters: try keys.decodeIfPresent(Int.self, forKey: .parameters))
    }
  }

  /// A column of the table.
  public struct Column: Codable, Hashable, Sendable {
    public var benchmark: String
    /// `pass@1`, `cons@64` or another name that `ScoreName` knows.
    public var score: String

    public init(benchmark: String, score: String) {
      (self.benchmark, self.score) = (benchmark, score)
    }

    public static func == (a: Column, b: Column) -> Bool {
      a.benchmark.utf8.elementsEqual(b.benchmark.utf8) && a.score.utf8.elementsEqual(b.score.utf8)
    }
  }

  /// A run of reinforcement, drawn by its steps.
  public struct Curve: Codable, Equatable, Sendable {
    public var name: String
    public var run: String

    public init(name: String, run: String) { (self.name, self.run) = (name, run) }
  }
}
