import Overlap
import Problems
import Storage

/// Finds what samples have in common with evaluation sets.
struct EvaluationFilter: Sendable {
  struct Hit: Equatable, Sendable {
    /// The evaluation set that it is in.
    var set: String
    /// Why, in one sentence.
    var sentence: String
    /// Where in the text it begins.
    var byte: Int
  }

  /// The sets, in the order of the recipe, each once.
  let names: [String]
  private let index: EvaluationIndex

  /// - Returns: Nil if the recipe names no evaluation sets.
  /// - Throws: `CurationError` if one can't be read, or a rule makes no sense.
  init?(_ recipe: CurationRecipe.Decontamination?) throws(CurationError) {
    guard let recipe else { return nil }
    var names: [String] = []
    var items: [EvaluationItem] = []
    var background: [String] = []
    do {
      for source in recipe.sets {
        let name = source.source ?? source.fileName
        if !names.contains(name) { names.append(name) }
        let file = try ProblemFile(source)
        for i in 0..<file.count {
          let problem = try file.problem(i)
          items.append(
            EvaluationItem(
              set: name, id: problem.id, question: problem.question, solution: problem.solution))
        }
      }
      for source in recipe.background {
        let file = try ProblemFile(source)
        for i in 0..<file.count { background.append(try file.problem(i).question) }
      }
      index = try EvaluationIndex(items, rules: recipe.rules, background: background)
    } catch let error as OverlapError {
      throw CurationError(.recipe, "The recipe: 'decontaminate.rules': \(error)")
    } catch {
      throw CurationError(.input, "\(error)")
    }
    self.names = names
  }

  /// The strongest hit in a question.
  func hit(inPrompt text: String) -> Hit? { index.hits(inPrompt: text).first.map(Hit.init) }

  /// The strongest hit in what a teacher wrote.
  func hit(inTrace text: String) -> Hit? { index.hits(inTrace: text).first.map(Hit.init) }
}

extension EvaluationFilter.Hit {
  fileprivate init(_ hit: OverlapHit) {
    self.init(
      set: hit.set,
      sentence: "\(quoted(hit.id)) of \(quoted(hit.set)): \(hit.reason)", byte: hit.bytes.lowerBound
    )
  }
}

extension CurationRecipe {
  /// What must not be trained on.
  public struct Decontamination: Codable, Equatable, Sendable {
    /// The evaluation sets.
    public var sets: [ProblemSource]
    /// What counts as an overlap.
    public var rules: DecontaminationRules
    /// Whether answers are looked at too, not only questions.
    public var traces: Bool
    /// Problems like those of the samples: wording that several of them share with an evaluation
    /// question is boilerplate and no overlap.
    public var background: [ProblemSource]

    public init(
      sets: [ProblemSource], rules: DecontaminationRules = .init(), traces: Bool = true,
      background: [ProblemSource] = []
    ) {
      (self.sets, self.rules, self.traces) = (sets, rules, traces)
      self.background = background
    }

    public init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      self.init(
        sets: try keys.decode([ProblemSource].self, forKey: .sets),
        rules: try keys.value(.rules, or: .init()), traces: try keys.value(.traces, or: true),
        background: try keys.value(.background, or: []))
    }
  }
}
