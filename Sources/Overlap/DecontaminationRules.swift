/// What counts as an overlap of training data with evaluation questions.
///
/// A rule that is nil is off. The lengths are those of DeepSeek-R1's paper (10-grams on questions
/// and reference solutions), of open-r1 (8-grams on prompts) and of common use (13-grams on long
/// texts); the README tells how the thresholds were set and what they find.
public struct DecontaminationRules: Codable, Equatable, Sendable {
  /// Words that a prompt shares with a question.
  public var question: WordRule?
  /// Words that a prompt or a trace shares with a reference solution.
  public var solution: WordRule?
  /// Shorter runs of words that a prompt shares with a question.
  public var prompt: WordRule?
  /// Words that a trace shares with a question.
  public var trace: WordRule?
  /// Prompts that are much like a question as a whole.
  public var similarity: SimilarityRule?
  /// Whether a question with other numbers is a hit; if not, it is among the variants.
  public var variantsAreHits: Bool
  /// In how many different background texts an n-gram makes it boilerplate.
  public var backgroundTexts: Int

  public init(
    question: WordRule? = WordRule(n: 10), solution: WordRule? = WordRule(n: 10),
    prompt: WordRule? = WordRule(n: 8), trace: WordRule? = WordRule(n: 13, leastWeight: 4),
    similarity: SimilarityRule? = SimilarityRule(), variantsAreHits: Bool = false,
    backgroundTexts: Int = 3
  ) {
    self.question = question
    self.solution = solution
    self.prompt = prompt
    self.trace = trace
    self.similarity = similarity
    self.variantsAreHits = variantsAreHits
    self.backgroundTexts = backgroundTexts
  }

  /// When shared runs of `n` words are a hit.
  ///
  /// At least one of the runs must be distinctive: in one question only and no boilerplate. Then
  /// either the runs are a great part of the question, or they are long in themselves. Words are
  /// weighed; see `WordWeights`.
  public struct WordRule: Codable, Equatable, Sendable {
    /// How many words in a row; a question with fewer is looked for as a whole.
    public var n: Int
    /// The least part of the question's weight that is shared, 0 to 1.
    public var share: Double
    /// The weight of distinctive shared words that is enough by itself; for solutions the only way.
    public var weight: Double
    /// The least weight of distinctive shared words in any case.
    public var leastWeight: Double

    public init(n: Int, share: Double = 0.6, weight: Double = 16, leastWeight: Double = 2.5) {
      self.n = n
      self.share = share
      self.weight = weight
      self.leastWeight = leastWeight
    }

    /// The paper's rule to the letter: any shared n-gram that is not boilerplate is a hit.
    public static func any(_ n: Int) -> WordRule {
      WordRule(n: n, share: 0, weight: 0, leastWeight: 0)
    }
  }

  /// When two whole questions are alike: the Jaccard similarity of their runs of three words.
  public struct SimilarityRule: Codable, Equatable, Sendable {
    /// The least similarity, above 0 and at most 1.
    public var jaccard: Double

    public init(jaccard: Double = 0.6) { self.jaccard = jaccard }
  }

  /// The first value that makes no sense.
  func check() throws(OverlapError) {
    for (name, rule) in [
      ("question", question), ("solution", solution), ("prompt", prompt), ("trace", trace),
    ] {
      guard let rule else { continue }
      guard (3...64).contains(rule.n) else {
        throw OverlapError("'\(name).n' is \(rule.n). Set it to 3 to 64 words.")
      }
      guard (0...1).contains(rule.share) else {
        throw OverlapError("'\(name).share' is \(rule.share). Set it to a part between 0 and 1.")
      }
      guard rule.weight >= 0, rule.leastWeight >= 0 else {
        throw OverlapError(
          "'\(name)' has a weight of \(min(rule.weight, rule.leastWeight)). Set it to 0 or more.")
      }
    }
    if let jaccard = similarity?.jaccard, !(jaccard > 0 && jaccard <= 1) {
      throw OverlapError(
        "'similarity.jaccard' is \(jaccard). Set it above 0 and to at most 1.")
    }
    guard backgroundTexts >= 1 else {
      throw OverlapError("'backgroundTexts' is \(backgroundTexts). Set it to 1 or more.")
    }
  }
}

/// Why an index or a search for duplicates can't be made: a full sentence.
public struct OverlapError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
