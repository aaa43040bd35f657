import Models
import Storage

/// What a LoRA adapter is, as PEFT's `adapter_config.json` states it.
///
/// An adapter adds to the weight W (out, in) of a linear layer the product of two small matrices,
/// A (rank, in) and B (out, rank):
///
///     y = x · (W + scale · B · A)ᵀ        scale = alpha / rank, or alpha / √rank if stabilized
///
/// Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021,
/// <https://arxiv.org/abs/2106.09685>; Kalajdzievski, "A Rank Stabilization Scaling Factor for
/// Fine-Tuning with LoRA", 2023, <https://arxiv.org/abs/2312.03732>.
///
/// A value that was read asks for nothing else: what would change the sum is refused.
public struct AdapterConfiguration: Equatable, Sendable {
  /// `r`: the rows of A and the columns of B, where `rankPattern` has no other.
  public let rank: Int
  /// `lora_alpha`, where `alphaPattern` has no other.
  public let alpha: Double
  /// `lora_dropout`: the part of an adapter's inputs that training drops.
  public let dropout: Double
  /// `target_modules`: which linear layers have an adapter.
  public let targetModules: ModuleSelection
  /// `exclude_modules`: which of them have none.
  public let excludedModules: ModuleSelection?
  /// `layers_to_transform`: the only layers with adapters, counted from 0; nil for all. Modules
  /// that `targetModules` has by their whole path are not asked for it.
  public let layersToTransform: [Int]?
  /// `use_rslora`: whether the scale divides by √rank.
  public let usesRankStabilization: Bool
  /// `rank_pattern`: other ranks; the first pattern that matches counts.
  public let rankPattern: [PatternValue<Int>]
  /// `alpha_pattern`: other alphas; the first pattern that matches counts.
  public let alphaPattern: [PatternValue<Double>]
  /// `base_model_name_or_path`: the model that the adapter was trained for. Nothing checks it.
  public let baseModel: String?
  /// `revision`: which version of that model.
  public let revision: String?
  /// What was accepted but has no effect here, in sentences, for a log.
  public let notes: [String]

  /// A value for the modules whose path, or an end of it behind a dot, a pattern matches.
  public struct PatternValue<Value: Equatable & Sendable>: Equatable, Sendable {
    public let pattern: ModulePattern
    public let value: Value

    public init(_ pattern: ModulePattern, _ value: Value) {
      self.pattern = pattern
      self.value = value
    }
  }

  /// The largest values that are read: far above every adapter there is, and low enough that no
  /// product of them overflows.
  public enum Limits {
    public static let rank = 1 << 16
    public static let alpha = 1e6
  }

  /// An adapter for modules by name, such as "q_proj", in all layers or some.
  ///
  /// What a user wrote is to be checked before: a rank from 1 and an alpha within `Limits`, a
  /// dropout from 0 to 1. Whether a model has such modules and layers, `adaptedLayers` says.
  ///
  /// - Parameter targetModules: Names as `ModuleSelection.names` has them.
  public init(
    rank: Int, alpha: Double, dropout: Double = 0, targetModules: [String],
    layersToTransform: [Int]? = nil, usesRankStabilization: Bool = false, baseModel: String? = nil
  ) {
    self.init(
      rank: rank, alpha: alpha, dropout: dropout, targetModules: .names(targetModules),
      excludedModules: nil, layersToTransform: layersToTransform,
      usesRankStabilization: usesRankStabilization, rankPattern: [], alphaPattern: [],
      baseModel: baseModel, revision: nil, notes: [])
  }

  init(
    rank: Int, alpha: Double, dropout: Double, targetModules: ModuleSelection,
    excludedModules: ModuleSelection?, layersToTransform: [Int]?, usesRankStabilization: Bool,
    rankPattern: [PatternValue<Int>], alphaPattern: [PatternValue<Double>], baseModel: String?,
    revision: String?, notes: [String]
  ) {
    precondition((1...Limits.rank).contains(rank), "a rank of \(rank)")
    precondition(abs(alpha) <= Limits.alpha, "an alpha of \(alpha)")
    precondition((0...1).contains(dropout), "a dropout of \(dropout)")
    self.rank = rank
    self.alpha = alpha
    self.dropout = dropout
    self.targetModules = targetModules
    self.excludedModules = excludedModules
    self.layersToTransform = layersToTransform
    self.usesRankStabilization = usesRankStabilization
    self.rankPattern = rankPattern
    self.alphaPattern = alphaPattern
    self.baseModel = baseModel
    self.revision = revision
    self.notes = notes
  }

  /// What the product of B and A is multiplied by, where no pattern has other values.
  public var scale: Double { scale(rank: rank, alpha: alpha) }

  func scale(rank: Int, alpha: Double) -> Double {
    alpha / (usesRankStabilization ? Double(rank).squareRoot() : Double(rank))
  }
}
