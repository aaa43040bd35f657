import Storage

/// A problem that a program solves, and the tests that say whether it does.
///
/// Expected outputs and test code are the judge's: nothing here but inputs and `prelude` is ever
/// given to the program.
public struct ProgramTask: Equatable, Sendable {
  /// What the program is asked, and how its answers are looked at.
  public enum Tests: Equatable, Sendable {
    /// It reads standard input and prints.
    case standardInput([InputTest])
    /// One of its functions is called.
    case function(name: String, [CallTest])
    /// Python's `assert` statements about what it defines.
    case assertions(Assertions)
  }

  /// Text in, text out.
  public struct InputTest: Equatable, Sendable {
    public var input: String
    public var output: String

    public init(input: String, output: String) {
      self.input = input
      self.output = output
    }
  }

  /// Arguments in, a result out.
  public struct CallTest: Equatable, Sendable {
    public var arguments: [JSONValue]
    public var result: JSONValue

    public init(arguments: [JSONValue], result: JSONValue) {
      self.arguments = arguments
      self.result = result
    }
  }

  /// Tests that are Python themselves, as those of HumanEval and MBPP.
  public struct Assertions: Equatable, Sendable {
    /// Run before the program, in its own box: what the task's text defines for it.
    public var prelude: String
    /// Run before the tests, in theirs.
    public var setup: String
    /// The tests, run one after the other.
    public var tests: [String]
    /// The one name that the tests take from the program; nil for every name that neither Python
    /// nor `setup` defines.
    public var entryPoint: String?

    public init(
      prelude: String = "", setup: String = "", tests: [String], entryPoint: String? = nil
    ) {
      self.prelude = prelude
      self.setup = setup
      self.tests = tests
      self.entryPoint = entryPoint
    }

    /// How many assertions are written in them; each text counts as one at least.
    var count: Int { tests.reduce(0) { $0 + max(1, Self.assertions(in: $1)) } }

    /// The number, from 1, of the assertion at a line of a text, or of the last one before it.
    func number(text: Int, line: Int) -> Int {
      guard tests.indices.contains(text) else { return 1 }
      let earlier = tests[..<text].reduce(0) { $0 + max(1, Self.assertions(in: $1)) }
      return earlier + max(1, Self.assertions(in: tests[text], upTo: line))
    }

    /// Statements that begin with `assert`, one below the other or after a semicolon.
    private static func assertions(in text: String, upTo last: Int = .max) -> Int {
      var count = 0
      for (number, line) in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
        .enumerated() where number < last
      {
        for statement in line.split(separator: UInt8(ascii: ";")) {
          let words = statement.drop { $0 == 0x20 || $0 == 0x09 }
          if words.starts(with: "assert".utf8),
            let next = words.dropFirst(6).first, next == 0x20 || next == UInt8(ascii: "(")
          {
            count += 1
          }
        }
      }
      return count
    }
  }

  /// What the task is called; nil where its file doesn't say.
  public var id: String?
  public var tests: Tests
  /// The program's file in its box.
  public var fileName: String
  /// What runs the program, an absolute path first, with `{program}` for its file; nil is Python 3
  /// and the names that LiveCodeBench gives a program. Only for standard input.
  public var command: [String]?
  /// Seconds for each test.
  public var secondsPerTest: Double

  /// LiveCodeBench's seconds for each test.
  public static let defaultSeconds = 6.0

  /// The most bytes of a field of tests that is published packed, once it is unpacked: as many as
  /// of one that is not. `PickleLimits` bounds what they may hold.
  public static let mostUnpackedBytes = JSONLimits.default.bytes

  public init(
    id: String? = nil, tests: Tests, fileName: String = "program.py", command: [String]? = nil,
    secondsPerTest: Double = ProgramTask.defaultSeconds
  ) {
    self.id = id
    self.tests = tests
    self.fileName = fileName
    self.command = command
    self.secondsPerTest = secondsPerTest
  }

  /// The number of tests.
  public var count: Int {
    switch tests {
    case .standardInput(let tests): tests.count
    case .function(_, let tests): tests.count
    case .assertions(let tests): tests.count
    }
  }

  /// Seconds for all tests together, as LiveCodeBench has them.
  var secondsInAll: Double { (secondsPerTest + 1) * Double(count) + 5 }
}
