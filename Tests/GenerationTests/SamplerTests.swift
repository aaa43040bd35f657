import CKernels
import Foundation
import Tensors
import XCTest

@testable import Generation

/// Tokens drawn against probabilities computed the plain way, by sorting.
final class SamplerTests: XCTestCase {
  private let cases: [(name: String, settings: SamplingSettings)] = [
    ("plain", SamplingSettings()),
    ("cool", SamplingSettings(temperature: 0.6)),
    ("hot", SamplingSettings(temperature: 2.5)),
    ("top-k", SamplingSettings(topK: 5)),
    ("top-k of one", SamplingSettings(topK: 1)),
    ("top-k of all", SamplingSettings(topK: 1_000_000)),
    ("top-p", SamplingSettings(topP: 0.8)),
    ("top-p of nearly nothing", SamplingSettings(topP: 1e-9)),
    ("top-p of nearly all", SamplingSettings(topP: 0.999999)),
    ("min-p", SamplingSettings(minP: 0.1)),
    ("min-p of the best alone", SamplingSettings(minP: 1)),
    ("penalty", SamplingSettings(repetitionPenalty: 1.7)),
    (
      "everything",
      SamplingSettings(temperature: 0.7, topP: 0.9, topK: 11, minP: 0.02, repetitionPenalty: 1.3)
    ),
    ("top-k, then top-p", SamplingSettings(topP: 0.7, topK: 4)),
  ]

  /// What transformers' processors make of logits, one after another, in Double.
  private func probabilities(
    _ logits: [Float], _ settings: SamplingSettings, occurred: [Int32]
  ) -> [Double] {
    var x = logits.map(Double.init)
    if settings.repetitionPenalty != 1 {
      for token in occurred {
        let logit = x[Int(token)]
        x[Int(token)] =
          logit < 0 ? logit * settings.repetitionPenalty : logit / settings.repetitionPenalty
      }
    }
    func softmax() -> [Double] {
      let high = x.max() ?? 0
      let e = x.map { exp($0 - high) }
      let sum = e.reduce(0, +)
      return e.map { $0 / sum }
    }
    x = x.map { $0 / settings.temperature }
    if settings.topK > 0, settings.topK < x.count {
      let least = x.sorted(by: >)[settings.topK - 1]
      x = x.map { $0 < least ? -.infinity : $0 }
    }
    if settings.topP < 1 {
      let p = softmax()
      var sum = 0.0
      var least = 1.0
      for value in p.sorted(by: >) {
        least = value
        sum += value
        if sum >= settings.topP { break }
      }
      x = zip(x, p).map { $1 < least ? -.infinity : $0 }
    }
    let p = softmax()
    let high = p.max() ?? 0
    x = zip(x, p).map { $1 < settings.minP * high ? -.infinity : $0 }
    return softmax()
  }

  private func choose(
    _ sampler: Sampler, _ logits: [Float], occurred: [Int32], uniform: Double, forced: Int32? = nil
  ) -> Sampler.Choice? {
    var row = logits
    // What scratch memory held before must not matter.
    var scratch = [Float](repeating: .nan, count: Sampler.scratchCount(logits.count))
    return row.withUnsafeMutableBufferPointer { row in
      scratch.withUnsafeMutableBufferPointer { scratch in
        guard let row = row.baseAddress, let scratch = scratch.baseAddress else { return nil }
        return sampler.choose(
          from: row, count: logits.count, occurred: occurred, forced: forced, uniform: uniform,
          scratch: scratch)
      }
    }
  }

  private func logits(_ count: Int, _ seed: UInt64) -> [Float] {
    let stream = RandomStream(seed: seed, "logits")
    return (0..<count).map { Float(stream.normal($0) * 2) }
  }

  /// Uniform numbers that are spread evenly give each token its share, to the count.
  func testEveryTokenHasItsShare() {
    for count in [13, 29, 4099] {
      let logits = logits(count, UInt64(count))
      let occurred: [Int32] = [0, 3, 5, 12]
      for (name, settings) in cases {
        let expected = probabilities(logits, settings, occurred: occurred)
        let sampler = Sampler(settings: settings, reported: .model)
        let draws = count > 100 ? 2000 : 5000
        var counts = [Int](repeating: 0, count: count)
        for draw in 0..<draws {
          let uniform = (Double(draw) + 0.5) / Double(draws)
          guard let choice = choose(sampler, logits, occurred: occurred, uniform: uniform) else {
            return XCTFail("\(name): nothing chosen")
          }
          counts[Int(choice.token)] += 1
        }
        for token in 0..<count {
          if expected[token] == 0 {
            XCTAssertEqual(counts[token], 0, "\(name), \(count): \(token) was dropped")
          } else {
            XCTAssertEqual(
              Double(counts[token]), expected[token] * Double(draws), accuracy: 1.05,
              "\(name), \(count): token \(token)")
          }
        }
      }
    }
  }

  /// The same with random numbers as the engine draws them, by the χ² test.
  func testRandomNumbers() {
    let logits = logits(29, 7)
    for (name, settings) in cases {
      let expected = probabilities(logits, settings, occurred: [1, 2])
      let sampler = Sampler(settings: settings, reported: .model)
      var counts = [Int](repeating: 0, count: 29)
      for draw in 0..<12_000 {
        // Many samples of a prompt, some tokens of each.
        let stream = RandomStream(seed: 5, "sampling", 77, draw / 100)
        guard
          let choice = choose(
            sampler, logits, occurred: [1, 2], uniform: stream.uniform(draw % 100))
        else { return XCTFail(name) }
        counts[Int(choice.token)] += 1
      }
      // Tokens that are rare are counted together, and those that are dropped never come.
      var cells: [(mean: Double, count: Int)] = []
      var rare = (mean: 0.0, count: 0)
      for token in expected.indices {
        let mean = expected[token] * 12_000
        if mean == 0 { XCTAssertEqual(counts[token], 0, name) }
        if mean >= 8 {
          cells.append((mean, counts[token]))
        } else {
          rare = (rare.mean + mean, rare.count + counts[token])
        }
      }
      if rare.mean >= 8 { cells.append(rare) }
      let chi = cells.reduce(0.0) { sum, cell in
        sum + (Double(cell.count) - cell.mean) * (Double(cell.count) - cell.mean) / cell.mean
      }
      // Beyond five standard deviations of the distribution, whose mean is its degrees of freedom.
      let freedom = Double(cells.count - 1)
      XCTAssertLessThanOrEqual(chi, freedom + 5 * (2 * freedom).squareRoot() + 1e-9, name)
    }
  }

  func testALargeVocabulary() {
    let logits = logits(151_936, 3)
    for (name, settings) in cases {
      let expected = probabilities(logits, settings, occurred: [9])
      let sampler = Sampler(settings: settings, reported: .model)
      var sum = 0.0
      let ends = expected.map { p -> Double in
        sum += p
        return sum
      }
      for draw in 0..<20 {
        let uniform = (Double(draw) + 0.5) / 20
        guard let choice = choose(sampler, logits, occurred: [9], uniform: uniform) else {
          return XCTFail(name)
        }
        let token = Int(choice.token)
        XCTAssertGreaterThan(expected[token], 0, "\(name): \(token) was dropped")
        // Its stretch of the unit interval holds the number, but for rounding.
        XCTAssertGreaterThan(ends[token], uniform - 1e-5, name)
        XCTAssertLessThan(token > 0 ? ends[token - 1] : 0, uniform + 1e-5, name)
      }
    }
  }

  func testEnds() {
    let logits = logits(101, 5)
    for (name, settings) in cases {
      let expected = probabilities(logits, settings, occurred: [])
      let sampler = Sampler(settings: settings, reported: .model)
      let first = choose(sampler, logits, occurred: [], uniform: 0)
      let last = choose(sampler, logits, occurred: [], uniform: 1 - 0x1p-53)
      XCTAssertEqual(first.map { Int($0.token) }, expected.firstIndex { $0 > 0 }, name)
      XCTAssertEqual(last.map { Int($0.token) }, expected.lastIndex { $0 > 0 }, name)
    }
  }

  /// What is exactly as probable as the last token kept is kept too.
  func testTies() {
    let logits: [Float] = [1, 3, 2, 2, 2, -.infinity, 0]
    func kept(_ settings: SamplingSettings) -> Set<Int32> {
      let sampler = Sampler(settings: settings, reported: .model)
      return Set(
        (0..<500).compactMap {
          choose(sampler, logits, occurred: [], uniform: (Double($0) + 0.5) / 500)?.token
        })
    }
    XCTAssertEqual(kept(SamplingSettings()), [0, 1, 2, 3, 4, 6])
    XCTAssertEqual(kept(SamplingSettings(topK: 1)), [1])
    XCTAssertEqual(kept(SamplingSettings(topK: 2)), [1, 2, 3, 4])
    XCTAssertEqual(kept(SamplingSettings(topK: 4)), [1, 2, 3, 4])
    XCTAssertEqual(kept(SamplingSettings(topK: 5)), [0, 1, 2, 3, 4])
    // e³ is 0.43 of the whole.
    XCTAssertEqual(kept(SamplingSettings(topP: 0.4)), [1])
    XCTAssertEqual(kept(SamplingSettings(topP: 0.5)), [1, 2, 3, 4])
    XCTAssertEqual(kept(SamplingSettings(minP: 0.36)), [1, 2, 3, 4])
    XCTAssertEqual(kept(SamplingSettings(minP: 0.37)), [1])
  }

  func testGreedyTakesTheFirstOfEquals() {
    let sampler = Sampler(settings: .greedy, reported: .model)
    XCTAssertEqual(choose(sampler, [1, 5, 5, 2], occurred: [], uniform: 0.9)?.token, 1)
    let penalized = Sampler(
      settings: SamplingSettings(temperature: 0, repetitionPenalty: 1.5), reported: .model)
    XCTAssertEqual(choose(penalized, [1, 5, 5, 2], occurred: [1], uniform: 0.9)?.token, 2)
    XCTAssertEqual(choose(penalized, [-1, -1.2], occurred: [0], uniform: 0.9)?.token, 1)
  }

  func testReportedProbabilities() {
    let logits = logits(997, 8)
    let logSumExp = kernels.log_sum_exp(logits, 997)
    for (name, settings) in cases {
      let model = Sampler(settings: settings, reported: .model)
      let tempered = Sampler(settings: settings, reported: .tempered)
      // Behind penalty and temperature, with nothing dropped.
      var plain = settings
      (plain.topP, plain.topK, plain.minP) = (1, 0, 0)
      let expected = probabilities(logits, plain, occurred: [4, 700])
      for (draw, forced) in [(0, nil), (1, nil), (2, nil), (3, Int32(4)), (4, 700), (5, 31)] {
        let uniform = Double(draw) / 7
        let choice = choose(
          model, logits, occurred: [4, 700], uniform: uniform, forced: forced)
        guard let choice else { return XCTFail(name) }
        if let forced { XCTAssertEqual(choice.token, forced) }
        XCTAssertEqual(
          choice.logProbability.bitPattern, (logits[Int(choice.token)] - logSumExp).bitPattern, name
        )
        let other = choose(
          tempered, logits, occurred: [4, 700], uniform: uniform, forced: forced)
        XCTAssertEqual(other?.token, choice.token, name)
        XCTAssertEqual(
          Double(other?.logProbability ?? .nan), log(expected[Int(choice.token)]), accuracy: 2e-5,
          name)
      }
    }
  }

  func testBrokenLogits() {
    for broken in [Float.nan, .infinity] {
      for (name, settings) in cases + [("greedy", .greedy)] {
        for reported in ReportedProbabilities.allCases {
          let sampler = Sampler(settings: settings, reported: reported)
          XCTAssertNil(
            choose(sampler, [1, broken, 2], occurred: [0], uniform: 0.5), "\(name) \(broken)")
        }
      }
    }
    let sampler = Sampler(settings: SamplingSettings(), reported: .model)
    XCTAssertNil(choose(sampler, [-.infinity, -.infinity], occurred: [], uniform: 0.5))
    XCTAssertEqual(choose(sampler, [-.infinity, 3], occurred: [], uniform: 0)?.token, 1)
  }

  func testRefusedSettings() {
    for (settings, words) in [
      (
        SamplingSettings(temperature: -1),
        "'temperature' is -1.0; it must be 0, for the most probable token, or from 0.001."
      ),
      (
        SamplingSettings(temperature: .nan),
        "'temperature' is nan; it must be 0, for the most probable token, or from 0.001."
      ),
      (SamplingSettings(temperature: 1001), "'temperature' is 1001.0; it must be at most 1000."),
      (SamplingSettings(topP: 0), "'topP' is 0.0; it must be above 0 and at most 1."),
      (SamplingSettings(topP: 1.1), "'topP' is 1.1; it must be above 0 and at most 1."),
      (SamplingSettings(topK: -1), "'topK' is -1; it must be 0, for all tokens, or more."),
      (SamplingSettings(minP: 1.5), "'minP' is 1.5; it must be from 0 to 1."),
      (
        SamplingSettings(repetitionPenalty: 0),
        "'repetitionPenalty' is 0.0; it must be from 0.01 to 100, and 1 does nothing."
      ),
    ] {
      XCTAssertThrowsError(try settings.check()) { XCTAssertEqual("\($0)", words) }
    }
    XCTAssertNoThrow(try SamplingSettings.greedy.check())
  }
}
