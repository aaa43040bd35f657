extension Judge {
  /// The most operations that `classes(of:)` spends on comparing: seconds, not minutes.
  static let mostClassWork = 50_000_000

  /// What a comparison costs besides the operations that it counts: reading again, building a reason.
  static let comparisonWork = 20

  /// Groups answers that say the same, so that they can vote together: `1/2` and `0.5` are one.
  ///
  /// To be equal is no equivalence: `50\%` is 50 as well as 0.5, and those differ. So it is not the
  /// pairs that decide but this rule. The different answers are taken in order, the shorter ones
  /// first and equally long ones by their bytes; each joins the first class, in the order in which
  /// classes were founded, to whose first answer it is equal with either of the two as the reference,
  /// or else founds one. The order in which answers are given, and how often, changes nothing but the
  /// numbers.
  ///
  /// The operations of all comparisons are counted. Once there were `mostClassWork` of them, which a
  /// thousand usual answers don't need, an answer that is left is compared no more: it is equal to
  /// none but its own text.
  ///
  /// - Parameter answers: Formulas, as `Verdict.answer` has them.
  /// - Returns: The number of each answer's class; classes are counted from 0 as they first appear.
  public func classes(of answers: [String]) -> [Int] {
    classes(of: answers, work: Self.mostClassWork)
  }

  func classes(of answers: [String], work: Int) -> [Int] {
    let texts = answers.map { AnswerExtraction.trimmed(Array($0.utf8)) }
    let different = Set(texts).sorted {
      $0.count != $1.count ? $0.count < $1.count : $0.lexicographicallyPrecedes($1)
    }
    var founders: [Reading] = []
    var founderOf: [[UInt8]: Int] = [:]
    var left = work
    for text in different {
      let answer = reading(of: text)
      let found = founders.firstIndex { founder in
        left > 0 && areEqual(founder, answer, &left)
      }
      founderOf[text] = found ?? founders.count
      if found == nil { founders.append(answer) }
    }
    var numbers: [Int: Int] = [:]
    return texts.map { text in
      let founder = founderOf[text] ?? 0
      let number = numbers[founder] ?? numbers.count
      numbers[founder] = number
      return number
    }
  }

  private func areEqual(_ a: Reading, _ b: Reading, _ left: inout Int) -> Bool {
    for (reference, answer) in [(a, b), (b, a)] {
      let finding = compare(reference, answer)
      left -= finding.work + Self.comparisonWork
      // Texts that are read again, or compared as texts.
      if !a.isPlain || !b.isPlain { left -= a.text.count + b.text.count }
      if finding.outcome == .correct { return true }
    }
    return false
  }
}
