import Interface
import Models
import Training

extension TrainedStorage: Choice {}
extension TrainingForm.Moments: Choice {}
extension GradientKeeping: Choice {}

/// Who decides in what form training keeps what it needs.
public enum MemoryChoice: String, Choice {
  /// The recipe, which names every part that is not the usual one.
  case stated
  /// The plan, for every part that the recipe does not name: the fastest form that fits.
  case automatic
}

/// Adapters of low rank, in the terms of PEFT.
public struct LowRankRecipe: Codable, Equatable, Sendable {
  public var rank: Int
  public var alpha: Double
  public var dropout: Double?
  /// Modules by their names, such as "q_proj"; without it, all seven of a layer.
  public var targetModules: [String]?
  public var rankStabilized: Bool?
  /// Where the frozen weights are while they are needed.
  public var base: Base?
  /// A folder of adapters to go on from, of the same form.
  public var adapter: String?

  public enum Base: String, Choice {
    /// Mapped, and in memory as a whole.
    case memory
    /// Read layer by layer.
    case disk
  }

  public init(rank: Int, alpha: Double) {
    self.rank = rank
    self.alpha = alpha
  }

  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] {
    var found: [String] = []
    if !(1...4096).contains(rank) {
      found.append("The recipe: 'lora.rank' is \(rank); it must lie between 1 and 4096.")
    }
    if !(alpha > 0 && Float(alpha).isFinite) {
      found.append("The recipe: 'lora.alpha' is \(alpha); it must be above 0.")
    }
    if let dropout, !(0..<1).contains(dropout) {
      found.append(
        "The recipe: 'lora.dropout' is \(dropout); it is a share, from 0 to less than 1.")
    }
    let known = LowRankSettings.adaptable.map(\.moduleName)
    if let targetModules {
      if targetModules.isEmpty {
        found.append("The recipe: 'lora.targetModules' names no module; without it, all are meant.")
      }
      for name in Set(targetModules).subtracting(known).sorted() {
        found.append(
          "The recipe: 'lora.targetModules' names '\(name)'; there are "
            + known.joined(separator: ", ") + ".")
      }
    }
    return found
  }

  /// The settings; those of a recipe without findings.
  public var settings: LowRankSettings {
    LowRankSettings(
      rank: rank, alpha: alpha, dropout: dropout ?? 0,
      usesRankStabilization: rankStabilized ?? false,
      roles: LowRankSettings.adaptable.filter {
        targetModules?.contains($0.moduleName) ?? true
      })
  }
}
