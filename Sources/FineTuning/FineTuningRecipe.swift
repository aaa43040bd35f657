import Adapters
import Datasets
import Interface
import Models
import Tensors
import Training
import TrainingRecipes

/// Everything about the fine-tuning of a student.
public struct FineTuningRecipe: Codable, Equatable, Sendable {
  /// The folder of the model that is trained.
  public var student: String
  /// The folder of the run, which is made.
  public var run: String
  /// What is changed in the student's configuration before training.
  public var configuration: Configuration?
  public var data: DataRecipe
  public var evaluation: Evaluation?
  /// How often every document is learned from.
  public var epochs: Int
  /// Rows of a step: the batch.
  public var rowsPerStep: Int
  /// Rows that are computed at once. It changes how much memory is needed, and beside that only
  /// rounding, and which inputs of adapters are left out.
  public var microbatchRows: Int
  public var precision: ArithmeticPrecision
  /// Adapters that are trained instead of all parameters.
  public var lora: LowRankRecipe?
  /// Who decides about the next three where they are not given; without it, the recipe.
  public var memory: MemoryChoice?
  /// How weights are kept while they are trained; beside adapters, "bfloat16" rounds them.
  public var weights: TrainedStorage?
  /// How AdamW's moments are kept.
  public var moments: TrainingForm.Moments?
  /// How long gradients are kept.
  public var gradients: GradientKeeping?
  /// Blocks that run again in the backward pass instead of keeping what they computed; without it,
  /// as few as memory asks for. The results are the same to the bit.
  public var recomputedBlocks: Int?
  public var optimizer: OptimizerSettings
  /// Skips updates that are not like the others.
  public var spikes: SpikeSettings?
  public var checkpoints: CheckpointSettings
  /// The type of the finished student's weights.
  public var export: ExportType
  public var generations: Generations?
  /// What the data will be like, for a plan that is made before there is any.
  public var expected: ExpectedData?

  public struct Configuration: Codable, Equatable, Sendable {
    public var ropeTheta: Double?
    public var maxPositionEmbeddings: Int?
  }

  /// Documents that are not learned from, and how often their loss is taken.
  public struct Evaluation: Codable, Equatable, Sendable {
    /// The share of all documents that is held out.
    public var share: Double
    public var everySteps: Int
  }

  /// Texts that the student writes while it learns, to be looked at.
  public struct Generations: Codable, Equatable, Sendable {
    public var prompts: [String]
    public var everySteps: Int
    public var maxNewTokens: Int
  }

  public struct ExpectedData: Codable, Equatable, Sendable {
    public var documents: Int
    /// On average.
    public var tokensPerDocument: Int
  }

  // MARK: -

  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] {
    var found: [String] = []
    func check(_ holds: Bool, _ words: String) {
      if !holds { found.append("The recipe: \(words)") }
    }
    check(epochs >= 1, "'epochs' is \(epochs); it must be 1 at least.")
    check(rowsPerStep >= 1, "'rowsPerStep' is \(rowsPerStep); it must be 1 at least.")
    check(
      (1...max(1, rowsPerStep)).contains(microbatchRows),
      "'microbatchRows' is \(microbatchRows); it must lie between 1 and 'rowsPerStep', "
        + "\(rowsPerStep).")
    check(recomputedBlocks ?? 0 >= 0, "'recomputedBlocks' must not be negative.")
    found += optimizer.findings + (lora?.findings ?? [])
    if let alpha = lora?.alpha, Float(alpha).isFinite {
      check(
        alpha <= AdapterConfiguration.Limits.alpha,
        "'lora.alpha' is \(alpha); an adapter's is \(AdapterConfiguration.Limits.alpha) at most.")
    }
    if let gradients, gradients != .kept {
      check(
        lora == nil,
        "'gradients' is '\(gradients.rawValue)'; those of adapters are so small that they are "
          + "always 'kept'.")
      check(
        microbatchRows == rowsPerStep,
        "'gradients' is '\(gradients.rawValue)', which needs all rows of a step at once: "
          + "'microbatchRows' is \(microbatchRows), 'rowsPerStep' \(rowsPerStep).")
    }
    check(
      lora == nil || configuration == nil,
      "'configuration' changes the model that adapters stand beside, which nobody who merges or loads "
        + "them would know. Change the model first: 'distill convert \(student) <output> "
        + "--rope-theta <number> --positions <count>'.")
    check(
      lora == nil || weights != .float32,
      "'weights' is 'float32'; beside adapters they stay as they are stored, unless 'bfloat16' rounds "
        + "them.")
    check(
      lora == nil || moments != .disk,
      "'moments' is 'disk'; those of adapters are so small that they stay in memory.")
    if let evaluation {
      check(
        evaluation.share > 0 && evaluation.share < 1,
        "'evaluation.share' is \(evaluation.share); it must lie between 0 and 1.")
      check(evaluation.everySteps >= 1, "'evaluation.everySteps' must be 1 at least.")
    } else {
      check(!checkpoints.best, "'checkpoints.best' needs an 'evaluation' to tell which is best.")
    }
    found += checkpoints.findings + (spikes?.findings ?? [])
    if let generations {
      check(generations.everySteps >= 1, "'generations.everySteps' must be 1 at least.")
      check(generations.maxNewTokens >= 1, "'generations.maxNewTokens' must be 1 at least.")
    }
    return found
  }

  /// The data recipe, whose tokenizer and template are the student's unless it names others.
  public var studentData: DataRecipe {
    var data = data
    data.checkpoint = data.checkpoint ?? student
    return data
  }

  /// The student's configuration with the recipe's changes.
  ///
  /// - Throws: `ModelConfigurationError` if a value is out of range.
  public func changed(
    _ configuration: ModelConfiguration
  ) throws(ModelConfigurationError) -> ModelConfiguration {
    guard let changes = self.configuration else { return configuration }
    return try configuration.replacing(
      ropeTheta: changes.ropeTheta, maxPositionEmbeddings: changes.maxPositionEmbeddings,
      source: "The recipe's 'configuration'")
  }

  /// Refuses rows that are longer than the student's positions.
  ///
  /// - Throws: `RecipeMistakes`.
  public func checkPositions(_ configuration: ModelConfiguration) throws(RecipeMistakes) {
    if data.contextLength <= configuration.maxPositionEmbeddings { return }
    throw RecipeMistakes(findings: [
      "The recipe: rows have up to \(data.contextLength) tokens ('data.contextLength'), but "
        + "\(student) has \(configuration.maxPositionEmbeddings) positions. Lower the one, or raise "
        + "the other with 'configuration: { maxPositionEmbeddings: \(data.contextLength) }' and a "
        + "larger 'ropeTheta'."
    ])
  }

  func loopSettings(
    totalSteps: Int, _ form: TrainingForm = TrainingForm()
  ) -> TrainingLoop.Settings {
    TrainingLoop.Settings(
      schedule: optimizer.schedule(totalSteps: totalSteps), clipNorm: optimizer.clipNorm,
      microbatchRows: microbatchRows, gradients: form.gradients)
  }

  var arithmetic: Precision { precision == .float32 ? .float32 : .bfloat16 }
}
