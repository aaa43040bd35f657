import Datasets
import Storage
import Verification

/// How a problem becomes what a model is asked.
///
/// Each kind of problem has a template, in which `{question}` stands for the question, `{options}` for
/// the lines of choices, and `{tests}` for tests in Python, of which the first three are shown, as is
/// usual for MBPP. Where the recipe has none, the usual words are taken:
///
/// - mathematics: the question and `instruction`, unless the question itself speaks of `\boxed`;
/// - choices: those of `MultipleChoice.prompt`;
/// - programs: the question, its tests or how input comes, and that the program is to stand between
///   fences;
/// - others: the question as it is.
public struct ProblemPrompt: Codable, Equatable, Sendable {
  /// A system turn; without it there is none, as DeepSeek-R1's model card recommends.
  public var system: String?
  public var mathematics: String?
  public var choices: String?
  public var program: String?
  public var other: String?
  /// Without it, `item`.
  public var optionOrder: OptionOrder?

  public init(
    system: String? = nil, mathematics: String? = nil, choices: String? = nil,
    program: String? = nil, other: String? = nil, optionOrder: OptionOrder? = nil
  ) {
    self.system = system
    self.mathematics = mathematics
    self.choices = choices
    self.program = program
    self.other = other
    self.optionOrder = optionOrder
  }

  /// What DeepSeek-R1's model card recommends to add to questions of mathematics.
  public static let instruction =
    "Please reason step by step, and put your final answer within \\boxed{}."

  /// The usual words: prompts that may differ are another version's.
  public static let version = "1"

  /// The tests that are shown of a program's.
  public static let shownTests = 3

  private enum Slot: String, CaseIterable { case question, options, tests }

  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] {
    var found: [String] = []
    func check(_ name: String, _ template: String?, _ slots: [Slot]) {
      guard let template else { return }
      for slot in slots where Self.slots(in: template).allSatisfy({ $0.slot != slot }) {
        found.append(
          "The recipe: 'prompt.\(name)' must hold '{\(slot.rawValue)}', where it is to stand.")
      }
    }
    check("mathematics", mathematics, [.question])
    check("choices", choices, [.question, .options])
    check("program", program, [.question])
    check("other", other, [.question])
    return found
  }

  /// The turns that ask a problem, whichever sample is drawn.
  ///
  /// - Throws: `ProblemError` for a number of choices that can't be, or that are shown to each sample
  ///   in another order: `messages(for:sample:seed:)` asks those.
  public func messages(for problem: Problem) throws(ProblemError) -> [Message] {
    guard !isOrderedBySample(problem) else {
      throw ProblemError(
        problem.place,
        "'prompt.optionOrder' is 'sample', which only what counts samples can ask. Leave it out.")
    }
    return try messages(shown: problem)
  }

  /// - Parameter problem: With its options in the order in which they are shown.
  func messages(shown problem: Problem) throws(ProblemError) -> [Message] {
    let turns = [Message("user", try text(for: problem))]
    return (system.map { [Message("system", $0)] } ?? []) + turns
  }

  private func text(for problem: Problem) throws(ProblemError) -> String {
    let question = problem.question
    switch problem.reference {
    case .answer:
      if let mathematics { return Self.filled(mathematics, [.question: question]) }
      return Self.contains("\\boxed", in: question)
        ? question : question + "\n\n" + Self.instruction
    case .choices(let options, _):
      do throws(MultipleChoiceError) {
        let usual = try MultipleChoice.prompt(question: question, options: options)
        guard let choices else { return usual }
        return Self.filled(
          choices, [.question: question, .options: Self.lines(of: options)])
      } catch {
        throw ProblemError(problem.place, "\(error)")
      }
    case .program(let task):
      let tests = Self.tests(of: task, in: question)
      if let program { return Self.filled(program, [.question: question, .tests: tests ?? ""]) }
      return Self.ask(for: task, question, tests)
    case .none: return other.map { Self.filled($0, [.question: question]) } ?? question
    }
  }

  private static func lines(of options: [String]) -> String {
    zip("ABCDEFGHIJ".unicodeScalars, options).map { "\($0)) \($1)" }.joined(separator: "\n")
  }

  // MARK: Programs

  /// The tests that the question may show; nil if it shows some already, or the tests are the
  /// judge's alone.
  private static func tests(of task: ProgramTask, in question: String) -> String? {
    guard case .assertions(let assertions) = task.tests, assertions.prelude.isEmpty,
      !contains("assert ", in: question)
    else { return nil }
    let lines = assertions.tests.flatMap { test in
      test.utf8.split(separator: 0x0A).map { String(decoding: Array($0), as: UTF8.self) }
    }
    return lines.prefix(shownTests).joined(separator: "\n")
  }

  private static let fence =
    "Put the whole program into one block of code at the end of your answer:\n\n"
    + "```python\n# your program\n```"

  private static func ask(for task: ProgramTask, _ question: String, _ tests: String?) -> String {
    switch task.tests {
    case .standardInput:
      return question
        + "\n\nWrite a program in Python that reads its input from standard input and "
        + "prints its answer to standard output. " + fence
    case .function(let name, _):
      return question + "\n\nWrite the function `\(name)` in Python. " + fence
    case .assertions(let assertions) where !assertions.prelude.isEmpty:
      let code = question.utf8.last == 0x0A ? question : question + "\n"
      return "Complete this program in Python, so that it does what its text says:\n\n```python\n"
        + code + "```\n\n" + fence
    case .assertions:
      let shown = tests.map { "\n\nYour program should pass these tests:\n\n\($0)" } ?? ""
      return question + shown + "\n\nWrite it in Python. " + fence
    }
  }

  // MARK: Templates

  /// Where a template's slots are, in bytes.
  private static func slots(in template: String) -> [(slot: Slot, range: Range<Int>)] {
    let bytes = Array(template.utf8)
    var found: [(slot: Slot, range: Range<Int>)] = []
    for start in bytes.indices where bytes[start] == UInt8(ascii: "{") {
      for slot in Slot.allCases where bytes[start...].starts(with: "{\(slot.rawValue)}".utf8) {
        found.append((slot, start..<start + slot.rawValue.utf8.count + 2))
      }
    }
    return found
  }

  /// The template with its slots filled, once: what fills one may hold the name of another.
  private static func filled(_ template: String, _ texts: [Slot: String]) -> String {
    let bytes = Array(template.utf8)
    var result: [UInt8] = []
    var end = 0
    for (slot, range) in slots(in: template) {
      guard let text = texts[slot] else { continue }
      result += bytes[end..<range.lowerBound]
      result += text.utf8
      end = range.upperBound
    }
    return String(decoding: result + bytes[end...], as: UTF8.self)
  }

  private static func contains(_ word: String, in text: String) -> Bool {
    let bytes = Array(text.utf8)
    let word = Array(word.utf8)
    guard bytes.count >= word.count else { return false }
    return (0...bytes.count - word.count).contains { bytes[$0...].starts(with: word) }
  }
}
