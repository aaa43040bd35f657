import Interface
import Models
import Problems
import Training
import TrainingRecipes

/// Everything about the reinforcement of a policy by group relative policy optimization.
public struct GRPORecipe: Codable, Equatable, Sendable {
  /// The folder of the model that is trained: a base model, or a distilled student.
  public var policy: String
  /// The folder of the run, which is made.
  public var run: String
  /// The files of problems that are asked.
  public var problems: [ProblemSource]
  /// How problems are worded; without it, in the usual words.
  public var prompt: ProblemPrompt?
  /// How the wording becomes what the model continues: `chat`, the checkpoint's template; `r1-zero`,
  /// DeepSeek-R1-Zero's; or a text that holds `{prompt}`.
  public var template: String
  /// A template's file or name, where the checkpoint's own is not meant.
  public var chatTemplate: String?
  /// Texts of the tokens that end an answer; without it, those of the checkpoint.
  public var endTokens: [String]?
  /// What every answer begins with, such as `<think>\n`. It is given, not learned.
  public var prefill: String?
  public var sampling: Sampling
  /// Sampling and learning, in turn.
  public var steps: Int
  public var updates: Updates
  public var rewards: RewardSettings
  public var objective: PolicyObjective
  /// How often the policy becomes the reference; without it, never.
  public var referenceEverySteps: Int?
  public var filters: Filters?
  public var evaluation: Evaluation?
  public var optimizer: OptimizerSettings
  /// Without it, only updates that are not finite are skipped.
  public var spikes: SpikeSettings?
  public var checkpoints: CheckpointSettings
  /// The type of the finished policy's weights.
  public var export: ExportType
  /// After how many steps all answers of a step are kept in `completions`.
  public var completionsEverySteps: Int
  /// How weights are kept while they are trained; without it, in float32.
  public var weights: TrainedStorage?
  /// How AdamW's moments are kept; without it, in float32.
  public var moments: TrainingForm.Moments?
  /// Blocks that run again in the backward pass; without it, as few as memory asks for.
  public var recomputedBlocks: Int?

  /// In what form the policy is trained.
  var form: TrainingForm {
    TrainingForm(weights: weights ?? .float32, moments: moments ?? .float32)
  }

  /// How answers are sampled: from the policy's own distribution at a temperature, since what is
  /// learned from was drawn from what is learned. There is no top-p and no top-k.
  public struct Sampling: Codable, Equatable, Sendable {
    public var questionsPerStep: Int
    /// G, the size of a group.
    public var answersPerQuestion: Int
    public var temperature: Double
    /// The most tokens of an answer.
    public var maxTokens: Int
    /// Answers that are sampled at a time. It changes speed and memory, and nothing else.
    public var sequences: Int
    public var seed: UInt64

    public init(
      questionsPerStep: Int, answersPerQuestion: Int, temperature: Double = 1, maxTokens: Int,
      sequences: Int = 32, seed: UInt64 = 0
    ) {
      self.questionsPerStep = questionsPerStep
      self.answersPerQuestion = answersPerQuestion
      self.temperature = temperature
      self.maxTokens = maxTokens
      self.sequences = sequences
      self.seed = seed
    }
  }

  /// How a step's answers are learned from.
  public struct Updates: Codable, Equatable, Sendable {
    /// Parts, chosen at random, into which the answers of a step are cut: an update each.
    public var minibatches: Int
    /// μ: how often all parts are gone through.
    public var passes: Int
    /// The length of the rows into which answers are packed, in tokens; a longer answer has a row of
    /// its own.
    public var rowTokens: Int

    public init(minibatches: Int = 1, passes: Int = 1, rowTokens: Int) {
      self.minibatches = minibatches
      self.passes = passes
      self.rowTokens = rowTokens
    }
  }

  /// Which questions are worth their answers.
  public struct Filters: Codable, Equatable, Sendable {
    /// How often questions whose answers all have one reward are replaced by others within a step.
    public var resamplings: Int?
    /// Problems that are passed over once the share of right answers at their last turn was outside.
    public var passRate: Band?

    public struct Band: Codable, Equatable, Sendable {
      public var min: Double
      public var max: Double

      public init(min: Double, max: Double) {
        self.min = min
        self.max = max
      }
    }

    public init(resamplings: Int? = nil, passRate: Band? = nil) {
      self.resamplings = resamplings
      self.passRate = passRate
    }
  }

  /// Held-out problems, and how often they are asked.
  public struct Evaluation: Codable, Equatable, Sendable {
    public var problems: [ProblemSource]
    public var everySteps: Int
    public var samplesPerProblem: Int
    public var temperature: Double
    /// The most tokens of an answer; without it, those of `sampling`.
    public var maxTokens: Int?

    public init(
      problems: [ProblemSource], everySteps: Int, samplesPerProblem: Int,
      temperature: Double = 0.6, maxTokens: Int? = nil
    ) {
      self.problems = problems
      self.everySteps = everySteps
      self.samplesPerProblem = samplesPerProblem
      self.temperature = temperature
      self.maxTokens = maxTokens
    }
  }

  /// Updates of a step.
  public var updatesPerStep: Int { updates.minibatches * updates.passes }
}
