/// What happens to a number at one step of a story.
public struct Step: Equatable, Sendable {
  public enum Operation: String, Sendable {
    case plus = "+"
    case minus = "-"
    case times = "*"
    case over = "/"
  }

  public var operation: Operation
  public var operand: Int

  public init(_ operation: Operation, _ operand: Int) {
    self.operation = operation
    self.operand = operand
  }

  func applied(to value: Int) -> Int {
    switch operation {
    case .plus: value + operand
    case .minus: value - operand
    case .times: value * operand
    case .over: value / operand
    }
  }
}

/// A number and what happens to it: a story without its words.
public struct Chain: Equatable, Sendable {
  public var start: Int
  public var steps: [Step]

  public init(start: Int, steps: [Step]) {
    self.start = start
    self.steps = steps
  }

  /// The number before each step.
  public var values: [Int] {
    var values = [start]
    for step in steps.dropLast() { values.append(step.applied(to: values[values.count - 1])) }
    return values
  }

  public var answer: Int { steps.reduce(start) { $1.applied(to: $0) } }

  /// The chain as text, such as `22-11-2*2`: what tells problems apart, whatever their words.
  public var key: String {
    steps.reduce("\(start)") { $0 + $1.operation.rawValue + "\($1.operand)" }
  }

  public var split: Split { Split(ofKey: key) }
}

/// What a chain may be used for, decided by its key alone: no file of one split can share a chain
/// with a file of another.
public enum Split: String, CaseIterable, Sendable {
  /// Of all that is trained on, and of problems that are sampled for training.
  case training
  /// On which settings are chosen.
  case development
  /// On which results are told.
  case test

  /// One chain in twenty is for development and one for the test, by its key's hash (FNV-1a, 64 bits).
  init(ofKey key: String) {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    switch hash % 20 {
    case 0: self = .development
    case 1: self = .test
    default: self = .training
    }
  }
}

extension Chain {
  /// Numbers lie between 1 and this: larger ones take small models too long to learn.
  static let largestValue = 60
  static let starts = 3...40
  /// Of additions and subtractions, from 2.
  static let largestOperand = 12

  /// A chain whose numbers stay from 1 to `largestValue`. Sums and differences are four times as
  /// likely as each of the others, where those are possible.
  static func random(steps count: Int, _ draws: inout Draws) -> Chain {
    var chain = Chain(start: draws.number(in: starts), steps: [])
    var value = chain.start
    for _ in 0..<count {
      var choices: [(weight: Int, step: Step)] = []
      if value + 2 <= largestValue { choices.append((4, Step(.plus, 0))) }
      if value >= 4 { choices.append((4, Step(.minus, 0))) }
      if value * 2 <= largestValue { choices.append((1, Step(.times, 2))) }
      if value * 3 <= largestValue { choices.append((1, Step(.times, 3))) }
      if value >= 4, value.isMultiple(of: 2) { choices.append((1, Step(.over, 2))) }
      var place = draws.number(in: 0...choices.reduce(-1) { $0 + $1.weight })
      var step = choices[0].step
      for choice in choices {
        step = choice.step
        place -= choice.weight
        if place < 0 { break }
      }
      switch step.operation {
      case .plus: step.operand = draws.number(in: 2...min(largestOperand, largestValue - value))
      case .minus: step.operand = draws.number(in: 2...min(largestOperand, value - 1))
      case .times, .over: break
      }
      chain.steps.append(step)
      value = step.applied(to: value)
    }
    return chain
  }

  /// A chain of a split: others are drawn again.
  static func random(steps: Int, of split: Split, _ draws: inout Draws) -> Chain {
    while true {
      let chain = random(steps: steps, &draws)
      if chain.split == split { return chain }
    }
  }
}
