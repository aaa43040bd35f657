import Interface
import Training

/// AdamW and its learning rate.
public struct OptimizerSettings: Codable, Equatable, Sendable {
  public var learningRate: Double
  public var schedule: Schedule
  /// The share of all steps in which the rate rises.
  public var warmupShare: Double
  /// The last rate as a share of the highest.
  public var floor: Double
  public var betas: [Double]
  public var epsilon: Double
  public var weightDecay: Double
  public var clipNorm: Double

  public enum Schedule: String, Choice {
    case cosine, linear, constant
  }

  public init(
    learningRate: Double, schedule: Schedule, warmupShare: Double = 0, floor: Double = 0,
    betas: [Double] = [0.9, 0.95], epsilon: Double = 1e-8, weightDecay: Double = 0,
    clipNorm: Double = 1
  ) {
    self.learningRate = learningRate
    self.schedule = schedule
    self.warmupShare = warmupShare
    self.floor = floor
    self.betas = betas
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.clipNorm = clipNorm
  }

  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] {
    var found: [String] = []
    func check(_ holds: Bool, _ words: String) {
      if !holds { found.append("The recipe: \(words)") }
    }
    check(
      learningRate > 0 && learningRate < 1,
      "'optimizer.learningRate' is \(learningRate); it must be above 0 and below 1.")
    check(
      (0...1).contains(warmupShare),
      "'optimizer.warmupShare' is \(warmupShare); it is a share, from 0 to 1.")
    check(
      (0...1).contains(floor), "'optimizer.floor' is \(floor); it is a share, from 0 to 1.")
    check(
      // As they are used: 0.99999999 is 1 in single precision.
      betas.count == 2 && betas.allSatisfy { (0..<1).contains($0) && Float($0) < 1 },
      "'optimizer.betas' must be two numbers from 0 to less than 1.")
    check(Float(epsilon) > 0, "'optimizer.epsilon' must be above 0.")
    check(weightDecay >= 0, "'optimizer.weightDecay' must not be negative.")
    check(clipNorm > 0, "'optimizer.clipNorm' must be above 0.")
    return found
  }

  /// The rate of every step of a run.
  public func schedule(totalSteps: Int) -> LearningRateSchedule {
    let warmup = (warmupShare * Double(totalSteps)).rounded(.up)
    return LearningRateSchedule(
      peak: learningRate,
      shape: LearningRateSchedule.Shape(rawValue: schedule.rawValue) ?? .cosine,
      warmupSteps: Int(warmup), totalSteps: totalSteps, floor: floor)
  }

  public var adamW: AdamW.Settings {
    AdamW.Settings(
      betas: betas.map { Float($0) }, epsilon: Float(epsilon), weightDecay: Float(weightDecay))
  }
}
