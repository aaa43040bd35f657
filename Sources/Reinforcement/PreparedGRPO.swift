import Foundation
import Interface
import Models
import Storage
import Tensors
import Training
import TrainingRecipes

/// A recipe whose problems are read and rendered: all that a run needs but the weights.
public struct PreparedGRPO {
  public let recipe: GRPORecipe
  /// Rewards besides those of the recipe.
  public let functions: [RewardFunction]
  public let configuration: ModelConfiguration
  public let recomputedBlocks: Int
  /// What was left out, a sentence each.
  public let remarks: [String]
  let prompts: PolicyPrompts
  let questions: QuestionSet
  let heldOut: QuestionSet?
  /// The SHA-256 of all prompts and references.
  let dataHash: String
  /// The most memory that may be used, in bytes.
  let memoryLimit: Int
  let threads: Int

  /// Reads problems and tokenizer.
  ///
  /// - Parameters:
  ///   - functions: Rewards written in Swift, besides those of the recipe.
  ///   - memory: How many bytes may be used, which decides how many blocks are recomputed.
  /// - Throws: `RecipeMistakes`, `ProblemError`, `DatasetError`, `CheckpointError`.
  public init(
    _ recipe: GRPORecipe, functions: [RewardFunction] = [], memory: Int,
    threads: Int = ThreadPool.shared.threads
  ) throws {
    let findings = recipe.findings(functions: functions)
    if !findings.isEmpty { throw RecipeMistakes(findings: findings) }
    self.recipe = recipe
    self.functions = functions
    configuration = try Checkpoint.readConfiguration(in: recipe.policy)
    prompts = try PolicyPrompts(recipe)
    if prompts.tokenizer.idLimit > configuration.vocabSize {
      throw RecipeMistakes(findings: [
        "\(recipe.policy): the tokenizer has ids up to \(prompts.tokenizer.idLimit - 1), the "
          + "model's embedding \(configuration.vocabSize) rows. Is the tokenizer that of the "
          + "checkpoint?"
      ])
    }
    let positions = configuration.maxPositionEmbeddings
    func room(_ tokens: Int, _ key: String) throws(RecipeMistakes) -> Int {
      if tokens < positions { return positions - tokens }
      throw RecipeMistakes(findings: [
        "The recipe: '\(key)' is \(tokens), and \(recipe.policy) has \(positions) positions, for "
          + "prompt and answer. Lower the one."
      ])
    }
    let trainingRoom = try room(recipe.sampling.maxTokens, "sampling.maxTokens")
    questions = try QuestionSet(recipe.problems, key: "problems", prompts, room: trainingRoom)
    var remarks = [questions.remark(room: trainingRoom)]
    if let evaluation = recipe.evaluation {
      let tokens = evaluation.maxTokens ?? recipe.sampling.maxTokens
      let key = evaluation.maxTokens == nil ? "sampling.maxTokens" : "evaluation.maxTokens"
      let room = try room(tokens, key)
      heldOut = try QuestionSet(
        evaluation.problems, key: "evaluation.problems", prompts, room: room)
      remarks.append(heldOut?.remark(room: room))
      remarks.append(Self.overlap(questions, heldOut))
    } else {
      heldOut = nil
    }
    if recipe.template == "r1-zero", recipe.rewards.format?.answerTags == false {
      remarks.append(
        "The template 'r1-zero' asks for <answer> tags, and the reward 'format' does not: see "
          + "'answerTags'.")
    }
    if recipe.sampling.questionsPerStep > questions.questions.count {
      remarks.append(
        "A step asks \(recipe.sampling.questionsPerStep) questions, and there are only "
          + "\(questions.questions.count): some are asked twice.")
    }
    self.remarks = remarks.compactMap { $0 }
    if recipe.rewards.accuracy != nil {
      try Self.checkReferences(questions, "rewards.accuracy")
    }
    if let heldOut { try Self.checkReferences(heldOut, "evaluation") }
    dataHash = Self.hash(questions, heldOut)
    memoryLimit = memory
    self.threads = threads
    recomputedBlocks =
      recipe.recomputedBlocks
      ?? TrainingMemory.recomputedBlocks(
        configuration, form: recipe.form, tokens: Self.longestRow(recipe, questions),
        memory: memory - Self.besides(recipe, configuration), threads: threads)
  }

  private static func longestRow(_ recipe: GRPORecipe, _ questions: QuestionSet) -> Int {
    max(recipe.updates.rowTokens, questions.longest + recipe.sampling.maxTokens)
  }

  /// The packed weights of policy and reference.
  private static func besides(_ recipe: GRPORecipe, _ configuration: ModelConfiguration) -> Int {
    2 * configuration.parameterCount * (recipe.objective.needsReference ? 2 : 1)
  }

  /// Refuses problems of which no answer could be judged.
  private static func checkReferences(
    _ questions: QuestionSet, _ key: String
  ) throws(RecipeMistakes) {
    let without = questions.questions.filter {
      if case .none = $0.problem.reference { true } else { false }
    }
    guard let first = without.first else { return }
    throw RecipeMistakes(findings: [
      "\(first.problem.place): the problem has no answer that a rule could compare with, as "
        + "\(without.count) of \(questions.questions.count) have none, and '\(key)' needs one. Name its key with 'fields', or take other problems."
    ])
  }

  /// A sentence about held-out questions that are also learned from; nil if there are none.
  private static func overlap(_ questions: QuestionSet, _ heldOut: QuestionSet?) -> String? {
    guard let heldOut else { return nil }
    let learned = Set(questions.questions.map { Array($0.problem.question.utf8) })
    let shared = heldOut.questions.count { learned.contains(Array($0.problem.question.utf8)) }
    if shared == 0 { return nil }
    return "\(shared) of \(heldOut.questions.count) held-out problems are also learned from: the "
      + "accuracy on them says little."
  }

  private static func hash(_ sets: QuestionSet?...) -> String {
    var hash = SHA256()
    for set in sets {
      for question in set?.questions ?? [] {
        question.tokens.withUnsafeBytes { hash.update($0) }
        if case .object(let object) = question.problem.json, let reference = object["reference"] {
          reference.serialized().withUnsafeBytes { hash.update($0) }
        }
      }
      Array("|".utf8).withUnsafeBytes { hash.update($0) }
    }
    return hash.finalizedText()
  }

  /// Whether programs have to run to judge answers.
  public var needsSandbox: Bool {
    (questions.questions + (heldOut?.questions ?? [])).contains {
      if case .program = $0.problem.reference { true } else { false }
    }
  }

  /// What a run in a folder is known by.
  ///
  /// - Throws: `CheckpointError` if the policy's weights can't be read.
  public func identity(
    version: String, resolvedRecipe: JSONValue
  ) throws -> RunDirectory.Identity {
    let machine = RunDirectory.Identity.machine(version: version, usesOpenBLAS: false)
    let checkpoint = try Checkpoint(at: recipe.policy)
    return RunDirectory.Identity(
      recipe: resolvedRecipe,
      fingerprint: machine.fingerprint + [
        ("problems", dataHash), ("policy's weights", checkpoint.fingerprint),
        ("rules", (functions.map(\.identity) + [Rewarder.version]).joined(separator: ", ")),
        ("form of training", recipe.form.identity),
      ],
      remarks: machine.remarks + [("recomputed blocks", "\(recomputedBlocks)")],
      freeKeys: freeKeys)
  }

  /// What a run may go on with though it began with another: nothing that is learned depends on it.
  private var freeKeys: [String] {
    var keys = [
      "run", "checkpoints.everySteps", "checkpoints.everyMinutes", "checkpoints.keep",
      "completionsEverySteps", "sampling.sequences", "recomputedBlocks", "export",
    ]
    // A run may be made longer where no rate depends on how long it is.
    if recipe.optimizer.schedule == .constant, recipe.optimizer.warmupShare == 0 {
      keys.append("steps")
    }
    return keys
  }

  // MARK: - What it will need

  /// Each part of the memory, in bytes.
  public var memoryParts: [(name: String, bytes: Int)] {
    let memory = TrainingMemory(
      configuration, form: recipe.form, tokens: Self.longestRow(recipe, questions),
      recomputedBlocks: recomputedBlocks, threads: threads)
    let packed = 2 * configuration.parameterCount
    var parts = [
      ("weights", memory.weights), ("gradients", memory.gradients), ("moments", memory.moments),
      ("packed weights", packed),
    ]
    if recipe.objective.needsReference { parts.append(("reference", packed)) }
    let learning = memory.activations + memory.working + memory.lossChunk
    parts.append(("a step at work", max(learning, cacheBytes)))
    return parts
  }

  private var cacheBytes: Int {
    PolicySampler.cacheBytes(
      configuration, sequences: recipe.sampling.sequences, context: contextLength)
  }

  /// Tokens of the longest prompt and answer.
  var contextLength: Int {
    let evaluation = recipe.evaluation?.maxTokens ?? recipe.sampling.maxTokens
    return max(
      questions.longest + recipe.sampling.maxTokens, (heldOut?.longest ?? 0) + evaluation)
  }

  public var memoryBytes: Int { memoryParts.reduce(0) { $0 + $1.bytes } }

  /// A few lines for the beginning of a run.
  public var summary: String {
    let s = recipe.sampling
    let answers = s.questionsPerStep * s.answersPerQuestion
    let asked =
      "\(countText(questions.questions.count)) \(questions.questions.count == 1 ? "problem" : "problems")"
      + (heldOut.map { ", \(countText($0.questions.count)) held out" } ?? "")
    let parts = memoryParts.map { "\($0.name) \(byteText($0.bytes))" }
    return """
      \(countText(configuration.parameterCount)) parameters; \(asked).
      \(recipe.steps) steps of \(s.questionsPerStep) questions with \(s.answersPerQuestion) answers \
      each: \(countText(recipe.steps * answers)) answers of up to \(s.maxTokens) tokens, \
      \(countText(recipe.steps * recipe.updatesPerStep)) updates.
      \(byteText(memoryBytes)) of memory: \(parts.joined(separator: ", ")).
      """
  }

  /// Refuses a run that needs more memory than there is.
  ///
  /// - Throws: `RecipeMistakes`, with what would help.
  public func checkFits() throws(RecipeMistakes) {
    if memoryBytes <= memoryLimit { return }
    var savings: [String] = []
    if recipe.objective.needsReference {
      savings.append(
        "'objective.klCoefficient: 0', without a reference, saves "
          + byteText(2 * configuration.parameterCount))
    }
    for (change, form) in [
      ("'weights: \"bfloat16\"'", TrainingForm(weights: .bfloat16, moments: recipe.form.moments)),
      ("'moments: \"8bit\"'", TrainingForm(weights: recipe.form.weights, moments: .eightBit)),
    ] {
      let tokens = Self.longestRow(recipe, questions)
      let saved = [recipe.form, form].map {
        TrainingMemory(
          configuration, form: $0, tokens: tokens, recomputedBlocks: recomputedBlocks,
          threads: threads
        ).total
      }
      if saved[1] < saved[0] { savings.append("\(change) saves \(byteText(saved[0] - saved[1]))") }
    }
    if recipe.sampling.maxTokens > 1024 {
      savings.append("a smaller 'sampling.maxTokens' saves activations and keys and values")
    }
    throw RecipeMistakes(findings: [
      "The run needs \(byteText(memoryBytes)) of memory; there are \(byteText(memoryLimit)). "
        + (savings.isEmpty
          ? "Take a smaller policy or a larger machine."
          : "To need less: \(savings.joined(separator: "; ")).")
    ])
  }
}
