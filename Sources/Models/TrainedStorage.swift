/// How weights are kept while they are trained.
public enum TrainedStorage: String, CaseIterable, Sendable {
  case float32
  /// Matrices in bfloat16, half the memory; vectors stay in float32.
  case bfloat16
}
