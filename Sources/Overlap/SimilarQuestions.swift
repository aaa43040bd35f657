/// Finds the questions whose Jaccard similarity to a text is above a threshold, without asking each.
///
/// Two sets with a similarity of at least t share at least t of either; so a question whose
/// |Q| − ⌈t·|Q|⌉ + 1 rarest runs are all missing from a text is not similar to it (the prefix filter
/// of Chaudhuri, Ganti and Kaushik, 2006). Only those runs are indexed; none is missed.
struct SimilarQuestions {
  private let threshold: Double
  private var questions: [UInt64: [UInt32]] = [:]

  /// - Parameter sets: For each question its runs, each once.
  init(_ sets: [[UInt64]], threshold: Double) {
    self.threshold = threshold
    var counts: [UInt64: Int] = [:]
    for run in sets.joined() { counts[run, default: 0] += 1 }
    for (question, runs) in sets.enumerated() where !runs.isEmpty {
      // A little less than t·|Q|, so that rounding indexes a run more and never one less.
      let needed = max(1, Int((threshold * Double(runs.count) - 1e-9).rounded(.up)))
      let rarest = runs.sorted { (counts[$0] ?? 0, $0) < (counts[$1] ?? 0, $1) }
      for run in rarest.prefix(runs.count - needed + 1) {
        questions[run, default: []].append(UInt32(truncatingIfNeeded: question))
      }
    }
  }

  /// The questions that may be similar to a text with these runs, ascending.
  func candidates(_ runs: [UInt64]) -> [Int] {
    var found: Set<UInt32> = []
    for run in runs { if let some = questions[run] { found.formUnion(some) } }
    return found.map(Int.init).sorted()
  }

  var byteCount: Int { questions.reduce(0) { $0 + 64 + $1.value.count * 4 } }
}
