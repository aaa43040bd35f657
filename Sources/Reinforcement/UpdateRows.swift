import Datasets
import Models
import Tensors
import Training

/// An answer that is learned from.
struct LearnedAnswer {
  let rollout: Rollout
  let advantage: Double
  /// The factor of each of its tokens, over the whole update.
  let share: Double

  /// The tokens that go through the model: the last is only a target.
  var tokens: [Int32] { rollout.prompt + rollout.tokens.dropLast() }
  var length: Int { rollout.prompt.count + rollout.tokens.count - 1 }
}

/// The answers of an update, packed into rows.
struct UpdateRows {
  let sequences: [TrainingSequence]
  /// What each token of each row needs for its term; nil where nothing is learned.
  private let facts: [[Fact?]]

  private struct Fact {
    var sampled: Float
    var advantage: Double
    var share: Double
  }

  /// - Parameter rowTokens: The length of a row; a longer answer has one of its own.
  init(_ answers: [LearnedAnswer], rowTokens: Int) {
    let short = answers.filter { $0.length <= rowTokens }
    let long = answers.filter { $0.length > rowTokens }
    let lengths = short.map(\.length)
    // Room for all of them is enough.
    let room = max(1, min(rowTokens, lengths.reduce(0, +)))
    let packing = Packing(lengths, contextLength: room, method: .bestFit)
    let rows = packing.rows.map { $0.map { short[$0] } } + long.map { [$0] }
    sequences = rows.map { row in
      TrainingSequence(
        PackedTokens(row.flatMap(\.tokens), documents: row.map(\.length)),
        targets: row.flatMap { answer in
          [Int32](repeating: -1, count: answer.rollout.prompt.count - 1) + answer.rollout.tokens
        }, sources: row.map { _ in 0 })
    }
    facts = rows.map { row in
      row.flatMap { answer -> [Fact?] in
        [Fact?](repeating: nil, count: answer.rollout.prompt.count - 1)
          + answer.rollout.logProbabilities.map {
            Fact(sampled: $0, advantage: answer.advantage, share: answer.share)
          }
      }
    }
  }

  /// The term of a token, from its log-probability now and by the reference.
  private func term(
    _ row: Int, _ token: Int, _ logProbability: Float, _ reference: [[Float]]?,
    _ objective: PolicyObjective
  ) -> PolicyTerm? {
    facts[row][token].map { fact in
      objective.term(
        logProbability: Double(logProbability), sampled: Double(fact.sampled),
        reference: reference.map { Double($0[row][token]) }, advantage: fact.advantage,
        share: fact.share)
    }
  }

  /// What a step of training minimizes.
  func objective(
    _ objective: PolicyObjective, reference: [[Float]]?, temperature: Double
  ) -> TokenObjective {
    TokenObjective(temperature: temperature) { row, token, logProbability in
      guard let term = term(row, token, logProbability, reference, objective) else {
        return TokenObjective.Term(loss: 0, weight: 0)
      }
      return TokenObjective.Term(loss: term.loss, weight: term.weight)
    }
  }

  /// The figures of an update, from the log-probabilities it began with.
  func figures(
    _ objective: PolicyObjective, logProbabilities: [[Float]], reference: [[Float]]?
  ) -> PolicyFigures {
    var figures = PolicyFigures()
    for row in facts.indices {
      for token in facts[row].indices {
        if let term = term(row, token, logProbabilities[row][token], reference, objective) {
          figures.add(term)
        }
      }
    }
    return figures
  }
}
