import Problems
import Storage

/// An answer of the policy to a question, before anything is said about it.
public struct SampledAnswer: Sendable {
  public let problem: Problem
  /// All that the model was given, with the template's words and special tokens.
  public let prompt: String
  /// The number of the sample among the answers to its question, from 0.
  public let sample: Int
  /// All that was said, with what the prompt began it with: a prefilled `<think>` is part of it.
  public let text: String
  /// Tokens the policy chose, the one that ends the answer included.
  public let tokenCount: Int
  /// It was cut at the token limit.
  public let isCut: Bool

  public init(
    problem: Problem, prompt: String, sample: Int, text: String, tokenCount: Int, isCut: Bool
  ) {
    self.problem = problem
    self.prompt = prompt
    self.sample = sample
    self.text = text
    self.tokenCount = tokenCount
    self.isCut = isCut
  }
}

/// What rewards say of an answer.
public struct RewardedAnswer: Equatable, Sendable {
  /// One reward's part.
  public struct Part: Equatable, Sendable {
    /// As in the recipe: `accuracy`, `format`.
    public let name: String
    /// Before its weight.
    public let value: Double
    /// Why, in one sentence, where there is something to say.
    public let reason: String?

    public init(name: String, value: Double, reason: String? = nil) {
      self.name = name
      self.value = value
      self.reason = reason
    }
  }

  /// In the order of the recipe.
  public let parts: [Part]
  /// The weighted sum; nil if something other than the answer failed: a sandbox, a judge model, the
  /// user's program. Such an answer is left out and counted, and never a wrong one.
  public let total: Double?
  /// What failed, in one sentence.
  public let failure: String?

  public init(parts: [Part], total: Double?, failure: String? = nil) {
    self.parts = parts
    self.total = total
    self.failure = failure
  }
}
