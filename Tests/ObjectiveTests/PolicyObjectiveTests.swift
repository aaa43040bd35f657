import Foundation
import Reinforcement
import XCTest

final class PolicyObjectiveTests: XCTestCase {
  // MARK: - Shares

  private let sizes = [
    PolicyObjective.AnswerSize(tokens: 2, isCut: false), .init(tokens: 5, isCut: true),
    .init(tokens: 3, isCut: false),
  ]

  private func shares(
    _ normalization: PolicyObjective.Normalization, leavesOut: Bool = false
  ) -> [Double] {
    PolicyObjective(normalization: normalization, leavesOutCutAnswers: leavesOut)
      .shares(of: sizes, maxTokens: 7)
  }

  func testShares() {
    XCTAssertEqual(shares(.answer), [1 / 6, 1 / 15, 1 / 9])
    XCTAssertEqual(shares(.token), [0.1, 0.1, 0.1])
    XCTAssertEqual(shares(.constant), [1 / 21, 1 / 21, 1 / 21])
  }

  /// An answer that is left out is one of no tokens.
  func testSharesWithoutCutAnswers() {
    XCTAssertEqual(shares(.answer, leavesOut: true), [1 / 6, 0, 1 / 9])
    XCTAssertEqual(shares(.token, leavesOut: true), [0.2, 0, 0.2])
    XCTAssertEqual(shares(.constant, leavesOut: true), [1 / 21, 0, 1 / 21])
  }

  func testSharesOfNothing() {
    for normalization in PolicyObjective.Normalization.allCases {
      let objective = PolicyObjective(normalization: normalization)
      XCTAssertEqual(objective.shares(of: [], maxTokens: 7), [])
      XCTAssertEqual(
        objective.shares(of: [.init(tokens: 0, isCut: false)], maxTokens: 7), [0])
      XCTAssertEqual(
        objective.shares(of: [.init(tokens: -1, isCut: false)], maxTokens: 0), [0])
    }
  }

  /// With every normalization, an update whose tokens have J = 1 has a loss of -1, cut or not, where
  /// all answers are as long as the limit.
  func testSharesAddUpToOne() {
    let full = [PolicyObjective.AnswerSize](repeating: .init(tokens: 7, isCut: false), count: 3)
    for normalization in PolicyObjective.Normalization.allCases {
      let shares = PolicyObjective(normalization: normalization).shares(of: full, maxTokens: 7)
      XCTAssertEqual(shares.reduce(0) { $0 + 7 * $1 }, 1, accuracy: 1e-15)
    }
  }

  // MARK: - Terms

  private let objective = PolicyObjective(clipLow: 0.25, clipHigh: 0.5, klCoefficient: 0.3)

  private func term(
    _ objective: PolicyObjective, ratio: Double, reference: Double? = nil, advantage: Double,
    share: Double = 1
  ) -> PolicyTerm {
    objective.term(
      logProbability: -2, sampled: -2 - log(ratio), reference: reference, advantage: advantage,
      share: share)
  }

  func testOnPolicyIsExact() {
    for l in [-1e-9, -0.1, -3.7, -41.3, 0] {
      let term = objective.term(
        logProbability: l, sampled: l, reference: l, advantage: 0.7, share: 0.125)
      XCTAssertEqual(term.ratio, 1)
      XCTAssertEqual(term.kl, 0)
      XCTAssertFalse(term.isClipped)
      XCTAssertEqual(term.loss, -0.125 * 0.7)
      XCTAssertEqual(term.derivative, -0.125 * 0.7)
      XCTAssertEqual(term.weight, Float(0.125 * 0.7))
    }
  }

  func testTheFourSidesOfTheClip() {
    let plain = PolicyObjective(clipLow: 0.25, clipHigh: 0.5, klCoefficient: 0)
    let good = term(plain, ratio: 2, advantage: 3, share: 0.5)
    XCTAssertTrue(good.isClipped)
    XCTAssertEqual(good.loss, -0.5 * 1.5 * 3)
    XCTAssertEqual(good.derivative, 0)
    let bad = term(plain, ratio: 0.5, advantage: -3, share: 0.5)
    XCTAssertTrue(bad.isClipped)
    XCTAssertEqual(bad.loss, 0.5 * 0.75 * 3)
    XCTAssertEqual(bad.derivative, 0)
    // What the policy already does against the advantage is not clipped.
    let late = term(plain, ratio: 0.5, advantage: 3, share: 0.5)
    XCTAssertFalse(late.isClipped)
    XCTAssertEqual(late.loss, -0.5 * 0.5 * 3, accuracy: 1e-15)
    XCTAssertEqual(late.derivative, -0.5 * 0.5 * 3, accuracy: 1e-15)
    let worse = term(plain, ratio: 2, advantage: -3, share: 0.5)
    XCTAssertFalse(worse.isClipped)
    XCTAssertEqual(worse.loss, 0.5 * 2 * 3, accuracy: 1e-14)
    XCTAssertEqual(worse.derivative, 0.5 * 2 * 3, accuracy: 1e-14)
    // Each side has its own bound.
    XCTAssertFalse(term(plain, ratio: 1.4, advantage: 1).isClipped)
    XCTAssertFalse(term(plain, ratio: 0.8, advantage: -1).isClipped)
    XCTAssertTrue(term(plain, ratio: 1.51, advantage: 1).isClipped)
    XCTAssertTrue(term(plain, ratio: 0.74, advantage: -1).isClipped)
    for ratio in [0.01, 0.9, 1, 1.1, 100] {
      let term = term(plain, ratio: ratio, advantage: 0)
      XCTAssertFalse(term.isClipped)
      XCTAssertEqual(term.loss, 0)
      XCTAssertEqual(term.derivative, 0)
    }
  }

  func testTheDivergence() {
    let term = objective.term(
      logProbability: -2, sampled: -2, reference: -2 + log(3), advantage: 0, share: 1)
    XCTAssertEqual(term.kl, 3 - log(3) - 1, accuracy: 1e-15)
    XCTAssertEqual(term.loss, 0.3 * (2 - log(3)), accuracy: 1e-15)
    // The reference finds the token likelier: its probability must rise, the loss fall with it.
    XCTAssertEqual(term.derivative, -0.3 * 2, accuracy: 1e-15)
    XCTAssertEqual(term.weight, 0.6)
    // Small distances keep their digits, and none makes it negative.
    for distance in [1e-7, -1e-7, 1e-11, -1e-11, 1e-300] {
      let small = objective.term(
        logProbability: 0, sampled: 0, reference: distance, advantage: 0, share: 1)
      XCTAssertGreaterThanOrEqual(small.kl, 0)
      let square = distance * distance / 2
      XCTAssertEqual(small.kl, square * (1 + distance / 3), accuracy: 1e-22)
      XCTAssertEqual(
        small.derivative, -0.3 * (distance + square), accuracy: 1e-13 * distance.magnitude)
    }
  }

  /// (loss(l + h) − loss(l − h)) / 2h, for every branch, away from the corners.
  func testDerivativesByFiniteDifferences() {
    let h = 1e-5
    var branches = Set<String>()
    for (low, high, beta) in [(0.2, 0.2, 0.0), (0.2, 0.28, 0.04), (0.3, 0.1, 1.5)] {
      let objective = PolicyObjective(clipLow: low, clipHigh: high, klCoefficient: beta)
      for advantage in [-1.7, -0.2, 0, 0.3, 2.1] {
        for distance in [-1.3, -0.37, -0.15, 0, 0.05, 0.17, 0.31, 1.9] {
          for reference in [nil, -3.1, -1.25, -0.4] as [Double?] {
            func at(_ l: Double) -> PolicyTerm {
              objective.term(
                logProbability: l, sampled: -1.25 - distance, reference: reference,
                advantage: advantage, share: 0.37)
            }
            let term = at(-1.25)
            let numeric = (at(-1.25 + h).loss - at(-1.25 - h).loss) / (2 * h)
            XCTAssertEqual(
              term.derivative, numeric, accuracy: 1e-8,
              "\(objective) A \(advantage) l − l_old \(distance) ref \(reference ?? 0)")
            XCTAssertEqual(term.weight, Float(-term.derivative))
            branches.insert("\(advantage > 0) \(advantage < 0) \(term.isClipped)")
          }
        }
      }
    }
    XCTAssertEqual(branches.count, 5)
  }

  // MARK: - Numbers that are none

  func testRatiosBeyondMeasure() {
    let plain = PolicyObjective(klCoefficient: 0)
    func term(_ l: Double, _ sampled: Double, _ advantage: Double) -> PolicyTerm {
      plain.term(logProbability: l, sampled: sampled, advantage: advantage, share: 0.5)
    }
    // A good answer: the clip bounds it.
    let good = term(0, -200, 1)
    XCTAssertTrue(good.isClipped)
    XCTAssertEqual(good.loss, -0.5 * 1.2)
    XCTAssertEqual(good.weight, 0)
    XCTAssertEqual(good.ratio, exp(200))
    // A bad one: the gradient's norm shows it.
    let bad = term(0, -200, -1)
    XCTAssertFalse(bad.isClipped)
    XCTAssertEqual(bad.loss, 0.5 * exp(200))
    XCTAssertEqual(bad.weight, -.infinity)
    XCTAssertEqual(term(0, -800, -1).loss, .infinity)
    XCTAssertTrue(term(0, -800, 0).loss.isNaN)
    // The other way there is nothing to bound.
    XCTAssertEqual(term(-200, 0, 1).weight, Float(0.5 * exp(-200)))
    XCTAssertEqual(term(-200, 0, -1).loss, 0.5 * 0.8)
    XCTAssertTrue(term(-200, 0, -1).isClipped)
  }

  func testWhatIsNoNumberStaysNone() {
    for bad in [Double.nan, .infinity, -.infinity] {
      for place in 0..<5 {
        for advantage in [-1.0, 0, 1] {
          func value(_ index: Int, _ good: Double) -> Double { index == place ? bad : good }
          let term = objective.term(
            logProbability: value(0, -1), sampled: value(1, -1), reference: value(2, -1),
            advantage: value(3, advantage), share: value(4, 1))
          XCTAssertTrue(term.loss.isNaN && term.derivative.isNaN && term.weight.isNaN)
          XCTAssertTrue(term.ratio.isNaN && term.kl.isNaN)
        }
      }
    }
  }

  // MARK: - Against TRL

  func testAgainstTRL() throws {
    let fixture = try ObjectiveFixture.read()
    let data = fixture.data
    XCTAssertEqual(fixture.cases.count, 9)
    XCTAssertTrue(data.isCut.contains(true))
    let sizes = zip(data.tokens, data.isCut).map {
      PolicyObjective.AnswerSize(tokens: $0, isCut: $1)
    }
    var compared = 0
    for expected in fixture.cases {
      let objective = PolicyObjective(
        normalization: expected.normalization, clipLow: expected.clipLow,
        clipHigh: expected.clipHigh, klCoefficient: expected.klCoefficient,
        leavesOutCutAnswers: expected.leavesOutCutAnswers)
      let shares = objective.shares(of: sizes, maxTokens: fixture.maxTokens)
      var figures = PolicyFigures()
      for (i, rows) in data.logProbabilities.enumerated() {
        for (t, l) in rows.enumerated() {
          let term = objective.term(
            logProbability: l, sampled: data.sampled[i][t],
            reference: objective.needsReference ? data.reference[i][t] : nil,
            advantage: data.advantages[i], share: shares[i])
          XCTAssertEqual(
            term.derivative, expected.derivatives[i][t], accuracy: 1e-14,
            "\(expected.normalization) \(expected.clipHigh) answer \(i), token \(t)")
          compared += 1
          if shares[i] > 0 { figures.add(term) }
        }
      }
      XCTAssertEqual(figures.loss, expected.loss, accuracy: 1e-14)
      XCTAssertEqual(figures.kl, expected.kl, accuracy: 1e-14)
      XCTAssertEqual(figures.shareClipped, expected.shareClipped, accuracy: 1e-14)
      XCTAssertGreaterThan(figures.shareClipped, 0.1)
    }
    XCTAssertEqual(compared, 9 * data.tokens.reduce(0, +))
  }

  // MARK: - Figures and weights

  func testFigures() {
    var figures = PolicyFigures()
    XCTAssertEqual(figures.kl, 0)
    XCTAssertEqual(figures.shareClipped, 0)
    let weights = objective.weights(
      logProbabilities: [-1, -2, -3, -4], sampled: [-1, -2.25, -3.5, -4], reference: nil,
      advantage: 2, share: 0.25, addingTo: &figures)
    XCTAssertEqual(weights, [0.5, Float(0.5 * exp(0.25)), 0, 0.5])
    XCTAssertEqual(figures.tokens, 4)
    XCTAssertEqual(figures.clippedTokens, 1)
    XCTAssertEqual(figures.shareClipped, 0.25)
    XCTAssertEqual(figures.largestRatioError, exp(0.5) - 1)
    XCTAssertEqual(figures.loss, -(0.5 + 0.5 * exp(0.25) + 0.25 * 1.5 * 2 + 0.5), accuracy: 1e-15)
    var more = PolicyFigures()
    _ = objective.weights(
      logProbabilities: [-1], sampled: [-1], reference: [-1 + Float(log(2.0))], advantage: 2,
      share: 0.25, addingTo: &more)
    XCTAssertEqual(more.kl, 1 - log(2.0), accuracy: 1e-7)
    XCTAssertEqual(more.largestRatioError, 0)
    let loss = figures.loss + more.loss
    figures.add(more)
    XCTAssertEqual(figures.tokens, 5)
    XCTAssertEqual(figures.loss, loss)
    XCTAssertEqual(figures.kl, (1 - log(2.0)) / 5, accuracy: 1e-7)
    XCTAssertEqual(figures.largestRatioError, exp(0.5) - 1)
  }

  func testARatioThatIsNoneStays() {
    var figures = PolicyFigures()
    _ = objective.weights(
      logProbabilities: [.nan, -1], sampled: [-1, -3], advantage: 1, share: 1, addingTo: &figures)
    XCTAssertTrue(figures.largestRatioError.isNaN)
    var others = PolicyFigures()
    others.add(figures)
    XCTAssertTrue(others.largestRatioError.isNaN)
    XCTAssertTrue(others.loss.isNaN)
  }

  // MARK: - Recipe

  private func read(_ text: String) throws -> PolicyObjective {
    try JSONDecoder().decode(PolicyObjective.self, from: Data(text.utf8))
  }

  func testFromARecipe() throws {
    let standard = try read("{}")
    XCTAssertEqual(standard, PolicyObjective())
    XCTAssertEqual(standard.normalization, .answer)
    XCTAssertEqual(
      [standard.clipLow, standard.clipHigh, standard.klCoefficient], [0.2, 0.2, 0.001])
    XCTAssertFalse(standard.leavesOutCutAnswers)
    XCTAssertTrue(standard.needsReference)
    let text =
      #"{"normalization":"token","clipLow":0.1,"clipHigh":0.28,"klCoefficient":0,"#
      + #""leavesOutCutAnswers":true,"advantages":{"scale":"none"}}"#
    let other = try read(text)
    XCTAssertEqual(
      other,
      PolicyObjective(
        normalization: .token, clipLow: 0.1, clipHigh: 0.28, klCoefficient: 0,
        leavesOutCutAnswers: true, advantages: AdvantageRule(scale: .none)))
    XCTAssertFalse(other.needsReference)
    XCTAssertEqual(
      try JSONDecoder().decode(PolicyObjective.self, from: JSONEncoder().encode(other)), other)
    XCTAssertThrowsError(try read(#"{"normalization":"batch"}"#))
  }

  func testFindings() {
    XCTAssertEqual(PolicyObjective().findings, [])
    let bad = PolicyObjective(
      clipLow: 1, clipHigh: 0, klCoefficient: -1, advantages: AdvantageRule(epsilon: -0.5))
    XCTAssertEqual(
      bad.findings,
      [
        "The recipe: 'objective.clipLow' is 1.0; it must lie between 0 and 1.",
        "The recipe: 'objective.clipHigh' is 0.0; it must be above 0.",
        "The recipe: 'objective.klCoefficient' is -1.0; it must be 0 or above.",
        "The recipe: 'objective.advantages.epsilon' is -0.5; it must be 0 or above.",
      ])
    let none = PolicyObjective(
      clipLow: .nan, clipHigh: .infinity, klCoefficient: .nan,
      advantages: AdvantageRule(epsilon: .infinity))
    XCTAssertEqual(none.findings.count, 4)
  }
}
