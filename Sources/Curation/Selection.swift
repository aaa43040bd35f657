import Datasets

/// The rules that compare samples with each other, over what pass 1 kept of them.
///
/// Every function marks entries as dropped and returns which, in the order of entries. Nothing depends
/// on threads or on the order of hash tables.
struct Selection {
  var entries: ContiguousArray<SampleEntry>
  var problems: ContiguousArray<ProblemEntry>

  /// Takes problems that ask the same for one.
  ///
  /// - Returns: How many problems ask what an earlier one does.
  @discardableResult
  mutating func groupQuestions() -> Int {
    let order = problems.indices.sorted { a, b in
      problems[a].question == problems[b].question
        ? a < b : problems[a].question < problems[b].question
    }
    var repeated = 0
    var first = 0
    for (i, index) in order.enumerated() {
      if i > 0, problems[order[i - 1]].question == problems[index].question {
        repeated += 1
      } else {
        first = index
      }
      problems[index].group = UInt32(first)
    }
    return repeated
  }

  func group(of entry: SampleEntry) -> UInt32 { problems[Int(entry.problem)].group }

  /// The samples that are left, group by group; within a group in the order of entries.
  private func survivorsByGroup() -> [UInt32] {
    entries.indices.filter { entries[$0].reason == .kept }.map(UInt32.init).sorted { a, b in
      let (x, y) = (group(of: entries[Int(a)]), group(of: entries[Int(b)]))
      return x == y ? a < b : x < y
    }
  }

  /// Calls `body` with the samples that are left of each group.
  private func forEachGroup(_ body: (UInt32, ArraySlice<UInt32>) throws -> Void) rethrows {
    let order = survivorsByGroup()
    var start = 0
    while start < order.count {
      let group = group(of: entries[Int(order[start])])
      var end = start + 1
      while end < order.count, self.group(of: entries[Int(order[end])]) == group { end += 1 }
      try body(group, order[start..<end])
      start = end
    }
  }

  /// Drops answers whose text an earlier answer to the same question has.
  mutating func dropSameAnswers() -> [(entry: Int, earlier: Int)] {
    var doomed: [(entry: Int, earlier: Int)] = []
    forEachGroup { _, members in
      let sorted = members.sorted { a, b in
        let (x, y) = (entries[Int(a)].text, entries[Int(b)].text)
        return x == y ? a < b : x < y
      }
      var first = 0
      for (i, member) in sorted.enumerated() {
        if i > 0, entries[Int(sorted[first])].text == entries[Int(member)].text {
          doomed.append((Int(member), Int(sorted[first])))
        } else {
          first = i
        }
      }
    }
    doomed.sort { $0.entry < $1.entry }
    for (entry, _) in doomed { entries[entry].reason = .sameAnswer }
    return doomed
  }

  /// Drops all that is left of groups whose question is nearly an earlier one's.
  ///
  /// - Parameter earlier: Takes a problem's question in, and says of which problem it is a near
  ///   duplicate, and how near.
  mutating func dropNearQuestions(
    _ earlier: (_ problem: Int) throws -> (problem: Int, likeness: Double)?
  ) rethrows -> [(entry: Int, earlier: Int, likeness: Double)] {
    var doomed: [(entry: Int, earlier: Int, likeness: Double)] = []
    try forEachGroup { group, members in
      guard let found = try earlier(Int(group)) else { return }
      for member in members { doomed.append((Int(member), found.problem, found.likeness)) }
    }
    doomed.sort { $0.entry < $1.entry }
    for (entry, _, _) in doomed { entries[entry].reason = .nearQuestion }
    return doomed
  }

  /// How many samples of each group were judged, and how many of them are correct, by group.
  func judgedByGroup() -> (judged: [UInt32], correct: [UInt32]) {
    var judged = [UInt32](repeating: 0, count: problems.count)
    var correct = judged
    for problem in problems {
      judged[Int(problem.group)] += problem.judged
      correct[Int(problem.group)] += problem.correct
    }
    return (judged, correct)
  }

  /// Drops what is left of problems outside of the band.
  mutating func drop(
    outside band: CurationRecipe.PassRateBand
  ) -> [(entry: Int, correct: Int, judged: Int)] {
    var doomed: [(entry: Int, correct: Int, judged: Int)] = []
    let (judged, correct) = judgedByGroup()
    for i in entries.indices where entries[i].reason == .kept {
      let group = Int(group(of: entries[i]))
      guard judged[group] >= band.fewest, judged[group] > 0 else { continue }
      let rate = Double(correct[group]) / Double(judged[group])
      if rate > band.max {
        entries[i].reason = .tooEasy
      } else if rate < band.min {
        entries[i].reason = .tooHard
      } else {
        continue
      }
      doomed.append((i, Int(correct[group]), Int(judged[group])))
    }
    return doomed
  }

  /// Drops what a problem has more than it may have.
  mutating func drop(
    beyond limit: CurationRecipe.ProblemLimit, seed: UInt64
  ) -> [Int] {
    guard let most = limit.most else { return [] }
    let seed = limit.seed ?? seed
    func rank(_ index: UInt32) -> (UInt64, UInt64, UInt32) {
      let entry = entries[Int(index)]
      return switch limit.choose {
      case .first: (UInt64(entry.sample), 0, index)
      case .shortest: (UInt64(entry.tokens), UInt64(entry.sample), index)
      case .mostReadable: (UInt64(entry.longestParagraph), UInt64(entry.tokens), index)
      case .random: (Digest.mixed(entry.key, seed: seed), 0, index)
      }
    }
    var doomed: [Int] = []
    forEachGroup { _, members in
      if members.count <= most { return }
      doomed += members.sorted { rank($0) < rank($1) }.dropFirst(most).map(Int.init)
    }
    doomed.sort()
    for entry in doomed { entries[entry].reason = .problemLimit }
    return doomed
  }

  /// Drops what is left of a run beyond so many, by the seed.
  mutating func drop(ofRun run: Int, beyond most: Int, seed: UInt64) {
    let left = entries.indices.filter {
      entries[$0].reason == .kept && Int(entries[$0].run) == run
    }
    for position in Self.surplus(of: left.count, beyond: most, seed: seed, source: run) {
      entries[left[position]].reason = .surplus
    }
  }

  /// The positions that are left out if `most` of `count` are taken, ascending.
  static func surplus(of count: Int, beyond most: Int, seed: UInt64, source: Int) -> [Int] {
    if count <= most { return [] }
    let order = Permutation(count: count, seed: seed, epoch: source)
    return (max(0, most)..<count).map { order[$0] }.sorted()
  }
}
