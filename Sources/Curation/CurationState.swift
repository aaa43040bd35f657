import Datasets
import Problems
import Storage
import Teachers
import Tokenizers

/// The files that a recipe names, opened.
struct CurationInputs: Sendable {
  let runs: [RunInput]
  let mixture: [SampleFile]
  let tokenizer: Tokenizer?
  /// Nil if the recipe names no evaluation sets.
  let evaluation: EvaluationFilter?

  /// Every file that the set depends on.
  func paths(_ recipe: CurationRecipe) -> [String] {
    runs.flatMap(\.paths) + recipe.mixture.map(\.path)
      + (recipe.decontaminate.map { $0.sets + $0.background } ?? []).map(\.path)
  }

  /// - Throws: `CurationError`.
  init(_ recipe: CurationRecipe) throws(CurationError) {
    do throws(TokenizerError) {
      tokenizer = try recipe.tokenizer.map { path throws(TokenizerError) in try Tokenizer(at: path)
      }
    } catch {
      throw CurationError(.input, "\(error)")
    }
    evaluation = try EvaluationFilter(recipe.decontaminate)
    var runs: [RunInput] = []
    for run in recipe.samples { runs.append(try RunInput(run)) }
    self.runs = runs
    var files: [SampleFile] = []
    for source in recipe.mixture {
      do throws(DatasetError) {
        files.append(
          try SampleFile(
            SampleSource(
              path: source.path, form: source.form, fields: source.fields, system: source.system)))
      } catch {
        throw CurationError(.input, error.description)
      }
    }
    mixture = files
  }
}

/// What is known of samples and problems while a run lasts.
struct CurationState {
  var selection = Selection(entries: [], problems: [])
  /// The funnels of the samples' sources, then those of the mixture.
  var funnels: [Funnel] = []
  var difficulties: [String] = []
  /// Samples that rules for single samples have dropped.
  var dropped = 0
  /// Answers that rules have judged or tried to.
  var judged = 0
  /// Why judging failed, a sentence for each failure.
  var failures: [String] = []
  /// Samples that the judge model is to be asked about.
  var pending: [Int] = []
  /// Judged samples that the model is asked about too: the lowest ranks of all.
  var agreementItems: [(rank: UInt64, entry: Int)] = []
  var agreement: JudgeAgreement?
  var modelCounts = CurationReport.ModelJudge()
  /// Samples whose outcome is the model's.
  var judgedByModel: Set<Int> = []
  var evaluationHits: [String: CurationReport.EvaluationSet] = [:]
  var repeatedQuestions = 0
  var missingShards: [String] = []
  /// Samples of problems that belong to other shards.
  var elsewhere = 0
  var promptTokens = 0
  var completionTokens = 0
  var countings = [Int](repeating: 0, count: TokenCounting.allCases.count)
  private var sourceNumbers: [String: Int] = [:]
  private var difficultyNumbers: [String: Int] = [:]

  init(_ inputs: CurationInputs, _ recipe: CurationRecipe) {
    for run in inputs.runs where !run.folder.missingShards.isEmpty {
      let numbers = run.folder.missingShards.map(String.init).joined(separator: ", ")
      let isOne = run.folder.missingShards.count == 1
      missingShards.append(
        "\(run.folder.path): shard\(isOne ? "" : "s") \(numbers) \(isOne ? "is" : "are") not there."
      )
    }
    if recipe.judge.map({ $0.agreement > 0 }) ?? false { agreement = JudgeAgreement() }
  }

  /// Puts the samples in the order of their runs, problems and numbers.
  ///
  /// Teachers answer many questions at once, and journals have answers as they came: without this,
  /// the same samples would make another set each time they are drawn.
  mutating func sortSamples() {
    let entries = selection.entries
    let order = entries.indices.sorted { a, b in
      let (x, y) = (entries[a], entries[b])
      return (x.run, x.problem, x.sample, x.file, x.offset)
        < (y.run, y.problem, y.sample, y.file, y.offset)
    }
    selection.entries = ContiguousArray(order.map { entries[$0] })
    var places = [Int](repeating: 0, count: order.count)
    for (place, index) in order.enumerated() { places[index] = place }
    pending = pending.map { places[$0] }.sorted()
    agreementItems = agreementItems.map { ($0.rank, places[$0.entry]) }
  }

  /// More are counted as one, so that names don't fill the memory.
  private static let mostNames = 4_096

  mutating func sourceNumber(_ name: String) -> UInt16 {
    if let number = sourceNumbers[name] { return UInt16(number) }
    let name = sourceNumbers.count < Self.mostNames ? name : "others"
    if let number = sourceNumbers[name] { return UInt16(number) }
    funnels.append(Funnel(name))
    sourceNumbers[name] = funnels.count - 1
    return UInt16(funnels.count - 1)
  }

  mutating func difficultyNumber(_ name: String) -> UInt16 {
    let name = difficultyNumbers.count < Self.mostNames ? name : "others"
    if let number = difficultyNumbers[name] { return UInt16(number) }
    difficulties.append(name)
    difficultyNumbers[name] = difficulties.count - 1
    return UInt16(difficulties.count - 1)
  }

  func source(of entry: Int) -> Int {
    Int(selection.problems[Int(selection.entries[entry].problem)].source)
  }

  /// Counts all samples by what became of them.
  mutating func countFunnels() {
    for (i, entry) in selection.entries.enumerated() {
      funnels[source(of: i)].count(entry.reason)
    }
  }
}
