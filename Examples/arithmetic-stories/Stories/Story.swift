/// A problem: a chain told in words, and how it is solved.
public struct Story: Equatable, Sendable {
  public let chain: Chain
  public let question: String
  /// The equations of all steps, a line each.
  public let trace: String

  /// Words for a chain.
  ///
  /// A story has one person with a name of one pronoun and another with the other's, so that "He" and
  /// "She" can mean one of them only.
  init(_ chain: Chain, _ draws: inout Draws) {
    self.chain = chain
    let isHe = draws.isTrue()
    let name = draws.element(of: isHe ? Self.hisNames : Self.herNames)
    let other = draws.element(of: isHe ? Self.herNames : Self.hisNames)
    let things = draws.element(of: Self.things)
    var sentences = ["\(name) has \(chain.start) \(things)."]
    var equations: [String] = []
    for (value, step) in zip(chain.values, chain.steps) {
      let words = Words(
        name: name, other: other, pronoun: isHe ? "He" : "She", operand: step.operand)
      sentences.append(words.sentence(step, &draws))
      equations.append(step.equation(from: value, &draws))
    }
    sentences.append(
      draws.element(of: [
        "How many \(things) does \(name) have now?", "How many \(things) are left with \(name)?",
      ]))
    question = sentences.joined(separator: " ")
    trace = equations.joined(separator: "\n")
  }

  /// A story of as many steps as one of `steps`, all equally likely.
  init(steps: ClosedRange<Int>, of split: Split, _ draws: inout Draws) {
    let count = draws.number(in: steps)
    self.init(Chain.random(steps: count, of: split, &draws), &draws)
  }

  public var answer: String { "\(chain.answer)" }
  /// An answer without thought.
  public var directAnswer: String { "\\boxed{\(answer)}" }
  /// An answer as the teacher gives it.
  public var tracedAnswer: String { "<think>\n\(trace)\n</think>\n\n\(directAnswer)" }

  private static let hisNames = ["Tom", "Ben", "Sam", "Max", "Leo"]
  private static let herNames = ["Mia", "Ann", "Eva", "Zoe", "Lily"]
  private static let things = [
    "apples", "pens", "books", "coins", "cards", "shells", "stamps", "marbles",
  ]
}

/// Who does what in a story.
private struct Words {
  let name: String
  let other: String
  let pronoun: String
  let operand: Int

  func sentence(_ step: Step, _ draws: inout Draws) -> String {
    switch step.operation {
    case .plus:
      draws.element(of: [
        "\(pronoun) buys \(operand) more.", "\(pronoun) finds \(operand) more.",
        "\(other) gives \(name) \(operand) more.", "Then \(lowercase) wins \(operand) more.",
      ])
    case .minus:
      draws.element(of: [
        "\(pronoun) gives \(operand) to \(other).", "\(pronoun) loses \(operand).",
        "Then \(lowercase) sells \(operand).", "\(other) takes \(operand) away.",
      ])
    case .times where operand == 2:
      draws.element(of: [
        "Then \(lowercase) doubles the pile.", "\(other) gives \(name) as many again.",
      ])
    case .times: "Then \(lowercase) triples the pile."
    case .over:
      draws.element(of: [
        "\(pronoun) gives half to \(other).", "Then half of the pile is lost.",
      ])
    }
  }

  private var lowercase: String { pronoun == "He" ? "he" : "she" }
}

extension Step {
  /// The step as an equation, in one of the ways to write it: sums in either order, multiples as
  /// products or as sums. Several samples of one problem are so several traces.
  func equation(from value: Int, _ draws: inout Draws) -> String {
    let result = applied(to: value)
    let isUsual = draws.isTrue()
    return switch operation {
    case .plus: isUsual ? "\(value)+\(operand)=\(result)" : "\(operand)+\(value)=\(result)"
    case .times where !isUsual:
      [String](repeating: "\(value)", count: operand).joined(separator: "+") + "=\(result)"
    default: "\(value)\(operation.rawValue)\(operand)=\(result)"
    }
  }
}

/// Equations without a story, from which the arithmetic is learned.
struct FactSheet {
  static let lines = 6
  let text: String

  init(_ draws: inout Draws) {
    text = (0..<Self.lines).map { _ in
      // The second step's value is spread as those within stories are.
      let chain = Chain.random(steps: 2, &draws)
      let place = draws.number(in: 0...1)
      return chain.steps[place].equation(from: chain.values[place], &draws)
    }.joined(separator: "\n")
  }
}
