import Datasets
import Foundation
import Models
import Storage
import Tensors
import Training
import TrainingRecipes

/// A recipe whose data is rendered and checked: all that training needs but the weights.
public struct PreparedFineTuning: Sendable {
  public let recipe: FineTuningRecipe
  public let text: TextCheckpoint
  /// The student's configuration, with the recipe's changes.
  public let configuration: ModelConfiguration
  public let data: PreparedData
  public let order: TrainingOrder
  public let sourceNames: [String]
  let isStoredInBFloat16: Bool
  /// In what form the student is trained.
  public let chosen: FormCandidate
  /// The other forms that the recipe allows, in the order in which they would be taken.
  public let others: [FormCandidate]
  /// Whether the form is that of a run that was begun in the recipe's folder, and goes on in it.
  public let isBegun: Bool

  /// Uses prepared data, or prepares it.
  ///
  /// - Parameters:
  ///   - memory: How many bytes may be used, which decides how many blocks are recomputed, and in what
  ///     form the student is trained where the recipe leaves that open.
  ///   - threads: How many will compute: each has memory of its own.
  ///   - prepare: Renders the samples into the cache, past the gate; called if the cache has not
  ///     what the recipe asks for.
  /// - Throws: `RecipeMistakes`, `DatasetError`, `PreparedDataError`, `CheckpointError`, and what
  ///   `prepare` throws.
  public init(
    _ recipe: FineTuningRecipe, memory: Int, threads: Int = ThreadPool.shared.threads,
    prepare: (Preparation, _ key: String) throws -> Void
  ) throws {
    let findings = recipe.findings
    if !findings.isEmpty { throw RecipeMistakes(findings: findings) }
    self.recipe = recipe
    let preparation = try Preparation(recipe.studentData)
    text = preparation.checkpoint
    configuration = try recipe.changed(Checkpoint.readConfiguration(in: recipe.student))
    try recipe.checkPositions(configuration)
    guard preparation.checkpoint.tokenizer.idLimit <= configuration.vocabSize else {
      throw RecipeMistakes(findings: [
        "\(recipe.student): the tokenizer has ids up to "
          + "\(preparation.checkpoint.tokenizer.idLimit - 1), the model's embedding "
          + "\(configuration.vocabSize) rows. Is the tokenizer that of the checkpoint?"
      ])
    }
    let key = try preparation.key()
    data = try Self.data(preparation, key, prepare)
    sourceNames = Self.names(recipe.data.sources.map(\.path))
    order = TrainingOrder(
      data, contextLength: recipe.data.contextLength, packing: recipe.data.packing,
      seed: recipe.data.seed, epochs: recipe.epochs, rowsPerStep: recipe.rowsPerStep,
      heldOutShare: recipe.evaluation?.share ?? 0)
    guard order.totalSteps > 0 else {
      throw RecipeMistakes(findings: [
        "\(recipe.data.cache): nothing is left to train on: the data has "
          + "\(data.count == 1 ? "1 document" : "\(data.count) documents")."
      ])
    }
    isStoredInBFloat16 = Self.isStoredInBFloat16(recipe, configuration)
    let choice = FormChoice(
      recipe, configuration, isStoredInBFloat16: isStoredInBFloat16,
      tokens: order.longestRow * recipe.microbatchRows, meanContext: order.meanContext,
      threads: threads)
    try choice.check()
    let candidates = choice.candidates(memory: memory)
    // A run that was begun goes on in its form, whatever would be chosen now.
    let begun = RunDirectory.recorded(Self.formName, at: recipe.run)
    chosen = candidates.first { $0.form.identity == begun } ?? candidates[0]
    isBegun = chosen.form.identity == begun
    others = candidates.filter { [chosen] in $0 != chosen }
  }

  private static let formName = "form of training"

  /// Whether a student's matrices are stored in bfloat16, vectors aside: as its files say, or, without
  /// them, its configuration.
  static func isStoredInBFloat16(
    _ recipe: FineTuningRecipe, _ configuration: ModelConfiguration
  ) -> Bool {
    (try? Checkpoint(at: recipe.student))?.hasMappedMatrices ?? (configuration.dtype == .bfloat16)
  }

  private static func data(
    _ preparation: Preparation, _ key: String, _ prepare: (Preparation, String) throws -> Void
  ) throws -> PreparedData {
    let path = preparation.recipe.cache
    do throws(PreparedDataError) {
      return try PreparedData(at: path, key: key)
    } catch {
      try prepare(preparation, key)
      return try PreparedData(at: path, key: key)
    }
  }

  /// The last parts of paths; whole paths where those would be the same.
  private static func names(_ paths: [String]) -> [String] {
    let short = paths.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
    return Set(short).count == short.count ? short : paths
  }

  /// What a run in a folder is known by.
  ///
  /// - Parameter overfitsOneBatch: Whether it learns from one step's rows only: such a run must not be
  ///   gone on with as if it had seen all, nor the other way round.
  /// - Throws: `CheckpointError` if the student's weights can't be read.
  public func identity(
    version: String, resolvedRecipe: JSONValue, overfitsOneBatch: Bool = false
  ) throws -> RunDirectory.Identity {
    let machine = RunDirectory.Identity.machine(
      version: version, usesOpenBLAS: recipe.precision == .float32)
    let student = try Checkpoint(at: recipe.student)
    return RunDirectory.Identity(
      recipe: resolvedRecipe,
      fingerprint: machine.fingerprint + [
        ("data", data.key),
        ("student's weights", student.fingerprint),
        ("choice of rows", overfitsOneBatch ? "one batch" : "all"),
        (Self.formName, chosen.form.identity),
      ],
      remarks: machine.remarks + [
        ("recomputed blocks", "\(chosen.recomputedBlocks)"), ("memory", chosen.form.words),
      ])
  }
}
