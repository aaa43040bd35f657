/// Questions that are nearly those of earlier problems.
struct NearQuestions {
  init(likeness: Double) {}

  /// Takes a question in, and returns the earlier problem that asks nearly the same, if there is one.
  mutating func insert(_ question: String, _ number: Int) -> (problem: Int, likeness: Double)? {
    nil
  }
}
