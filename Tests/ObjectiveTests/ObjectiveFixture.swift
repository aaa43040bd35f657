import Foundation
import Reinforcement

/// What `Tests/Fixtures/grpo/generate.py` wrote.
struct ObjectiveFixture: Decodable {
  struct Rule: Decodable {
    let scale: AdvantageRule.Scale
    let deviation: AdvantageRule.Deviation
    let epsilon: Double
    let advantages: [[Double?]]
  }

  struct Answers: Decodable {
    let tokens: [Int]
    let isCut: [Bool]
    let logProbabilities: [[Double]]
    let sampled: [[Double]]
    let reference: [[Double]]
    let advantages: [Double]
  }

  struct Case: Decodable {
    let normalization: PolicyObjective.Normalization
    let clipLow: Double
    let clipHigh: Double
    let klCoefficient: Double
    let leavesOutCutAnswers: Bool
    let loss: Double
    let derivatives: [[Double]]
    let kl: Double
    let shareClipped: Double
  }

  let rewards: [[Double?]]
  let rules: [Rule]
  let maxTokens: Int
  let data: Answers
  let cases: [Case]

  static func read() throws -> ObjectiveFixture {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/grpo/objective.json")
    return try JSONDecoder().decode(ObjectiveFixture.self, from: try Data(contentsOf: file))
  }
}
