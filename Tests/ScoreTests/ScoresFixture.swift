import Foundation

/// What `Tests/Fixtures/scores/generate.py` wrote.
struct ScoresFixture: Decodable {
  struct Elementary: Decodable {
    let exp: [[Double]]
    let log: [[Double]]
    let normal: [[Double]]
    let quantile: [[Double]]
  }

  struct Random: Decodable {
    let seed: UInt64
    let purpose: String
    let bits: [String]
    let below: [[Int]]
  }

  struct Pass: Decodable {
    let n: Int
    let c: Int
    let k: Int
    let value: Double
  }

  struct Draw: Decodable {
    let n: Int
    let c: Int
    let k: Int
    let atLeast: [Double]
  }

  struct Vote: Decodable {
    let right: [Int]
    let others: [Int]
    let silent: Int
    let ks: [Int]
    let values: [Double]
  }

  struct Wilson: Decodable {
    let successes: Int
    let trials: Int
    let confidence: Double
    let low: Double
    let high: Double
  }

  struct Resampling: Decodable {
    let values: [Double]
    let confidence: Double
    let seed: UInt64
    let resamples: Int
    let percentile: [Double]
    let biasCorrected: [Double]
  }

  struct Flips: Decodable {
    let differences: [Double]
    let denominator: Int
    let counted: Double
    let seed: UInt64
    let flips: Int
    let drawn: Double
  }

  struct Detectable: Decodable {
    let problems: Int
    let standardDeviation: Double
    let confidence: Double
    let power: Double
    let difference: Double
    let reached: Double
  }

  struct Rated: Decodable {
    let rating: Double
    let solved: Int
    let attempts: Int
  }

  struct Rating: Decodable {
    let problems: [Rated]
    let atLeast: Double?
    let atMost: Double?
    let rating: Double?
    let standardError: Double?
    let clusteredError: Double?
  }

  let elementary: Elementary
  let random: Random
  let passes: [Pass]
  let draws: [Draw]
  let votes: [Vote]
  let wilson: [Wilson]
  let bootstraps: [Resampling]
  let flips: [Flips]
  let detectable: [Detectable]
  let ratings: [Rating]

  static func read() throws -> ScoresFixture {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/scores/scores.json")
    return try JSONDecoder().decode(ScoresFixture.self, from: try Data(contentsOf: file))
  }
}
