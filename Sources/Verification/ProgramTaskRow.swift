import Foundation
import Storage

/// A row of a file of tasks, and how each benchmark writes its tests into one.
struct ProgramTaskRow {
  let object: JSONObject
  let source: String

  init(_ object: JSONObject, source: String) {
    self.object = object
    self.source = source
  }

  func has(_ name: String) -> Bool { object[name] != nil }

  func error(_ message: String) -> ProgramTaskError { ProgramTaskError("\(source): \(message)") }

  // MARK: Fields

  func text(_ name: String) throws(ProgramTaskError) -> String {
    guard case .string(let text) = object[name] else {
      throw error("'\(name)' must be a string.")
    }
    return text
  }

  /// Nil where the field is missing or null.
  func optionalText(_ name: String) throws(ProgramTaskError) -> String? {
    switch object[name] {
    case nil, .null: nil
    default: try text(name)
    }
  }

  func texts(_ name: String) throws(ProgramTaskError) -> [String] {
    guard case .array(let values) = object[name] else {
      throw error("'\(name)' must be an array of strings.")
    }
    var texts: [String] = []
    for value in values {
      guard case .string(let text) = value else {
        throw error("'\(name)' must be an array of strings.")
      }
      texts.append(text)
    }
    return texts
  }

  private func objects(_ name: String) throws(ProgramTaskError) -> [ProgramTaskRow] {
    guard case .array(let values) = object[name] else {
      throw error("'\(name)' must be an array of objects.")
    }
    var rows: [ProgramTaskRow] = []
    for (number, value) in values.enumerated() {
      guard case .object(let row) = value else {
        throw error("'\(name)' must be an array of objects.")
      }
      rows.append(ProgramTaskRow(row, source: "\(source), '\(name)' \(number + 1)"))
    }
    return rows
  }

  /// An object, or the text of one.
  func embedded(_ name: String) throws(ProgramTaskError) -> ProgramTaskRow {
    let value =
      if case .string(let text) = object[name] { try parsed(text, "'\(name)'") } else {
        object[name]
      }
    guard case .object(let row) = value else { throw error("'\(name)' must be an object.") }
    return ProgramTaskRow(row, source: source)
  }

  func parsed(_ text: String, _ what: String) throws(ProgramTaskError) -> JSONValue {
    do {
      return try JSONValue(parsing: Data(text.utf8), source: what)
    } catch {
      throw self.error("\(what) is not JSON (\(error.message.droppingStop)).")
    }
  }

  /// What the task is called.
  func id() throws(ProgramTaskError) -> String? {
    for name in ["id", "task_id", "question_id"] {
      switch object[name] {
      case nil, .null: continue
      case .string(let text): return text
      case .number(let number): return number.text
      default: throw error("'\(name)' must be a string or a number.")
      }
    }
    return nil
  }

  func seconds() throws(ProgramTaskError) -> Double? {
    guard let value = object["seconds"] else { return nil }
    guard case .number(let number) = value, let seconds = number.double, seconds > 0,
      seconds <= 3600
    else { throw error("'seconds' must be a number above 0, and 3600 at most.") }
    return seconds
  }

  // MARK: Benchmarks

  /// LiveCodeBench as it is published: texts that hold arrays of tests, or pack them.
  func liveCodeBench() throws(ProgramTaskError) -> ProgramTask.Tests {
    var cases: [ProgramTaskRow] = []
    for name in ["public_test_cases", "private_test_cases"] where has(name) {
      cases += try unpacked(name).objects(name)
    }
    var inputs: [String] = []
    var outputs: [String] = []
    var isFunction: Bool?
    for test in cases {
      inputs.append(try test.text("input"))
      outputs.append(try test.text("output"))
      let kind = try test.text("testtype")
      guard kind == "stdin" || kind == "functional" else {
        throw test.error("'testtype' must be 'stdin' or 'functional', not \(quoted(kind)).")
      }
      if let isFunction, isFunction != (kind == "functional") {
        throw error("some tests are 'stdin' and others 'functional'.")
      }
      isFunction = kind == "functional"
    }
    guard isFunction == true else {
      return .standardInput(
        zip(inputs, outputs).map { ProgramTask.InputTest(input: $0, output: $1) })
    }
    let metadata = try embedded("metadata")
    return try calls(of: metadata.text("func_name"), inputs, outputs)
  }

  /// `inputs`, `outputs` and perhaps `fn_name`, as LiveCodeBench's own tester takes them.
  func lists(named name: String) throws(ProgramTaskError) -> ProgramTask.Tests {
    guard case .array(let given) = object["inputs"], has("outputs") else {
      throw error("'\(name)' must hold the arrays 'inputs' and 'outputs'.")
    }
    var inputs: [String] = []
    for value in given {
      switch value {
      case .string(let text): inputs.append(text)
      case .array(let lines):
        var texts: [String] = []
        for line in lines {
          guard case .string(let text) = line else {
            throw error("'inputs' must hold strings, or arrays of their lines.")
          }
          texts.append(text)
        }
        inputs.append(texts.joined(separator: "\n"))
      default: throw error("'inputs' must hold strings, or arrays of their lines.")
      }
    }
    let outputs = try texts("outputs")
    guard inputs.count == outputs.count else {
      throw error("there are \(inputs.count) 'inputs' and \(outputs.count) 'outputs'.")
    }
    if let function = try optionalText("fn_name") {
      return try calls(of: function, inputs, outputs)
    }
    return .standardInput(zip(inputs, outputs).map { ProgramTask.InputTest(input: $0, output: $1) })
  }

  /// Arguments are lines of JSON.
  private func calls(
    of function: String, _ inputs: [String], _ outputs: [String]
  ) throws(ProgramTaskError) -> ProgramTask.Tests {
    var tests: [ProgramTask.CallTest] = []
    for (number, (input, output)) in zip(inputs, outputs).enumerated() {
      let place = "test \(number + 1)"
      var arguments: [JSONValue] = []
      for line in input.utf8.split(separator: UInt8(ascii: "\n")) {
        arguments.append(
          try parsed(String(decoding: Array(line), as: UTF8.self), "an argument of \(place)"))
      }
      tests.append(
        ProgramTask.CallTest(
          arguments: arguments, result: try parsed(output, "the result of \(place)")))
    }
    return .function(name: function, tests)
  }

  /// The package's own form, or the lists of LiveCodeBench.
  func plainTests() throws(ProgramTaskError) -> ProgramTask.Tests {
    if case .object(let lists) = object["tests"] {
      return try ProgramTaskRow(lists, source: source).lists(named: "tests")
    }
    let rows = try objects("tests")
    guard let function = try optionalText("function") else {
      var tests: [ProgramTask.InputTest] = []
      for row in rows {
        tests.append(
          ProgramTask.InputTest(input: try row.text("input"), output: try row.text("output")))
      }
      return .standardInput(tests)
    }
    var tests: [ProgramTask.CallTest] = []
    for row in rows {
      guard case .array(let arguments) = row.object["arguments"] else {
        throw row.error("'arguments' must be an array.")
      }
      guard let result = row.object["result"] else { throw row.error("there is no 'result'.") }
      tests.append(ProgramTask.CallTest(arguments: arguments, result: result))
    }
    return .function(name: function, tests)
  }

  /// `[{"input": {"stdin": …}, "output": {"stdout": …}}]`, or the lists of LiveCodeBench, by
  /// themselves or in `input_output`; or the text of one of these, or that packed.
  func codeContests() throws(ProgramTaskError) -> ProgramTask.Tests {
    let row = try unpacked("test")
    if case .object(let given) = row.object["test"] {
      let lists = ProgramTaskRow(given, source: source)
      guard lists.has("input_output") else { return try lists.lists(named: "test") }
      return try lists.embedded("input_output").lists(named: "input_output")
    }
    var tests: [ProgramTask.InputTest] = []
    for test in try row.objects("test") {
      tests.append(
        ProgramTask.InputTest(
          input: try test.embedded("input").text("stdin"),
          output: try test.embedded("output").text("stdout")))
    }
    return .standardInput(tests)
  }

  /// The prompt begins the function, so that the program may only go on with it; the test defines
  /// `check`, which is given the function.
  func humanEval() throws(ProgramTaskError) -> ProgramTask.Tests {
    let prompt = try text("prompt")
    let entryPoint = try text("entry_point")
    return .assertions(
      ProgramTask.Assertions(
        prelude: prompt, setup: prompt,
        tests: [try text("test") + "\n\ncheck(\(entryPoint))\n"], entryPoint: entryPoint))
  }

  func mbpp() throws(ProgramTaskError) -> ProgramTask.Tests {
    var setup = has("test_imports") ? try texts("test_imports") : []
    if let text = try optionalText("test_setup_code") {
      setup.append(text)
    } else if has("labels"),
      let text = try embedded("labels").optionalText("test_setup_code")
    {
      setup.append(text)  // SandboxFusion keeps it there.
    }
    let tests = try texts("test_list")
    // The reference tells what a program is to define: it may be a name that Python has, too.
    let names = Self.functions(definedIn: try reference()).filter { name in
      (setup + tests).contains { Self.calls(name, in: $0) }
    }
    return .assertions(
      ProgramTask.Assertions(
        setup: setup.joined(separator: "\n"), tests: tests,
        entryPoint: names.count == 1 ? names[0] : nil))
  }

  private func reference() throws(ProgramTaskError) -> String {
    if let code = try optionalText("code") { return code }
    return try optionalText("canonical_solution") ?? ""
  }

  /// The names of a program's functions and classes, without those within others.
  private static func functions(definedIn code: String) -> [String] {
    var names: [String] = []
    for line in code.utf8.split(separator: 0x0A) {
      guard let word = ["def ", "class "].first(where: { line.starts(with: $0.utf8) }) else {
        continue
      }
      let name = String(
        decoding: Array(line.dropFirst(word.utf8.count).prefix(while: isOfName)), as: UTF8.self)
      if !names.contains(name) { names.append(name) }
    }
    return names
  }

  private static func calls(_ name: String, in test: String) -> Bool {
    let text = Array(test.utf8)
    let word = Array(name.utf8)
    return text.indices.contains { i in
      text[i...].starts(with: word) && (i == 0 || !isOfName(text[i - 1]))
        && text[(i + word.count)...].first { $0 != 0x20 } == UInt8(ascii: "(")
    }
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || byte >= 0x80 || (byte >= 0x30 && byte <= 0x39)
      || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
  }
}

extension String {
  fileprivate var droppingStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
