import Teachers

enum RewardJudgePrompt {
  enum Kind: String, Sendable { case helpfulness, harmlessness }
  static let version = "1"
}

final class RewardJournal {
  init(in folder: String) throws {}
}

final class RewardJudge {
  let kind: RewardJudgePrompt.Kind

  init(
    _ kind: RewardJudgePrompt.Kind, _ settings: RewardSettings.JudgeModel, teacher: any Teacher,
    journal: RewardJournal
  ) { self.kind = kind }

  func outcomes(
    of answers: [SampledAnswer], isStopped: @escaping @Sendable () -> Bool
  ) throws -> [RewardOutcome] {
    answers.map { _ in .failed("The judge model is not asked yet.") }
  }
}
