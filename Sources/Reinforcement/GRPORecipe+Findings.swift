import Interface
import Problems

extension GRPORecipe {
  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] { findings(functions: []) }

  /// The same, where rewards written in Swift stand beside the recipe's.
  func findings(functions: [RewardFunction]) -> [String] {
    var found: [String] = []
    func check(_ holds: Bool, _ words: @autoclosure () -> String) {
      if !holds { found.append("The recipe: \(words())") }
    }
    func atLeastOne(_ value: Int, _ key: String) {
      check(value >= 1, "'\(key)' is \(value); it must be 1 at least.")
    }
    // So that products of them stay numbers.
    func atLeastOne(_ value: Int, _ key: String, most: Int) {
      atLeastOne(value, key)
      check(value <= most, "'\(key)' is \(value); it must be \(most) at most.")
    }
    check(!problems.isEmpty, "'problems' must name a file of problems.")
    for (number, source) in problems.enumerated() {
      check(source.limit ?? 1 >= 1, "'problems[\(number)].limit' must be 1 at least.")
    }
    found += prompt?.findings ?? []
    check(
      PolicyTemplate(template) != nil,
      "'template' must be 'chat', 'r1-zero', or a text that holds '{prompt}' once.")
    check(
      prefill.map { !$0.isEmpty } ?? true,
      "'prefill' is empty. Leave it out where answers begin with nothing.")
    atLeastOne(sampling.questionsPerStep, "sampling.questionsPerStep", most: 100_000)
    check(
      (2...Self.mostAnswers).contains(sampling.answersPerQuestion),
      "'sampling.answersPerQuestion' is \(sampling.answersPerQuestion); it must lie between 2, "
        + "since answers are compared with one another, and \(Self.mostAnswers).")
    check(
      sampling.temperature >= 0.001 && sampling.temperature <= 10,
      "'sampling.temperature' is \(sampling.temperature); it must be 0.001 at least, since at 0 all "
        + "answers would be the same, and 10 at most.")
    atLeastOne(sampling.maxTokens, "sampling.maxTokens")
    atLeastOne(sampling.sequences, "sampling.sequences", most: 1_000_000)
    atLeastOne(steps, "steps", most: 1_000_000_000)
    check(
      (1...Self.mostAnswers).contains(updates.minibatches),
      "'updates.minibatches' is \(updates.minibatches); it must lie between 1 and "
        + "\(Self.mostAnswers).")
    let answers = sampling.questionsPerStep.multipliedReportingOverflow(
      by: sampling.answersPerQuestion)
    check(
      answers.overflow || updates.minibatches <= max(1, answers.partialValue),
      "'updates.minibatches' is \(updates.minibatches), and a step has only "
        + "\(answers.partialValue) answers.")
    check(
      (1...100).contains(updates.passes),
      "'updates.passes' is \(updates.passes); it must lie between 1 and 100.")
    atLeastOne(updates.rowTokens, "updates.rowTokens", most: 10_000_000)
    found += rewards.findings(functions: functions)
    if let length = rewards.length {
      check(
        length.most - length.buffer < sampling.maxTokens,
        "'rewards.length' begins to act at \(length.most - length.buffer) tokens, and no answer has "
          + "more than 'sampling.maxTokens', \(sampling.maxTokens).")
    }
    found += objective.findings
    if let every = referenceEverySteps {
      atLeastOne(every, "referenceEverySteps")
      check(
        objective.klCoefficient > 0,
        "'referenceEverySteps' needs a reference, and 'objective.klCoefficient' is 0.")
    }
    if let filters {
      check(
        (0...100).contains(filters.resamplings ?? 0),
        "'filters.resamplings' is \(filters.resamplings ?? 0); it must lie between 0 and 100.")
      if let band = filters.passRate {
        check(
          band.min >= 0 && band.max <= 1 && band.min <= band.max,
          "'filters.passRate' must go from a 'min' of 0 or more to a 'max' of 1 or less.")
        check(
          rewards.accuracy != nil,
          "'filters.passRate' needs the reward 'accuracy', which tells right answers.")
      }
    }
    if let evaluation {
      check(!evaluation.problems.isEmpty, "'evaluation.problems' must name a file of problems.")
      atLeastOne(evaluation.everySteps, "evaluation.everySteps")
      check(
        (1...Self.mostAnswers).contains(evaluation.samplesPerProblem),
        "'evaluation.samplesPerProblem' is \(evaluation.samplesPerProblem); it must lie between 1 "
          + "and \(Self.mostAnswers).")
      check(
        evaluation.temperature == 0
          || (evaluation.temperature >= 0.001 && evaluation.temperature <= 10),
        "'evaluation.temperature' is \(evaluation.temperature); it must be 0, or lie between 0.001 "
          + "and 10.")
      atLeastOne(evaluation.maxTokens ?? 1, "evaluation.maxTokens")
    } else {
      check(!checkpoints.best, "'checkpoints.best' needs an 'evaluation' to tell which is best.")
    }
    found += optimizer.findings + checkpoints.findings + (spikes?.findings ?? [])
    atLeastOne(completionsEverySteps, "completionsEverySteps")
    check(recomputedBlocks ?? 0 >= 0, "'recomputedBlocks' must not be negative.")
    return found
  }

  /// The most answers to a question.
  static let mostAnswers = 10_000
}
