import TeacherGeneration

/// How far an evaluation is, for displays.
public struct EvaluationProgress: Sendable {
  public enum Phase: Sendable {
    case sampling(TeacherGenerationProgress)
    /// Problems that are judged, and of how many.
    case judging(Int, of: Int)
  }

  /// The model's title, its number from 1, and how many there are.
  public let model: String
  public let modelNumber: Int
  public let models: Int
  public let benchmark: String
  /// The benchmark's number over all models, from 1, and how many there are.
  public let number: Int
  public let count: Int
  public let phase: Phase
  /// Samples that are stored of this model and benchmark and of those before, and of how many.
  public let samples: Int
  public let samplesWanted: Int
}

/// What became of an evaluation.
public struct EvaluationSummary: Sendable {
  public enum Ending: String, Codable, Sendable {
    /// All is judged; of questions that failed, samples may be missing.
    case complete
    /// It was asked to stop; the same command goes on.
    case stopped
  }

  public let ending: Ending
  /// The models that are done.
  public let models: [ModelEvaluation]
  /// Questions that failed and are asked again by the same command, and problems that failed for good.
  public let failuresToRetry: Int
  public let failuresForGood: Int
  /// Samples that are stored, and how many of them were drawn now.
  public let samples: Int
  public let samplesNow: Int
  public let seconds: Double
}
