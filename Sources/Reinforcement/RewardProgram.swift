final class RewardProgram {
  init(_ settings: RewardSettings.UserProgram) {}

  func outcomes(
    of answers: [SampledAnswer], isStopped: () -> Bool
  ) throws(RewardError) -> [RewardOutcome] {
    answers.map { _ in .failed("The user's program is not asked yet.") }
  }
}
