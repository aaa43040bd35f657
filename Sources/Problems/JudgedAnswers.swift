import Verification

extension AnswerJudge {
  /// What became of one of the texts that answer a problem.
  public struct JudgedAnswer: Equatable, Sendable {
    public var verdict: AnswerVerdict
    /// A program that ran past its time, whose verdict is `wrong`.
    public var isTimeout: Bool
    /// Equal answers of the problem have one number, from 0 in the order in which they first appear.
    /// Nil where there is no answer, and for programs, which can't be compared.
    public var answerClass: Int?

    public init(verdict: AnswerVerdict, isTimeout: Bool = false, answerClass: Int? = nil) {
      (self.verdict, self.isTimeout, self.answerClass) = (verdict, isTimeout, answerClass)
    }
  }

  /// Judges texts that answer one problem, and finds those that are equal, for votes.
  ///
  /// - All correct answers are one class, in which no other is.
  /// - Wrong answers to mathematics are grouped by `Judge.classes(of:)`; those that the judge can't
  ///   read are equal if their texts are.
  /// - Wrong choices are equal if they name the same options.
  ///
  /// A text that comes several times is judged once. In another order of the texts the classes are the
  /// same, with other numbers.
  ///
  /// - Parameter texts: As `verdict(of:on:)` takes them.
  /// - Returns: What became of each text, in their order.
  public func judgedAnswers(of texts: [String], on problem: Problem) -> [JudgedAnswer] {
    judgedAnswers(of: texts.map { (text: $0, problem: problem) })
  }

  /// Judges texts that answer one problem whose options each sample was shown in an order of its own:
  /// it is the options that are compared, not the letters.
  ///
  /// - Parameter samples: Each text with the problem as it was asked: `Problem.shown(to:seed:)`.
  /// - Returns: What became of each text, in their order.
  public func judgedAnswers(of samples: [(text: String, problem: Problem)]) -> [JudgedAnswer] {
    judgedAnswers(of: samples, isStopped: { false }) ?? []
  }

  /// The same, where somebody may not want to wait: programs that take all of their time take minutes.
  ///
  /// - Parameter isStopped: Asked before each text and between the tests of a program; once it is true,
  ///   it must stay so.
  /// - Returns: Nil if it was stopped.
  public func judgedAnswers(
    of samples: [(text: String, problem: Problem)], isStopped: @escaping @Sendable () -> Bool
  ) -> [JudgedAnswer]? {
    var judged: [JudgedAnswer] = []
    var known: [JudgedText: JudgedAnswer] = [:]
    for (text, problem) in samples {
      if isStopped() { return nil }
      let key = JudgedText(text: text, options: Self.options(of: problem))
      if let answer = known[key] {
        judged.append(answer)
        continue
      }
      let (verdict, isTimeout) = timedVerdict(of: text, on: problem, isStopped: isStopped)
      // A program's verdict may be that it was not tested to its end.
      if isStopped() { return nil }
      let answer = JudgedAnswer(verdict: verdict, isTimeout: isTimeout)
      known[key] = answer
      judged.append(answer)
    }
    let groups = self.groups(of: zip(judged, samples).map { ($0.verdict, $1.problem) })
    var numbers: [AnswerGroup: Int] = [:]
    for (i, group) in groups.enumerated() {
      guard let group else { continue }
      let number = numbers[group] ?? numbers.count
      numbers[group] = number
      judged[i].answerClass = number
    }
    return judged
  }

  // MARK: Groups

  /// What equal answers have in common. Texts are bytes: `String` takes some that differ for equal.
  private enum AnswerGroup: Hashable {
    case correct
    case formula(Int)
    case text([UInt8])
    case options(Set<[UInt8]>)
  }

  private func groups(of verdicts: [(verdict: AnswerVerdict, problem: Problem)]) -> [AnswerGroup?] {
    var groups = verdicts.map(Self.group)
    var wrong: [(at: Int, answer: String)] = []
    for (i, (verdict, problem)) in verdicts.enumerated() {
      guard case .answer = problem.reference, verdict.outcome == .wrong,
        let answer = verdict.answer
      else { continue }
      wrong.append((i, answer))
    }
    for ((at, _), number) in zip(wrong, judge.classes(of: wrong.map(\.answer))) {
      groups[at] = .formula(number)
    }
    return groups
  }

  /// The group of an answer, except for that of a wrong formula.
  private static func group(_ verdict: AnswerVerdict, _ problem: Problem) -> AnswerGroup? {
    if case .program = problem.reference { return nil }
    guard let answer = verdict.answer else { return nil }
    switch verdict.outcome {
    case .correct: return .correct
    case .noAnswer, .infrastructure: return nil
    case .wrong, .unjudged: break
    }
    if case .choices(let options, _) = problem.reference {
      return .options(Set(named(answer, options)))
    }
    return .text(trimmed(answer))
  }

  /// The options that letters name, as in `A, C`; a letter without an option stands for itself.
  private static func named(_ answer: String, _ options: [String]) -> [[UInt8]] {
    answer.utf8.filter { (0x41...0x5A).contains($0) }.map { letter in
      let place = Int(letter) - 0x41
      // No letter is the text of an option with a mark before it.
      return options.indices.contains(place) ? [0x3A] + Array(options[place].utf8) : [letter]
    }
  }

  private static func trimmed(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    guard let first = bytes.firstIndex(where: { $0 > 32 }),
      let last = bytes.lastIndex(where: { $0 > 32 })
    else { return [] }
    return Array(bytes[first...last])
  }

  private static func options(of problem: Problem) -> [String] {
    if case .choices(let options, _) = problem.reference { options } else { [] }
  }
}

/// A text, and the options that it speaks of, told apart by their bytes.
private struct JudgedText: Hashable {
  let text: String
  let options: [String]

  static func == (a: Self, b: Self) -> Bool {
    a.text.utf8.elementsEqual(b.text.utf8) && a.options.count == b.options.count
      && zip(a.options, b.options).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
  }

  func hash(into hasher: inout Hasher) {
    for var text in [text] + options {
      hasher.combine(text.utf8.count)
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }
}
