/// A question's runs of three words, as sets, with and without its numbers.
///
/// Words that only tell how to answer are left out first, so that what a recipe wraps around its
/// prompts does not make them less alike.
struct QuestionShingles {
  static let length = 3
  /// What stands for any number.
  private static let number: UInt64 = 1

  /// The words that count, and which of the text's words each is.
  let words: [UInt64]
  let indices: [Int]
  /// By place; one run if there are fewer words than in a run.
  let runs: [UInt64]
  let maskedRuns: [UInt64]
  /// Ascending, each once.
  let exact: [UInt64]
  let masked: [UInt64]

  init(_ text: [UInt64], leavesOutInstructions: Bool = true) {
    let kept = text.indices.filter {
      !leavesOutInstructions || !WordWeights.isInstruction(text[$0])
    }
    indices = kept
    words = kept.map { text[$0] }
    runs = Self.runs(words)
    maskedRuns = Self.runs(words.map { OverlapText.isNumber($0) ? Self.number : $0 })
    exact = Self.distinct(runs)
    masked = Self.distinct(maskedRuns)
  }

  /// The weight of the words that are no numbers.
  var weightWithoutNumbers: Double {
    words.reduce(0) { $0 + (OverlapText.isNumber($1) ? 0 : WordWeights.weight(of: $1)) }
  }

  /// How many words the run at a place has.
  var runLength: Int { min(Self.length, words.count) }

  private static func runs(_ words: [UInt64]) -> [UInt64] {
    var runs: [UInt64] = []
    RollingHash(words).forEachRun(of: min(length, words.count)) { _, hash in runs.append(hash) }
    return runs
  }

  private static func distinct(_ runs: [UInt64]) -> [UInt64] {
    var result: [UInt64] = []
    for run in runs.sorted() where run != result.last { result.append(run) }
    return result
  }

  /// How many runs two ascending lists share.
  static func shared(_ a: [UInt64], _ b: [UInt64]) -> Int {
    var i = 0
    var j = 0
    var count = 0
    while i < a.count, j < b.count {
      if a[i] == b[j] {
        count += 1
        i += 1
        j += 1
      } else if a[i] < b[j] {
        i += 1
      } else {
        j += 1
      }
    }
    return count
  }

  /// |a ∩ b| / |a ∪ b|; 0 if both are empty.
  static func jaccard(_ a: [UInt64], _ b: [UInt64]) -> Double {
    let shared = shared(a, b)
    let union = a.count + b.count - shared
    return union == 0 ? 0 : Double(shared) / Double(union)
  }

  /// Whether a number of this question is another one in the text: one of its runs is there with
  /// another number, and none that holds the number is there with it.
  func numbersDiffer(in text: QuestionShingles) -> Bool {
    let exact = Set(text.runs)
    let masked = Set(text.maskedRuns)
    var kept = [Bool](repeating: false, count: words.count)
    var changed = kept
    for i in runs.indices {
      let places = i..<i + runLength
      if exact.contains(runs[i]) {
        for place in places { kept[place] = true }
      } else if masked.contains(maskedRuns[i]),
        places.contains(where: { !OverlapText.isNumber(words[$0]) })
      {
        for place in places where OverlapText.isNumber(words[place]) { changed[place] = true }
      }
    }
    return words.indices.contains { changed[$0] && !kept[$0] }
  }
}
