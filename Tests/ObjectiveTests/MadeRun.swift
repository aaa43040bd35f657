import Foundation

@testable import Reinforcement

/// SplitMix64, for made series that are the same each time.
struct Noise {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  /// From 0 to 1.
  mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// About normal, from -3 to 3: six numbers between -0.5 and 0.5 have a variance of a half.
  mutating func normal() -> Double {
    (0..<6).reduce(0.0) { sum, _ in sum + uniform() - 0.5 } * 2.0.squareRoot()
  }
}

/// Figures of a run as it should be: 32 questions, 16 answers each, the policy learns.
struct MadeRun {
  private var noise: Noise
  let totalSteps: Int
  /// How much steps differ; a run of fewer questions a step has more.
  private let roughness: Double

  init(seed: UInt64 = 1, totalSteps: Int = 200, roughness: Double = 1) {
    (noise, self.totalSteps, self.roughness) = (Noise(seed), totalSteps, roughness)
  }

  private mutating func normal() -> Double { roughness * noise.normal() }

  private func share(_ value: Double) -> Double { min(max(value, 0), 1) }

  /// The figures of the next step.
  mutating func step(_ step: Int) -> StepFigures {
    let done = Double(step) / Double(totalSteps)
    let accuracy = share(0.3 + 0.4 * (1 - exp(-3 * done)) + 0.04 * normal())
    let format = share(0.85 + 0.12 * done + 0.015 * normal() - 0.005)
    let length = 420 + 260 * done + 25 * normal()
    let right = share(0.1 + 0.2 * done + 0.05 * normal())
    let wrong = share(0.35 - 0.2 * done + 0.05 * normal())
    let tokens = Int(length * 512)
    return StepFigures(
      step: step, totalSteps: totalSteps, questions: 32, answers: 512, failedRewards: 0,
      reward: .init(mean: accuracy + 0.5 * format, deviation: 0.5 + 0.02 * normal()),
      rewards: [
        "accuracy": .init(mean: accuracy, deviation: (accuracy * (1 - accuracy)).squareRoot()),
        "format": .init(mean: format, deviation: (format * (1 - format)).squareRoot()),
      ],
      shareWithoutSignal: share(right + wrong + 0.02), shareAllRight: right, shareAllWrong: wrong,
      length: .init(mean: length, deviation: 180), longest: 1024,
      shareCut: share(0.04 + 0.02 * normal()),
      shareClosed: share(0.93 + 0.02 * normal()),
      entropy: 0.45 * exp(-0.8 * done) * exp(0.06 * normal()),
      kl: 0.06 * done * exp(0.15 * normal()),
      shareClipped: share(0.01 + 0.004 * normal()), firstRatioError: 0,
      loss: 1e-17 * normal(), gradientNorm: 0.3 * exp(0.35 * normal()),
      learningRate: 2e-6, updates: 4, skipped: [], sampledTokens: tokens,
      trainedTokens: tokens + 512 * 90, samplingSeconds: 240 + 20 * noise.uniform(),
      judgingSeconds: 6 + noise.uniform(), updatingSeconds: 150 + 10 * noise.uniform(),
      memoryBytes: 9_000_000_000)
  }

  /// A held-out evaluation of 200 problems after a step.
  mutating func evaluation(_ step: Int) -> EvaluationFigures {
    let done = Double(step) / Double(totalSteps)
    return EvaluationFigures(
      step: step, problems: 200, samplesPerProblem: 4,
      accuracy: share(0.28 + 0.3 * (1 - exp(-3 * done)) + 0.015 * normal()), interval: 0.055,
      length: 430 + 240 * done, shareCut: 0.05, seconds: 90)
  }
}
