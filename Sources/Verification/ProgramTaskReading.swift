import Foundation
import Storage

/// Why a file of tasks can't be used.
public struct ProgramTaskError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

extension ProgramTask {
  /// Reads the tasks of a file: a JSON object on each line, or one array of them.
  ///
  /// - Throws: `FileError`; `JSONError` for what is no JSON; `ProgramTaskError` for what is no task.
  ///   They name the line, or for an array the element.
  public static func tasks(at path: String) throws -> [ProgramTask] {
    let text = Data(try MappedFile(at: path).contents)
    var tasks: [ProgramTask] = []
    if text.first(where: { $0 > 32 }) == UInt8(ascii: "[") {
      guard case .array(let rows) = try JSONValue(parsing: text, source: path) else { return [] }
      for (number, row) in rows.enumerated() {
        tasks.append(try ProgramTask(row, source: "\(path): element \(number + 1)"))
      }
    } else {
      var number = 0
      for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
        number += 1
        guard line.contains(where: { $0 > 32 }) else { continue }
        let source = "\(path):\(number)"
        tasks.append(try ProgramTask(try row(Data(line), source: source), source: source))
      }
    }
    guard !tasks.isEmpty else { throw ProgramTaskError("\(path): there are no tasks.") }
    return tasks
  }

  /// Reads one line of a file of tasks as JSON.
  ///
  /// MBPP+ holds inputs that Python wrote as NaN and Infinity. Nothing reads them here, and no other
  /// form may hold any.
  ///
  /// - Throws: `JSONError`.
  public static func row(_ line: Data, source: String) throws(JSONError) -> JSONValue {
    do {
      return try JSONValue(parsing: line, source: source)
    } catch {
      guard
        case .object(let row) = try? JSONValue(parsing: withoutSpecialNumbers(line), source: source),
        row["assertion"] != nil
      else { throw error }
      return .object(row)
    }
  }

  /// The line with `null` for `NaN` and `Infinity` outside of strings.
  private static func withoutSpecialNumbers(_ line: Data) -> Data {
    let words = ["NaN", "-Infinity", "Infinity"]
    var result = Data()
    var rest = Array(line)[...]
    var isString = false
    while let byte = rest.first {
      let word = isString ? nil : words.first { rest.starts(with: $0.utf8) }
      if let word {
        result += Data("null".utf8)
        rest = rest.dropFirst(word.utf8.count)
        continue
      }
      let isEscape = isString && byte == UInt8(ascii: "\\")
      if byte == UInt8(ascii: "\"") { isString.toggle() }
      result += rest.prefix(isEscape ? 2 : 1)
      rest = rest.dropFirst(isEscape ? 2 : 1)
    }
    return result
  }

  /// Reads a task, in the form that `json` writes or in that of a benchmark: LiveCodeBench,
  /// CodeContests as SandboxFusion has it, HumanEval, MBPP, MBPP+. Other fields are not looked at.
  ///
  /// - Parameter source: Where the task is, for errors.
  /// - Throws: `ProgramTaskError`.
  public init(_ value: JSONValue, source: String) throws(ProgramTaskError) {
    guard case .object(let row) = value else {
      throw ProgramTaskError("\(source): this is no object. Write one task on each line.")
    }
    try self.init(ProgramTaskRow(row, source: source))
  }

  private init(_ row: ProgramTaskRow) throws(ProgramTaskError) {
    let tests: Tests
    if row.has("public_test_cases") || row.has("private_test_cases") {
      tests = try row.liveCodeBench()
    } else if row.has("input_output") {
      tests = try row.embedded("input_output").lists(named: "input_output")
    } else if row.has("entry_point"), row.has("test") {
      tests = try row.humanEval()
    } else if row.has("assertion") {
      tests = .assertions(
        Assertions(
          tests: [try row.text("assertion")], entryPoint: try row.optionalText("entry_point")))
    } else if row.has("test_list") {
      tests = try row.mbpp()
    } else if row.has("assertions") {
      tests = .assertions(
        Assertions(
          prelude: try row.optionalText("prelude") ?? "",
          setup: try row.optionalText("setup") ?? "", tests: try row.texts("assertions"),
          entryPoint: try row.optionalText("entry_point")))
    } else if row.has("tests") {
      tests = try row.plainTests()
    } else if row.has("test") {
      tests = try row.codeContests()
    } else {
      throw row.error("there are no tests: no 'tests', and no field of a known benchmark.")
    }
    self.init(tests: tests)
    id = try row.id()
    guard count > 0 else { throw row.error("there are no tests in it.") }
    if let name = try row.optionalText("file_name") {
      guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), name != ".", name != ".." else {
        throw row.error("'file_name' must be a plain name, not \(quoted(name)).")
      }
      fileName = name
    }
    if row.has("command") {
      let words = try row.texts("command")
      guard words.first?.utf8.first == UInt8(ascii: "/") else {
        throw row.error("'command' must begin with the whole path of a program.")
      }
      guard case .standardInput = tests else {
        throw row.error(
          "'command' goes only with tests that read standard input; others are Python.")
      }
      command = words
    }
    if let seconds = try row.seconds() { secondsPerTest = seconds }
  }

  /// The task as `init(_:source:)` reads it.
  public var json: JSONValue {
    var members: [(key: String, value: JSONValue)] = []
    if let id { members.append(("id", .string(id))) }
    switch tests {
    case .standardInput(let tests):
      members.append(
        (
          "tests",
          .array(
            tests.map {
              .object(
                JSONObject(
                  members: [("input", .string($0.input)), ("output", .string($0.output))]))
            })
        ))
    case .function(let name, let tests):
      members.append(("function", .string(name)))
      members.append(
        (
          "tests",
          .array(
            tests.map {
              .object(
                JSONObject(members: [("arguments", .array($0.arguments)), ("result", $0.result)]))
            })
        ))
    case .assertions(let tests):
      members.append(("prelude", .string(tests.prelude)))
      members.append(("setup", .string(tests.setup)))
      members.append(("assertions", .array(tests.tests.map { .string($0) })))
      if let name = tests.entryPoint { members.append(("entry_point", .string(name))) }
    }
    if let command { members.append(("command", .array(command.map { .string($0) }))) }
    members.append(("file_name", .string(fileName)))
    if let seconds = JSONNumber(secondsPerTest) { members.append(("seconds", .number(seconds))) }
    return .object(JSONObject(members: members))
  }
}
