import Foundation
import Storage
import XCTest

@testable import Verification

final class TaskReadingTests: XCTestCase {
  func testEveryFormIsWrittenAndReadAgain() throws {
    let rows: [(String, ProgramTask.Tests)] = [
      (
        #"{"tests":[{"input":"1\n","output":"2"}],"id":7}"#,
        .standardInput([.init(input: "1\n", output: "2")])
      ),
      (
        #"{"tests":{"inputs":["1",["2","3"]],"outputs":["4","5"],"fn_name":null}}"#,
        .standardInput([.init(input: "1", output: "4"), .init(input: "2\n3", output: "5")])
      ),
      (
        #"{"tests":{"inputs":["1\n[2, 3]"],"outputs":["[4]"],"fn_name":"f"}}"#,
        .function(
          name: "f",
          [
            .init(
              arguments: [try JSONValue("1"), try JSONValue("[2,3]")], result: try JSONValue("[4]"))
          ]
        )
      ),
      (
        #"{"function":"f","tests":[{"arguments":[],"result":null}],"seconds":2.5}"#,
        .function(name: "f", [.init(arguments: [], result: .null)])
      ),
      (
        #"{"test":"[{\"input\":{\"stdin\":\"1\"},\"output\":{\"stdout\":\"2\"}}]","id":0}"#,
        .standardInput([.init(input: "1", output: "2")])
      ),
      (
        #"{"test":{"input_output":"{\"inputs\":[\"1\"],\"outputs\":[\"2\"]}"}}"#,
        .standardInput([.init(input: "1", output: "2")])
      ),
      (
        #"{"task_id":"HumanEval/0","prompt":"def f():\n","entry_point":"f","test":"def check(c): pass"}"#,
        .assertions(
          .init(
            prelude: "def f():\n", setup: "def f():\n",
            tests: ["def check(c): pass\n\ncheck(f)\n"], entryPoint: "f"))
      ),
      (
        #"{"entry_point":"f","assertion":"assert f() == 1","prompt":"x","base_input":[[1]]}"#,
        .assertions(.init(tests: ["assert f() == 1"], entryPoint: "f"))
      ),
      (
        #"{"test_list":["assert f() == 1"],"test_setup_code":"a = 1","code":"def g():\n  pass\ndef f():\n  pass"}"#,
        .assertions(.init(setup: "a = 1", tests: ["assert f() == 1"], entryPoint: "f"))
      ),
      (
        #"{"test_list":["assert f(P()) == 1"],"test_imports":["import x"],"code":"class P:\n  a=1\ndef f(): 1"}"#,
        .assertions(.init(setup: "import x", tests: ["assert f(P()) == 1"]))
      ),
      (
        #"{"test_list":["assert ff(1)"],"labels":"{\"test_setup_code\":\"b\"}","code":"def f(): 1"}"#,
        .assertions(.init(setup: "b", tests: ["assert ff(1)"]))
      ),
      (
        #"{"assertions":["assert f()"],"prelude":"p","setup":"s","entry_point":"f"}"#,
        .assertions(.init(prelude: "p", setup: "s", tests: ["assert f()"], entryPoint: "f"))
      ),
      (
        #"{"tests":[{"input":"","output":""}],"command":["/usr/bin/perl","{program}"],"file_name":"a.pl"}"#,
        .standardInput([.init(input: "", output: "")])
      ),
    ]
    for (text, tests) in rows {
      let task = try ProgramTask(text)
      XCTAssertEqual(task.tests, tests, text)
      XCTAssertEqual(try ProgramTask(task.json, source: "again"), task, text)
    }
    XCTAssertEqual(try ProgramTask(rows[0].0).id, "7")
    XCTAssertEqual(try ProgramTask(rows[3].0).secondsPerTest, 2.5)
    XCTAssertEqual(try ProgramTask(rows[0].0).secondsPerTest, 6)
    XCTAssertEqual(try ProgramTask(rows[12].0).command, ["/usr/bin/perl", "{program}"])
    XCTAssertEqual(try ProgramTask(rows[12].0).fileName, "a.pl")
    XCTAssertEqual(try ProgramTask(rows[6].0).id, "HumanEval/0")
  }

  func testRefusals() throws {
    let form = "no 'tests', and no field of a known benchmark."
    let refused: [(String, String)] = [
      ("[]", "this is no object. Write one task on each line."),
      ("{}", "there are no tests: \(form)"), (#"{"tests":[]}"#, "there are no tests in it."),
      (#"{"tests":7}"#, "'tests' must be an array of objects."),
      (#"{"tests":[7]}"#, "'tests' must be an array of objects."),
      (#"{"tests":{"fname":"1.json"}}"#, "'tests' must hold the arrays 'inputs' and 'outputs'."),
      (
        #"{"tests":{"inputs":[1],"outputs":[]}}"#,
        "'inputs' must hold strings, or arrays of their lines."
      ),
      (
        #"{"tests":{"inputs":[[1]],"outputs":[]}}"#,
        "'inputs' must hold strings, or arrays of their lines."
      ),
      (#"{"tests":{"inputs":["1"],"outputs":[]}}"#, "there are 1 'inputs' and 0 'outputs'."),
      (#"{"tests":{"inputs":[],"outputs":[1]}}"#, "'outputs' must be an array of strings."),
      (
        #"{"tests":{"inputs":["x"],"outputs":["1"],"fn_name":"f"}}"#,
        "an argument of test 1 is not JSON ('x' where a value must be)."
      ),
      (#"{"tests":[{"input":1,"output":""}]}"#, "'tests' 1: 'input' must be a string."),
      (#"{"function":"f","tests":[{"result":1}]}"#, "'tests' 1: 'arguments' must be an array."),
      (#"{"function":"f","tests":[{"arguments":[]}]}"#, "'tests' 1: there is no 'result'."),
      (#"{"function":1,"tests":[]}"#, "'function' must be a string."),
      (
        #"{"test":"eJxrYJ!"}"#,
        "'test' is neither JSON nor base64 of tests that are packed."
      ),
      (
        #"{"public_test_cases":"[]","private_test_cases":"eJx"}"#,
        "'private_test_cases' is neither JSON nor base64 of tests that are packed."
      ),
      (
        #"{"public_test_cases":[{"input":"","output":"","testtype":"x"}]}"#,
        "'public_test_cases' 1: 'testtype' must be 'stdin' or 'functional', not 'x'."
      ),
      (
        #"{"public_test_cases":[{"input":"","output":"","testtype":"functional"},{"input":"","output":"","testtype":"stdin"}]}"#,
        "some tests are 'stdin' and others 'functional'."
      ),
      (
        #"{"public_test_cases":[{"input":"","output":"1","testtype":"functional"}]}"#,
        "'metadata' must be an object."
      ),
      (#"{"test_list":[1]}"#, "'test_list' must be an array of strings."),
      (#"{"entry_point":"f","test":"x"}"#, "'prompt' must be a string."),
      (#"{"tests":[{"input":"","output":""}],"id":[]}"#, "'id' must be a string or a number."),
      (
        #"{"tests":[{"input":"","output":""}],"seconds":0}"#,
        "'seconds' must be a number above 0, and 3600 at most."
      ),
      (
        #"{"tests":[{"input":"","output":""}],"command":["perl"]}"#,
        "'command' must begin with the whole path of a program."
      ),
      (
        #"{"assertions":["assert 1"],"command":["/usr/bin/perl"]}"#,
        "'command' goes only with tests that read standard input; others are Python."
      ),
      (
        #"{"tests":[{"input":"","output":""}],"file_name":"../x"}"#,
        "'file_name' must be a plain name, not '../x'."
      ),
      (#"{"test":"{}"}"#, "'test' must hold the arrays 'inputs' and 'outputs'."),
      (#"{"test":{"input_output":"[]"}}"#, "'input_output' must be an object."),
      (
        #"{"input_output":"[1"}"#,
        "'input_output' is not JSON (the text ends where ',' or ']' must be)."
      ),
    ]
    for (text, message) in refused {
      XCTAssertThrowsError(try ProgramTask(text), text) { error in
        let place = message.hasPrefix("'tests' 1:") || message.hasPrefix("'public_test_cases' 1:")
        XCTAssertEqual("\(error)", "tasks.jsonl:1\(place ? ", " : ": ")\(message)")
      }
    }
  }

  func testFiles() throws {
    let folder = try TemporaryFolder()
    let good = #"{"tests":[{"input":"","output":""}]}"#
    let path = try folder.write("\(good)\n\n\(good)\n{}\n", as: "a.jsonl")
    XCTAssertThrowsError(try ProgramTask.tasks(at: path)) { error in
      XCTAssertEqual(
        "\(error)",
        "\(path):4: there are no tests: no 'tests', and no field of a known benchmark.")
    }
    let array = try folder.write(" [\(good), \(good)]", as: "a.json")
    XCTAssertEqual(try ProgramTask.tasks(at: array).count, 2)
    let empty = try folder.write("\n", as: "empty.jsonl")
    XCTAssertThrowsError(try ProgramTask.tasks(at: empty)) { error in
      XCTAssertEqual("\(error)", "\(empty): there are no tasks.")
    }
    // NaN is let through only where nobody reads it.
    let assertion =
      #""entry_point":"f","assertion":"assert f() == 'NaN'","base_input":[NaN,-Infinity]"#
    let plus = try folder.write("{\(assertion)}\n", as: "plus.jsonl")
    XCTAssertEqual(
      try ProgramTask.tasks(at: plus).map(\.tests),
      [.assertions(.init(tests: ["assert f() == 'NaN'"], entryPoint: "f"))])
    let special = try folder.write(
      #"{"function":"f","tests":[{"arguments":[NaN],"result":1}]}"# + "\n", as: "nan.jsonl")
    XCTAssertThrowsError(try ProgramTask.tasks(at: special)) { error in
      XCTAssertTrue("\(error)".hasPrefix("\(special):1:1:40: 'NaN' is not"), "\(error)")
    }
  }

  func testAssertionsAreCounted() {
    let tests = ProgramTask.Assertions(
      tests: [
        "assert a\nassert(b); assert c\n", "x = 1", "def check(c):\n  assertion = 1\n  assert c",
      ])
    XCTAssertEqual(tests.count, 5)
    XCTAssertEqual(tests.number(text: 0, line: 1), 1)
    XCTAssertEqual(tests.number(text: 0, line: 2), 3)
    XCTAssertEqual(tests.number(text: 1, line: 0), 4)
    XCTAssertEqual(tests.number(text: 2, line: 3), 5)
    XCTAssertEqual(tests.number(text: 9, line: 3), 1)
  }
}
