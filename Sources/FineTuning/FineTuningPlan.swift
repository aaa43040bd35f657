import Datasets
import Foundation
import Interface
import Models
import Training
import TrainingRecipes

/// What a run will need, before anything is loaded.
public struct FineTuningPlan: Sendable {
  public let recipe: FineTuningRecipe
  public let configuration: ModelConfiguration
  /// In what form the student is trained.
  public let chosen: FormCandidate
  /// The other forms that the recipe allows, in the order in which they would be taken.
  public let others: [FormCandidate]
  /// Whether the form is that of a run that was begun.
  public let isBegun: Bool
  /// Of one epoch.
  public let documents: Int
  public let tokens: Int
  public let rows: Int
  public let longestRow: Int
  /// The length of the document that a token stands in, on average.
  public let meanContext: Int
  public let steps: Int
  /// Whether the figures of the data are the recipe's expectations.
  public let isExpected: Bool
  private let threads: Int
  private let isStoredInBFloat16: Bool

  /// The plan of a recipe whose data is prepared.
  public init(_ ready: PreparedFineTuning, threads: Int) {
    let order = ready.order
    self.init(
      ready.recipe, ready.configuration, [ready.chosen] + ready.others,
      documents: order.documents.count, tokens: order.tokensPerEpoch,
      rows: order.rowsInFirstEpoch, longestRow: order.longestRow, meanContext: order.meanContext,
      steps: order.totalSteps,
      isExpected: false, isBegun: ready.isBegun, isStoredInBFloat16: ready.isStoredInBFloat16,
      threads: threads)
  }

  /// The plan of a recipe whose data is not there: full rows, as many as its `expected` makes.
  ///
  /// - Parameter memory: How many bytes may be used, which decides how many blocks are recomputed.
  /// - Throws: `RecipeMistakes` without `expected`, or where the recipe can't be meant.
  public init(
    expecting recipe: FineTuningRecipe, _ configuration: ModelConfiguration, memory: Int,
    threads: Int
  ) throws(RecipeMistakes) {
    let findings = recipe.findings
    if !findings.isEmpty { throw RecipeMistakes(findings: findings) }
    guard let expected = recipe.expected, expected.documents > 0, expected.tokensPerDocument > 0
    else {
      throw RecipeMistakes(findings: [
        "The recipe: its samples are not there, and it has no 'expected' to plan with. Add "
          + "'expected: { documents: 800000, tokensPerDocument: 5355 }', with your own figures."
      ])
    }
    let context = recipe.data.contextLength
    let (tokens, overflow) = expected.documents.multipliedReportingOverflow(
      by: expected.tokensPerDocument)
    let all = overflow ? Int.max / 2 : tokens
    let rows =
      recipe.data.packing == .bestFit
      ? (all + context - 1) / context : expected.documents
    let isStoredInBFloat16 = PreparedFineTuning.isStoredInBFloat16(recipe, configuration)
    let choice = FormChoice(
      recipe, configuration, isStoredInBFloat16: isStoredInBFloat16,
      tokens: context * recipe.microbatchRows,
      meanContext: min(expected.tokensPerDocument, context), threads: threads)
    try choice.check()
    self.init(
      recipe, configuration, choice.candidates(memory: memory),
      documents: expected.documents, tokens: all, rows: rows, longestRow: context,
      meanContext: min(expected.tokensPerDocument, context),
      steps: recipe.epochs * ((rows + recipe.rowsPerStep - 1) / recipe.rowsPerStep),
      isExpected: true, isBegun: false, isStoredInBFloat16: isStoredInBFloat16, threads: threads)
  }

  private init(
    _ recipe: FineTuningRecipe, _ configuration: ModelConfiguration, _ candidates: [FormCandidate],
    documents: Int, tokens: Int, rows: Int, longestRow: Int, meanContext: Int, steps: Int,
    isExpected: Bool, isBegun: Bool, isStoredInBFloat16: Bool, threads: Int
  ) {
    self.recipe = recipe
    self.configuration = configuration
    chosen = candidates[0]
    others = Array(candidates.dropFirst())
    self.documents = documents
    self.tokens = tokens
    self.rows = rows
    self.longestRow = longestRow
    self.meanContext = meanContext
    self.steps = steps
    self.isExpected = isExpected
    self.isBegun = isBegun
    self.isStoredInBFloat16 = isStoredInBFloat16
    self.threads = threads
  }

  public var form: TrainingForm { chosen.form }
  public var memory: TrainingMemory { chosen.memory }
  public var recomputedBlocks: Int { chosen.recomputedBlocks }

  /// Operations of the whole run; a recomputed block costs a forward pass more.
  public var operations: Double {
    let share = Double(recomputedBlocks) / Double(max(1, configuration.numHiddenLayers))
    return Double(tokens) * Double(recipe.epochs)
      * configuration.trainingOperationsPerToken(
        contextLength: meanContext, isFrozen: form.lowRank != nil, recomputed: min(1, share))
      * (form.gradients == .releasedTwoPass ? 2 : 1)
  }

  /// The numbers that are trained.
  public var trainedCount: Int {
    form.lowRank.map(configuration.parameterCount) ?? configuration.parameterCount
  }

  /// Bytes of one checkpoint to go on from: weights and two moments as they are kept.
  public var checkpointBytes: Int {
    let count = trainedCount
    let weights = form.lowRank == nil && form.weights == .bfloat16 ? 2 : 4
    return count * weights
      + (form.moments == .eightBit ? 2 * (count + count / 64) : 8 * count)
  }
  /// Bytes of the finished student, or of its adapters.
  public var studentBytes: Int { trainedCount * (recipe.export == .float32 ? 4 : 2) }
  /// Bytes on the disk at most: the checkpoints that stay, one being written, the students.
  public var diskBytes: Int {
    (max(2, recipe.checkpoints.keep) + 1) * checkpointBytes
      + (recipe.checkpoints.best ? 2 : 1) * studentBytes
      + (form.moments == .disk ? 8 * trainedCount : 0)
  }

  // MARK: - In words

  /// A few lines for the beginning of a run.
  public var summary: String {
    """
    \(countText(configuration.parameterCount)) parameters\(trainedShare), \
    \(recipe.precision.rawValue) products, \
    \(form.words); \
    \(countText(documents)) documents, \(countText(tokens)) tokens in \(countText(rows)) rows, \
    \(steps) steps in \(recipe.epochs) \(recipe.epochs == 1 ? "epoch" : "epochs").
    \(byteText(memoryBytes)) of memory, \(recomputation); up to \(byteText(diskBytes)) on the disk.
    """
  }

  /// How many of them are trained, where that is not all.
  private var trainedShare: String {
    if form.lowRank == nil { return "" }
    let share = 100 * Double(trainedCount) / Double(configuration.parameterCount)
    return " and \(countText(trainedCount)) in adapters, which are trained "
      + String(format: "(%.2g %%)", share)
  }

  public var recomputation: String {
    let layers = configuration.numHiddenLayers
    return recomputedBlocks == 0
      ? "no block recomputed" : "\(min(recomputedBlocks, layers)) of \(layers) blocks recomputed"
  }

  /// Each part of the memory, in the order in which it is told.
  public var memoryParts: [(name: String, bytes: Int)] {
    [
      ("weights", memory.weights), ("gradients", memory.gradients), ("moments", memory.moments),
      ("activations", memory.activations), ("a block at work", memory.working),
      ("logits, packed operands", memory.lossChunk),
    ] + (generationBytes > 0 ? [("a copy that generates", generationBytes)] : [])
  }

  private var generationBytes: Int { chosen.generationBytes }

  /// Bytes of all parts.
  public var memoryBytes: Int { chosen.bytes }

  /// What to change so that less memory is needed, the largest saving first.
  public var savings: [(change: String, bytes: Int)] {
    var found: [(change: String, bytes: Int)] = []
    func consider(_ change: String, _ form: TrainingForm, _ tokens: Int, _ blocks: Int) {
      let other = TrainingMemory(
        configuration, form: form, tokens: tokens, recomputedBlocks: blocks, threads: threads)
      if other.total < memory.total { found.append((change, memory.total - other.total)) }
    }
    let tokens = longestRow * recipe.microbatchRows
    // What is released needs all rows at once.
    if recipe.microbatchRows > 1, form.gradients == .kept {
      consider("'microbatchRows: 1'", form, longestRow, recomputedBlocks)
    }
    if recomputedBlocks < configuration.numHiddenLayers {
      consider(
        "'recomputedBlocks: \(configuration.numHiddenLayers)', which takes \(moreTime) % more time",
        form, tokens, configuration.numHiddenLayers)
    }
    if longestRow > 2048 {
      consider(
        "'data.contextLength: \(longestRow / 2)', without the documents that are longer",
        form, tokens / 2, recomputedBlocks)
    }
    if generationBytes > 0 { found.append(("no 'generations'", generationBytes)) }
    found += savingsByForm(tokens)
    return found.sorted { $0.bytes > $1.bytes }
  }

  /// How many more operations a run with all blocks recomputed has, in per cent.
  private var moreTime: Int {
    func operations(_ share: Double) -> Double {
      configuration.trainingOperationsPerToken(
        contextLength: meanContext, isFrozen: form.lowRank != nil, recomputed: share)
    }
    let share = Double(recomputedBlocks) / Double(max(1, configuration.numHiddenLayers))
    return Int((100 * (operations(1) / operations(share) - 1)).rounded())
  }

  /// What other forms save that the recipe does not ask for.
  private func savingsByForm(_ tokens: Int) -> [(change: String, bytes: Int)] {
    var open = recipe
    open.memory = .automatic
    let smallest = FormChoice(
      open, configuration, isStoredInBFloat16: isStoredInBFloat16, tokens: tokens,
      meanContext: meanContext, threads: threads
    ).candidates(memory: 0).first
    var found: [(change: String, bytes: Int)] = []
    if form.lowRank != nil, !form.streamsFrozen, isStoredInBFloat16 {
      var streamed = form
      streamed.streamsFrozen = true
      let other = TrainingMemory(
        configuration, form: streamed, tokens: tokens, recomputedBlocks: recomputedBlocks,
        threads: threads)
      if other.total < memory.total {
        found.append(("'lora.base: \"disk\"'", memory.total - other.total))
      }
    }
    if recipe.memory != .automatic, let smallest, smallest.form != form,
      smallest.bytes < memoryBytes
    {
      found.append(("'memory: \"automatic\"', at most", memoryBytes - smallest.bytes))
    }
    if form.lowRank == nil {
      let frozenBytes = isStoredInBFloat16 || recipe.weights == .bfloat16 ? 2 : 4
      let lora = TrainingMemory(
        configuration,
        form: TrainingForm(
          lowRank: LowRankSettings(rank: 16, alpha: 32), frozenBytes: frozenBytes),
        tokens: tokens, recomputedBlocks: configuration.numHiddenLayers, threads: threads)
      if lora.total < memoryBytes {
        found.append(
          ("'lora: { rank: 16, alpha: 32 }', which trains less", memoryBytes - lora.total))
      }
    }
    return found
  }

  /// Refuses a run that needs more memory than there is.
  ///
  /// - Throws: `RecipeMistakes`, with what would help.
  public func checkFits(_ limit: Int) throws(RecipeMistakes) {
    if memoryBytes <= limit { return }
    var words =
      "The run needs \(byteText(memoryBytes)) of memory; there are \(byteText(limit)). "
    if savings.isEmpty {
      words += "Nothing in the recipe saves enough: take a smaller student or a larger machine."
    } else {
      words +=
        "To need less: "
        + savings.map { saving in
          let clause = saving.change.contains("', ") ? "," : ""
          return "\(saving.change)\(clause) saves \(byteText(saving.bytes))"
        }.joined(separator: "; ") + "."
    }
    throw RecipeMistakes(findings: [words])
  }
}
