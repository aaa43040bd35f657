/// What training text shares with one evaluation question.
public struct OverlapHit: Equatable, Sendable {
  /// Which of `DecontaminationRules` found it.
  public enum Rule: String, Codable, CaseIterable, Sendable {
    case similarity, question, prompt, trace, solution
  }

  public var rule: Rule
  /// The name of the evaluation set, and the question's id within.
  public var set: String
  public var id: String
  /// The longest stretch of shared words, as it stands in the text, and its bytes there.
  public var words: String
  public var bytes: Range<Int>
  /// The part of the question's weight that is shared; for `similarity` that similarity.
  public var share: Double
  /// The question is the same but for some of its numbers.
  public var numbersDiffer: Bool
  /// Why this is a hit, in a sentence.
  public var reason: String
}

/// What was found in one text, each list with the greatest share first.
public struct OverlapFindings: Equatable, Sendable {
  public var hits: [OverlapHit] = []
  /// Questions with other numbers, unless the rules count those as hits.
  public var variants: [OverlapHit] = []
}

/// A question of an evaluation, with its reference solution where there is one.
public struct EvaluationItem: Equatable, Sendable {
  public var set: String
  public var id: String
  public var question: String
  public var solution: String?

  public init(set: String, id: String, question: String, solution: String? = nil) {
    self.set = set
    self.id = id
    self.question = question
    self.solution = solution
  }
}
