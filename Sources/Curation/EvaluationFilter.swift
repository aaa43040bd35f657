import Problems
import Storage

/// Finds what samples have in common with evaluation sets.
struct EvaluationFilter: Sendable {
  struct Hit: Equatable, Sendable {
    /// The evaluation set, and the item in it.
    var set: String
    var item: String
    /// Why, in one sentence.
    var sentence: String
    /// Where in the text it begins.
    var byte: Int
  }

  /// The sets, in the order of the recipe.
  let names: [String]
  private let prompt: @Sendable ([UInt8]) -> Hit?
  private let trace: @Sendable ([UInt8]) -> Hit?

  init(
    _ names: [String], prompt: @escaping @Sendable ([UInt8]) -> Hit?, trace: @escaping @Sendable ([UInt8]) -> Hit?
  ) {
    self.names = names
    self.prompt = prompt
    self.trace = trace
  }

  /// - Returns: Nil if the recipe names no evaluation sets.
  /// - Throws: `CurationError` if one can't be read.
  init?(_ recipe: CurationRecipe.Decontamination?) throws(CurationError) { return nil }

  /// The strongest hit in a question.
  func hit(inPrompt text: String) -> Hit? { prompt(Array(text.utf8)) }

  /// The strongest hit in what a teacher wrote.
  func hit(inTrace text: [UInt8]) -> Hit? { trace(text) }
}

extension CurationRecipe {
  /// What must not be trained on.
  public struct Decontamination: Codable, Equatable, Sendable {
    /// Files of evaluation problems.
    public var sets: [String]
    /// Whether the teacher's answers are looked at too, not only the questions.
    public var traces: Bool

    public init(sets: [String], traces: Bool = true) {
      (self.sets, self.traces) = (sets, traces)
    }
  }
}
