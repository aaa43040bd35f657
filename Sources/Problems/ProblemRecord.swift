import Interface
import Storage
import Verification

/// One record of a file of problems, and where its parts are.
struct ProblemRecord {
  private let object: JSONObject
  private let place: String
  private let source: ProblemSource
  private let fields: ProblemFields

  init(_ object: JSONObject, place: String, _ source: ProblemSource) {
    self.object = object
    self.place = place
    self.source = source
    fields = source.fields ?? ProblemFields()
  }

  /// The names that files use, in the order in which they are looked for.
  private enum Usual {
    static let question = [
      "problem", "question", "question_content", "prompt", "text", "content", "instruction",
      "description",
    ]
    static let answer = [
      "answer", "final_answer", "expected_answer", "ground_truth", "gtruth_answer",
    ]
    static let solution = ["solution"]
    static let choices = ["choices", "options"]
    static let correct = ["correct", "answer_index", "answer", "answerKey", "label"]
    static let difficulty = ["difficulty", "level"]
    static let date = ["contest_date", "date", "release_date"]
    static let rating = ["rating"]
    static let id = ["id", "unique_id", "task_id", "question_id", "global_id", "idx"]
    static let tests = [
      "public_test_cases", "private_test_cases", "input_output", "assertion", "test_list",
      "assertions", "test",
    ]
  }

  // MARK: The form

  /// What the record's keys tell.
  func form() throws(ProblemError) -> ProblemForm {
    if has(["reference"]), has(["question"]), has(["place"]) { return .problem }
    if has(["Question"]), has(["Correct Answer"]) { return .gpqa }
    guard fields.question != nil || has(Usual.question) else {
      throw error(
        "nothing says which key holds the question; \(keys). Name it in the recipe, as in 'fields: { "
          + "question: \"…\" }'.")
    }
    if fields.tests != nil || has(Usual.tests) || hasTests { return .program }
    if fields.choices != nil || isList(Usual.choices) { return .choices }
    if fields.answer != nil || fields.solution != nil || has(Usual.answer) || has(Usual.solution) {
      return .mathematics
    }
    return .question
  }

  private func has(_ names: [String]) -> Bool {
    names.contains { JSONMembers(object, place: place).has($0) }
  }

  private func isList(_ names: [String]) -> Bool {
    names.contains {
      if case .array? = object[$0] { true } else { false }
    }
  }

  /// `tests` may also only name a file of tests.
  private var hasTests: Bool {
    switch object["tests"] {
    case .array?: true
    case .object(let tests)?: tests["inputs"] != nil
    default: false
    }
  }

  // MARK: The problem

  /// - Parameter number: The record's number in the file, from 1.
  func problem(_ form: ProblemForm, number: Int) throws(ProblemError) -> Problem {
    if form == .problem { return try Problem(.object(object), place: place) }
    var problem = Problem(
      id: try id(form, number), question: try question(form), reference: .none(nil),
      source: try sourceName(), difficulty: try difficulty(form), rating: try rating(),
      date: try day(isNeeded: false), place: place)
    switch form {
    case .problem, .question:
      problem.reference = .none(try text(fields.answer, "answer", Usual.answer))
      problem.solution = try text(fields.solution, "solution", Usual.solution)
    case .mathematics: try readMathematics(&problem)
    case .choices:
      let options = try options()
      problem.reference = .choices(options, correct: try correct(options))
      problem.solution = try text(fields.solution, "solution", Usual.solution)
    case .gpqa:
      problem.reference = try shuffledOptions(item: problem.id)
      problem.solution = try text(fields.solution, "solution", ["Explanation"])
    case .program:
      problem.reference = .program(try task())
      problem.solution = try text(
        fields.solution, "solution", ["canonical_solution", "code", "solution"])
    }
    return problem
  }

  private func readMathematics(_ problem: inout Problem) throws(ProblemError) {
    let answer = try text(fields.answer, "answer", Usual.answer).flatMap {
      Self.isBlank($0) ? nil : $0
    }
    problem.solution = try text(fields.solution, "solution", Usual.solution)
    guard let reference = answer ?? problem.solution else {
      // Where an answer is left blank, the question may still be asked; no rule judges it.
      if (Usual.answer + [fields.answer].compactMap { $0 }).contains(where: { object[$0] != nil }) {
        return
      }
      throw error("there is neither an answer nor a solution; \(keys).")
    }
    problem.reference = .answer(reference)
    // GSM8K's answers are solutions, which end in the number behind `####`.
    let bytes = Array(reference.utf8)
    let marks = Array("####".utf8)
    guard answer != nil, bytes.count >= 4 else { return }
    for start in stride(from: bytes.count - 4, through: 0, by: -1)
    where bytes[start..<start + 4].elementsEqual(marks) {
      let number = bytes[(start + 4)...].drop { $0 <= 32 }
      problem.reference = .answer(String(decoding: Array(number), as: UTF8.self))
      problem.solution = problem.solution ?? reference
      return
    }
  }

  private func question(_ form: ProblemForm) throws(ProblemError) -> String {
    let usual = form == .gpqa ? ["Question"] : Usual.question
    let name = fields.question ?? usual.first { has([$0]) }
    guard let name else { throw error("there is no question; \(keys).") }
    guard case .string(var question)? = try named(name, "question") else {
      throw error("\(quoted(name)), the question, must be a text.")
    }
    guard !Self.isBlank(question) else {
      throw error("\(quoted(name)), the question, is empty.")
    }
    // What LiveCodeBench's functions begin with is a part of what is asked.
    if case .string(let code)? = object["starter_code"] ?? object["sample_code"],
      !Self.isBlank(code)
    {
      question += "\n\nBegin with this code:\n\n```python\n\(code)\n```"
    }
    return question
  }

  private func id(_ form: ProblemForm, _ number: Int) throws(ProblemError) -> String {
    let name = source.source ?? source.fileName
    guard
      let own = try text(fields.id, "id", form == .gpqa ? ["Record ID"] + Usual.id : Usual.id),
      !own.isEmpty
    else { return "\(name)#\(number)" }
    // A plain number tells one record of its file from the others, and no more.
    return own.utf8.allSatisfy { (0x30...0x39).contains($0) } ? "\(name)#\(own)" : own
  }

  private func sourceName() throws(ProblemError) -> String {
    if let key = fields.source, let name = try text(key, "source", []) { return name }
    if let name = source.source { return name }
    if case .string(let name)? = object["source"], !name.isEmpty { return name }
    return source.fileName
  }

  private func difficulty(_ form: ProblemForm) throws(ProblemError) -> String? {
    let usual = form == .gpqa ? ["Writer's Difficulty Estimate"] : Usual.difficulty
    return try text(fields.difficulty, "difficulty", usual)
  }

  private func rating() throws(ProblemError) -> Double? {
    guard let name = fields.rating ?? Usual.rating.first(where: { has([$0]) }) else { return nil }
    switch try named(name, "rating") {
    case .number(let number)?: return number.double
    case .null?, nil: return nil
    default:
      if fields.rating == nil { return nil }
      throw error("\(quoted(name)) must be a number.")
    }
  }

  /// The day on which the problem was made public: the one that stands where a recipe's window, or its
  /// `fields.date`, needs one, and what looks like one elsewhere.
  func day(isNeeded: Bool) throws(ProblemError) -> String? {
    guard let name = fields.date ?? Usual.date.first(where: { has([$0]) }) else {
      if !isNeeded { return nil }
      throw error(
        "there is no date, which 'released' needs; \(keys). Name its key in 'fields.date'.")
    }
    let value = try named(name, "date")
    if case .string(let text)? = value, let day = ReleaseWindow.day(beginning: text) { return day }
    if !isNeeded, fields.date == nil || value == nil || value == .null { return nil }
    let found: String
    switch value {
    case .string(let text)?: found = "\(quoted(name)) is \(quoted(text)), which is no date"
    default: found = "\(quoted(name)) must be a date"
    }
    throw error("\(found); it must begin with one as '2024-08-03' is.")
  }

  // MARK: Options

  private func options() throws(ProblemError) -> [String] {
    let name = fields.choices ?? Usual.choices.first { has([$0]) }
    guard let name else { throw error("there are no choices; \(keys).") }
    guard case .array(let values) = try named(name, "choices") else {
      throw error("\(quoted(name)), the choices, must be a list of texts.")
    }
    var options: [String] = []
    for value in values {
      switch value {
      case .string(let text): options.append(text)
      case .number(let number): options.append(number.text)
      default: throw error("\(quoted(name)), the choices, must be a list of texts.")
      }
    }
    guard MultipleChoice.optionCounts.contains(options.count) else {
      throw error(
        "\(quoted(name)) has \(options.count) choices; there may be "
          + "\(MultipleChoice.optionCounts.lowerBound) to \(MultipleChoice.optionCounts.upperBound)."
      )
    }
    return options
  }

  /// A number counts from 0; a text is an option, its letter, or its number.
  private func correct(_ options: [String]) throws(ProblemError) -> Int {
    let name = fields.correct ?? Usual.correct.first { has([$0]) }
    guard let name else {
      throw error("there is nothing that says which choice is right; \(keys).")
    }
    let found: Int?
    switch try named(name, "correct") {
    case .number(let number): found = number.int
    case .string(let text):
      let places = options.indices.filter { options[$0].utf8.elementsEqual(text.utf8) }
      if places.count == 1 {
        found = places[0]
      } else if text.utf8.count == 1, let letter = text.utf8.first, letter >= 0x41, letter < 0x4B {
        found = Int(letter) - 0x41
      } else {
        found = Int(text)
      }
    default: found = nil
    }
    guard let found, options.indices.contains(found) else {
      throw error(
        "\(quoted(name)) must say which of the \(options.count) choices is right: by its number from "
          + "0, its letter, or its text.")
    }
    return found
  }

  private func shuffledOptions(item: String) throws(ProblemError) -> Problem.Reference {
    var options: [String] = []
    for name in ["Correct Answer"] + (1...3).map({ "Incorrect Answer \($0)" }) {
      guard let option = try text(name, "", []) else { throw error("\(quoted(name)) is empty.") }
      options.append(option)
    }
    do throws(MultipleChoiceError) {
      let order = try ChoiceOrder(of: options.count, correct: 0, item: item, sample: 0, seed: 0)
      return .choices(try order.arranged(options), correct: order.correct)
    } catch {
      throw self.error("\(error)")
    }
  }

  // MARK: Tests

  private func task() throws(ProblemError) -> ProgramTask {
    var tests = object
    if let name = fields.tests {
      guard let value = try named(name, "tests") else { throw error("\(quoted(name)) is empty.") }
      var isTexts = false
      if case .array(let values) = value, case .string? = values.first { isTexts = true }
      let others = [
        "function", "entry_point", "prelude", "setup", "seconds", "command", "file_name",
      ]
      tests = JSONObject(
        members: [(isTexts ? "assertions" : "tests", value)]
          + object.members.filter { others.contains($0.key) && $0.key != name })
    }
    do throws(ProgramTaskError) {
      return try ProgramTask(.object(tests), source: place)
    } catch {
      throw ProblemError(error)
    }
  }

  // MARK: Fields

  private func error(_ message: String) -> ProblemError { ProblemError(place, message) }

  private static func isBlank(_ text: String) -> Bool { text.utf8.allSatisfy { $0 <= 32 } }

  private var keys: String {
    let names = object.members.map { quoted($0.key) }
    if names.isEmpty { return "it has no keys" }
    let more = names.count > 12 ? " and \(names.count - 12) more" : ""
    return "its keys are \(names.prefix(12).joined(separator: ", "))\(more)"
  }

  /// The value of a key; the recipe may name one that is not there.
  private func named(_ name: String, _ field: String) throws(ProblemError) -> JSONValue? {
    guard let value = object[name] else {
      throw error(
        "there is no \(quoted(name)), which the recipe names as the '\(field)'; \(keys)."
          + hint(for: name, in: object.members.map(\.key)))
    }
    return value
  }

  /// A text, or a number as it is written: of the key that the recipe names, which must be there, or
  /// of the first usual one that is; nil if there is none, or it is null.
  private func text(
    _ name: String?, _ field: String, _ usual: [String]
  ) throws(ProblemError) -> String? {
    guard let name = name ?? usual.first(where: { has([$0]) }) else { return nil }
    switch try named(name, field) {
    case .string(let text)?: return text
    case .number(let number)?: return number.text
    case .null?, nil: return nil
    default: throw error("\(quoted(name)) must be a text or a number.")
    }
  }
}
