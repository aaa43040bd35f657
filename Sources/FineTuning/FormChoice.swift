import Models
import Training
import TrainingRecipes

/// A form of training, with what it needs and what it costs: one of those that a recipe leaves open.
public struct FormCandidate: Equatable, Sendable {
  public let form: TrainingForm
  public let recomputedBlocks: Int
  public let memory: TrainingMemory
  /// Of the packed copy that answers the recipe's prompts while training goes on.
  public let generationBytes: Int
  /// Of a step, by the operations and by what is read and written.
  public let secondsPerStep: Double
  /// What is not as it would be with everything in float32 and gradients clipped together.
  public let deviations: [Deviation]

  /// Why the results are others than those of the usual form.
  public enum Deviation: String, Sendable {
    /// Weights are rounded to bfloat16, at random.
    case weights
    /// Weights that are frozen, and stored in another type, are rounded to bfloat16.
    case frozenWeights = "frozen weights"
    /// Moments are rounded to 8 bits.
    case moments
    /// Gradients are clipped by the norm of their layer.
    case clipping
  }

  /// Bytes of all that is in memory.
  public var bytes: Int { memory.total + generationBytes }
}

/// Chooses in what form a student is trained.
public struct FormChoice: Sendable {
  private let recipe: FineTuningRecipe
  private let configuration: ModelConfiguration
  /// Whether the student's matrices are stored in bfloat16.
  private let isStoredInBFloat16: Bool
  /// Of the longest row, times the rows that are computed at once.
  private let tokens: Int
  private let meanContext: Int
  private let threads: Int

  public init(
    _ recipe: FineTuningRecipe, _ configuration: ModelConfiguration, isStoredInBFloat16: Bool,
    tokens: Int, meanContext: Int, threads: Int
  ) {
    self.recipe = recipe
    self.configuration = configuration
    self.isStoredInBFloat16 = isStoredInBFloat16
    self.tokens = tokens
    self.meanContext = meanContext
    self.threads = threads
  }

  /// Refuses weights from the disk where they are not there as they are needed.
  ///
  /// - Throws: `RecipeMistakes`.
  public func check() throws(RecipeMistakes) {
    guard recipe.lora?.base == .disk, !isStoredInBFloat16 else { return }
    throw RecipeMistakes(findings: [
      "The recipe: 'lora.base' is 'disk', which needs matrices that are stored in bfloat16; those "
        + "of '\(recipe.student)' are not. 'distill convert' writes them so, with '--dtype bfloat16'."
    ])
  }

  /// The forms that the recipe allows, the one that is taken first: of those that fit the fastest,
  /// and of those that are as fast the most exact; then those that don't fit, the smallest first.
  public func candidates(memory limit: Int) -> [FormCandidate] {
    let all = forms.map { candidate($0, memory: limit) }
    func fits(_ candidate: FormCandidate) -> Bool { candidate.bytes <= limit }
    let fitting = all.filter(fits)
    // What lies within a twentieth is as fast: the figures are no better than that.
    let fastest = fitting.map(\.secondsPerStep).min() ?? 0
    func rank(_ candidate: FormCandidate) -> (Int, Int, Double, Int) {
      let isFast = candidate.secondsPerStep <= 1.05 * fastest
      return (
        isFast ? 0 : 1, isFast ? candidate.deviations.count : 0, candidate.secondsPerStep,
        candidate.bytes
      )
    }
    return fitting.sorted { rank($0) < rank($1) }
      + all.filter { !fits($0) }.sorted { $0.bytes < $1.bytes }
  }

  private func generationBytes(_ form: TrainingForm) -> Int {
    guard recipe.generations != nil, form.lowRank == nil, recipe.precision == .bfloat16 else {
      return 0
    }
    let c = configuration
    // The embedding's rows are in float32 unless they are trained in bfloat16; a head that is tied to
    // it is packed beside it then.
    let embedding = form.weights == .bfloat16 ? 0 : (c.tieWordEmbeddings ? 4 : 2)
    return 2 * c.matrixCount + 4 * c.vectorCount + embedding * c.vocabSize * c.hiddenSize
  }

  /// The forms that the recipe allows: one, unless it leaves the choice to the plan.
  private var forms: [TrainingForm] {
    let isAutomatic = recipe.memory == .automatic
    let moments =
      recipe.moments.map { [$0] } ?? (isAutomatic ? TrainingForm.Moments.allCases : [.float32])
    if let lora = recipe.lora {
      let bases =
        lora.base.map { [$0 == .disk] }
        ?? (isAutomatic && isStoredInBFloat16 ? [false, true] : [false])
      let frozenBytes = isStoredInBFloat16 || recipe.weights == .bfloat16 ? 2 : 4
      return bases.map {
        TrainingForm(
          weights: recipe.weights ?? .float32, moments: recipe.moments ?? .float32,
          lowRank: lora.settings, frozenBytes: frozenBytes, streamsFrozen: $0)
      }
    }
    let weights =
      recipe.weights.map { [$0] } ?? (isAutomatic ? TrainedStorage.allCases : [.float32])
    let released: [GradientKeeping] =
      isAutomatic && recipe.microbatchRows == recipe.rowsPerStep
      ? [.releasedPerLayer, .releasedTwoPass] : []
    let gradients = recipe.gradients.map { [$0] } ?? [.kept] + released
    return weights.flatMap { weights in
      moments.flatMap { moments in
        gradients.map { TrainingForm(weights: weights, moments: moments, gradients: $0) }
      }
    }
  }

  private func candidate(_ form: TrainingForm, memory limit: Int) -> FormCandidate {
    let generation = generationBytes(form)
    let blocks =
      recipe.recomputedBlocks
      ?? TrainingMemory.recomputedBlocks(
        configuration, form: form, tokens: tokens, memory: limit - generation, threads: threads)
    return FormCandidate(
      form: form, recomputedBlocks: blocks,
      memory: TrainingMemory(
        configuration, form: form, tokens: tokens, recomputedBlocks: blocks, threads: threads),
      generationBytes: generation, secondsPerStep: seconds(form, recomputedBlocks: blocks),
      deviations: deviations(of: form))
  }

  /// By figures of one machine, two cores and a disk of 2 GB/s: only their ratios count here.
  private func seconds(_ form: TrainingForm, recomputedBlocks: Int) -> Double {
    let layers = configuration.numHiddenLayers
    let operations =
      configuration.trainingOperationsPerToken(
        contextLength: meanContext, isFrozen: form.lowRank != nil,
        recomputed: Double(min(recomputedBlocks, layers)) / Double(layers))
      * Double(tokens) * Double(recipe.rowsPerStep) / Double(recipe.microbatchRows)
      * (form.gradients == .releasedTwoPass ? 2 : 1)
    let computing = operations / (Self.operationsPerThread * Double(threads))
    if let lowRank = form.lowRank {
      let passes = 2.0 * Double(recipe.rowsPerStep) / Double(recipe.microbatchRows)
      let reading =
        form.streamsFrozen
        ? passes * Double(form.frozenBytes * configuration.matrixCount) / Self.diskBytes : 0
      return max(computing, reading) * (form.streamsFrozen ? 1.06 : 1)
        + Double(configuration.parameterCount(of: lowRank)) * 1e-9
    }
    let nanoseconds =
      switch form.moments {
      case .float32: 1.2
      case .eightBit: 2.4
      // Those that the system does not keep for itself.
      case .disk: 10.0
      }
    return computing + Double(configuration.parameterCount) * nanoseconds * 1e-9
  }

  private static let operationsPerThread = 70e9
  /// Read or written in a second.
  private static let diskBytes = 1e9

  private func deviations(of form: TrainingForm) -> [FormCandidate.Deviation] {
    var found: [FormCandidate.Deviation] = []
    if form.lowRank != nil {
      if form.frozenBytes == 2, !isStoredInBFloat16 { found.append(.frozenWeights) }
    } else if form.weights == .bfloat16 {
      found.append(.weights)
    }
    if form.moments == .eightBit { found.append(.moments) }
    if form.gradients == .releasedPerLayer { found.append(.clipping) }
    return found
  }
}
