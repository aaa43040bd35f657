import Foundation
import XCTest

@testable import Interface

private enum Packing: String, Choice { case none, bestFit }

private let recipe = Positional("recipe", help: "A recipe file.")
private let output = OptionalPositional(
  "output", help: "The folder that the run writes to; without it, one beside the recipe.")
private let seed = Option("seed", "number", help: "The seed.", .wholeNumbers)
private let rate = Option("rate", "number", help: "The learning rate.", .numbers)
private let steps = Option("steps", "count", help: "Steps.", .wholeNumbers(in: 1...1000))
private let packing = Option<Packing>("packing", "kind", help: "How rows are made.", .choices)
private let resume = Flag("resume", help: "Continue from the last checkpoint.")
private let set = RepeatedOption.recipeOverrides
private let threads = Option("threads", "count", help: "Worker threads.", .wholeNumbers)
private let json = Flag("json", help: "Print results as JSON.")

private struct Diverged: Error, CustomStringConvertible {
  let description = "Step 812: the loss is not finite.\nLook at 'diverged.json'."
}

private let program = Program(
  "distill", version: "0.1.0", summary: "Distils reasoning into small models.",
  globals: [threads, json],
  commands: [
    Command(
      "train", summary: "Fine-tunes a student.",
      discussion: """
        Reads a recipe and the samples that it names, and writes a checkpoint after every epoch, \
        so that a run which was stopped can go on.

        The loss is printed after every step.
        """,
      example: """
        distill train Recipes/tiny/2-fine-tune.json5
        distill train my.json5 runs/7 --set 'optimizer.learningRate=2e-4' --resume | tee log
        """,
      takes: recipe, output, seed, rate, steps, packing, set, resume
    ) { arguments, console in
      console.print("recipe \(arguments[recipe])")
      console.print("output \(arguments[output] ?? "-")")
      console.print("seed \(arguments[seed].map(String.init) ?? "-")")
      console.print("rate \(arguments[rate].map { "\($0)" } ?? "-")")
      console.print("steps \(arguments[steps].map(String.init) ?? "-")")
      console.print("packing \(arguments[packing]?.rawValue ?? "-")")
      console.print("set \(arguments[set])")
      console.print("resume \(arguments[resume])")
      console.print("threads \(arguments[threads].map(String.init) ?? "-")")
      console.print("json \(arguments[json])")
    },
    Command(
      "fail", summary: "Fails.", discussion: "Prints a line, then fails.",
      example: "distill fail"
    ) { _, console in
      console.print("begun")
      throw Diverged()
    },
    Command(
      "missing", summary: "Reads no file.", discussion: "Fails as Foundation fails.",
      example: "distill missing"
    ) { _, _ in _ = try Data(contentsOf: URL(fileURLWithPath: "/nowhere/at all")) },
    Command(
      "choose", summary: "Refuses its options.", discussion: "Says so by a usage error.",
      example: "distill choose"
    ) { _, _ in throw UsageError("'--resume' and '--seed' exclude each other.") },
  ])

/// What one run prints and returns.
private struct Run: Equatable {
  var output = ""
  var errors = ""
  var status: Int32 = 0
}

private func outcome(of words: [String]) -> Run {
  let transcript = Transcript()
  let status = program.run(words, on: transcript.console())
  return Run(output: transcript.output, errors: transcript.errors, status: status)
}

private func seen(
  _ words: String..., file: StaticString = #filePath, line: UInt = #line
) -> [String: String] {
  let transcript = Transcript()
  XCTAssertEqual(
    program.run(["train"] + words, on: transcript.console()), 0, transcript.errors, file: file,
    line: line)
  XCTAssertEqual(transcript.errors, "", file: file, line: line)
  return Dictionary(
    transcript.output.split(separator: "\n").map { line in
      let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
      return (parts[0], parts[1])
    }, uniquingKeysWith: { $1 })
}

private let trainUsage = """
  Usage: distill train <recipe> [<output>] [--seed <number>] [--rate <number>]
                       [--steps <count>] [--packing <kind>] [--set <key=value>] …
                       [--resume]
  """

private let page = """
  Distils reasoning into small models.

  Usage: distill <command> [<argument> …]

  Commands:
    train    Fine-tunes a student.
    fail     Fails.
    missing  Reads no file.
    choose   Refuses its options.

  Every command accepts:
    --threads <count>  Worker threads.
    --json             Print results as JSON.
    --help             Print the command's page.

  Exit status:
    0   Done.
    1   The run failed; the last lines say why.
    64  The command line was not understood.
    75  Stopped and saved; the same command goes on.

  See 'distill help <command>' for one of them; 'distill --version' prints the
  version.

  """

final class ProgramTests: XCTestCase {
  func testValuesReachTheCommand() {
    XCTAssertEqual(
      seen(
        "r.json5", "--seed", "8", "--set=a.b=1", "--set", "c=2", "runs/7", "--rate=1e-5",
        "--steps", "1000", "--packing", "bestFit", "--resume", "--json", "--threads", "2"),
      [
        "recipe": "r.json5", "output": "runs/7", "seed": "8", "rate": "1e-05", "steps": "1000",
        "packing": "bestFit", "set": "[\"a.b=1\", \"c=2\"]", "resume": "true", "threads": "2",
        "json": "true",
      ])
    XCTAssertEqual(
      seen("r.json5"),
      [
        "recipe": "r.json5", "output": "-", "seed": "-", "rate": "-", "steps": "-",
        "packing": "-", "set": "[]", "resume": "false", "threads": "-", "json": "false",
      ])
  }

  func testTheLastOfAnOptionWins() {
    XCTAssertEqual(seen("r", "--seed", "1", "--seed=2")["seed"], "2")
  }

  func testNegativeNumbersAreValues() {
    XCTAssertEqual(seen("r", "--seed", "-5")["seed"], "-5")
    XCTAssertEqual(seen("r", "--rate", "-.5e-3")["rate"], "-0.0005")
    XCTAssertEqual(seen("-5", "-.5")["recipe"], "-5")
    XCTAssertEqual(seen("-5", "-.5")["output"], "-.5")
  }

  func testTwoDashesEndTheOptions() {
    XCTAssertEqual(seen("--json", "--", "--resume", "--help")["recipe"], "--resume")
    XCTAssertEqual(seen("--json", "--", "--resume", "--help")["output"], "--help")
    XCTAssertEqual(seen("--json", "--", "--resume", "--help")["resume"], "false")
    XCTAssertEqual(seen("--", "a", "--")["output"], "--")
  }

  func testADashAloneIsAValue() {
    XCTAssertEqual(seen("-")["recipe"], "-")
    XCTAssertEqual(seen("a", "--set", "b=-")["set"], "[\"b=-\"]")
  }

  func testGlobalOptionsMayStandBeforeTheCommand() {
    let run = outcome(of: ["--threads", "3", "--json", "train", "r"])
    XCTAssertEqual(run.status, 0)
    XCTAssertTrue(run.output.hasSuffix("threads 3\njson true\n"), run.output)
    XCTAssertEqual(
      outcome(of: ["--threads=4", "train", "r"]).output.suffix(21), "threads 4\njson false\n"[...])
  }

  func testMistakesInTheOptionsOfACommand() {
    let cases: [(words: [String], message: String)] = [
      ([], "Missing argument '<recipe>'."),
      (["r", "s", "t"], "Unexpected argument 't'."),
      (["r", "--seed"], "Missing value for '--seed <number>'."),
      (
        ["r", "--seed", "--resume"],
        "Missing value for '--seed <number>'; if it is '--resume', write '--seed=--resume'."
      ),
      (
        ["r", "--seed", "--", "7"],
        "Missing value for '--seed <number>'; if it is '--', write '--seed=--'."
      ),
      (
        ["r", "--seed", "-x"],
        "Missing value for '--seed <number>'; if it is '-x', write '--seed=-x'."
      ),
      (
        ["r", "--seed", "many"],
        "'--seed <number>' must be a whole number, but was given 'many'."
      ),
      (["r", "--seed="], "'--seed <number>' must be a whole number, but was given ''."),
      (
        ["r", "--seed", "99999999999999999999"],
        "'--seed <number>' must be a whole number, but was given '99999999999999999999'."
      ),
      (["r", "--rate", "nan"], "'--rate <number>' must be a number, but was given 'nan'."),
      (["r", "--rate", "1e999"], "'--rate <number>' must be a number, but was given '1e999'."),
      (
        ["r", "--steps", "1001"],
        "'--steps <count>' must be a whole number from 1 to 1000, but was given '1001'."
      ),
      (
        ["r", "--packing", "best"],
        "'--packing <kind>' must be 'none' or 'bestFit', but was given 'best'."
      ),
      (
        ["r", "--set", "seed"],
        "'--set <key=value>' must be a key, '=' and a value, but was given 'seed'."
      ),
      (
        ["r", "--set", "a..b=1"],
        "'--set <key=value>' must be a key, '=' and a value, but was given 'a..b=1'."
      ),
      (["r", "--sede", "8"], "Unknown option '--sede'. Did you mean '--seed'?"),
      (["r", "--thread=8"], "Unknown option '--thread'. Did you mean '--threads'?"),
      (["r", "--hlep"], "Unknown option '--hlep'. Did you mean '--help'?"),
      (["r", "--verbosity"], "Unknown option '--verbosity'."),
      (["r", "-v"], "Unknown option '-v'."),
      (["r", "-5x"], "Unknown option '-5x'."),
      (["r", "---"], "Unknown option '---'."),
      (["r", "--resume=yes"], "'--resume' takes no value, but was given 'yes'."),
      (["r", "--\u{1B}[2J"], "Unknown option '--\\u{1b}[2J'."),
    ]
    for (words, message) in cases {
      XCTAssertEqual(
        outcome(of: ["train"] + words),
        Run(errors: "Error: \(message)\n\(trainUsage)\nSee 'distill help train'.\n", status: 64))
    }
  }

  func testMistakesBeforeTheCommand() {
    let cases: [(words: [String], message: String)] = [
      (["trian"], "Unknown command 'trian'. Did you mean 'train'?"),
      (["Train", "r"], "Unknown command 'Train'. Did you mean 'train'?"),
      (["hepl"], "Unknown command 'hepl'. Did you mean 'help'?"),
      (["help", "trian"], "Unknown command 'trian'. Did you mean 'train'?"),
      (["--versoin"], "Unknown option '--versoin'. Did you mean '--version'?"),
      (["--thread", "4", "train", "r"], "Unknown option '--thread'. Did you mean '--threads'?"),
      (["--resume", "train", "r"], "Unknown option '--resume'."),
      (["--json"], "Missing command."),
      (["--threads"], "Missing command."),
    ]
    for (words, message) in cases {
      XCTAssertEqual(
        outcome(of: words), Run(errors: "Error: \(message)\nSee 'distill --help'.\n", status: 64))
    }
  }

  func testAnUnknownCommandFarFromAnyGetsThePage() {
    for words in [["bake"], ["help", "bake"]] {
      XCTAssertEqual(
        outcome(of: words), Run(errors: "Error: Unknown command 'bake'.\n\n\(page)", status: 64))
    }
  }

  func testThePage() {
    for words in [[], ["--help"], ["-h"], ["help"], ["help", "help"], ["help", "--help"]] {
      XCTAssertEqual(outcome(of: words), Run(output: page))
    }
  }

  // MARK: - Purposes and groups

  private func grouped(_ purposes: Purpose..., groups: CommandGroup...) -> Program {
    Program("p", version: "1", summary: "Does it.", purposes: purposes, groups: groups)
  }

  private func command(_ name: String) -> Command {
    Command(name, summary: "Does \(name).", discussion: "D.", example: "p \(name)") { _, _ in }
  }

  func testAProgramWithPurposesShowsThemWhenItIsGivenNoWord() {
    let program = grouped(
      Purpose("Make a thing", "make"), Purpose("Look at things", "show-all", "make"),
      groups: CommandGroup("Things", command("make")),
      CommandGroup("Others", command("show-all"), command("go")))
    let overview = """
      Does it.

        Make a thing    p make
        Look at things  p show-all, p make

      'p help <command>' says more about one of them, and 'p help' lists all commands.

      """
    let page = """
      Does it.

      Usage: p <command> [<argument> …]

      Things:
        make      Does make.

      Others:
        show-all  Does show-all.
        go        Does go.

      Every command accepts:
        --help  Print the command's page.

      """
    let transcript = Transcript()
    XCTAssertEqual(program.run([], on: transcript.console()), 0)
    XCTAssertEqual(transcript.output, overview)
    XCTAssertEqual(transcript.errors, "")
    for words in [["help"], ["--help"], ["-h"], ["help", "help"]] {
      let transcript = Transcript()
      XCTAssertEqual(program.run(words, on: transcript.console()), 0)
      XCTAssertTrue(transcript.output.hasPrefix(page), transcript.output)
    }
    let other = Transcript()
    XCTAssertEqual(program.run(["go"], on: other.console()), 0)
    XCTAssertEqual(other.output, "")
    XCTAssertEqual(program.findings, [])
  }

  func testFindingsAboutPurposes() {
    let words = String(repeating: "w", count: 31)
    XCTAssertEqual(
      grouped(
        Purpose("Make", "make", "mak"), Purpose("Nothing"), Purpose(words, "make"),
        groups: CommandGroup("Things", command("make")), CommandGroup("Same", command("make"))
      ).findings,
      [
        "Two commands are named 'make'.", "'Make' names 'mak', no command.",
        "'Nothing' names no command.", "'\(words)' is over 30 wide.",
      ])
  }

  func testThePageOfACommand() {
    let page = """
      Fine-tunes a student.

      Reads a recipe and the samples that it names, and writes a checkpoint after
      every epoch, so that a run which was stopped can go on.

      The loss is printed after every step.

      \(trainUsage)

      Arguments:
        <recipe>  A recipe file.
        <output>  The folder that the run writes to; without it, one beside the
                  recipe.

      Options:
        --seed <number>    The seed.
        --rate <number>    The learning rate.
        --steps <count>    Steps.
        --packing <kind>   How rows are made.
        --set <key=value>  Use another value for one key of the recipe, such as
                           optimizer.learningRate=2e-4.
        --resume           Continue from the last checkpoint.

      Every command accepts:
        --threads <count>  Worker threads.
        --json             Print results as JSON.

      Examples:
        distill train Recipes/tiny/2-fine-tune.json5
        distill train my.json5 runs/7 --set 'optimizer.learningRate=2e-4' --resume | tee log

      """
    for words in [["help", "train"], ["train", "--help"], ["train", "r", "--seed", "-h"]] {
      XCTAssertEqual(outcome(of: words), Run(output: page))
    }
  }

  func testThePageOfACommandThatTakesNothing() {
    XCTAssertEqual(
      outcome(of: ["help", "fail"]).output,
      """
      Fails.

      Prints a line, then fails.

      Usage: distill fail

      Every command accepts:
        --threads <count>  Worker threads.
        --json             Print results as JSON.

      Example:
        distill fail

      """)
  }

  func testAPageIsEightyWide() {
    let word = String(repeating: "w", count: 40)
    for (length, lines) in [(39, 1), (40, 2)] {
      let transcript = Transcript()
      let last = String(repeating: "x", count: length)
      let program = Program("p", version: "1", summary: "\(word) \(last)", commands: [])
      XCTAssertEqual(program.run([], on: transcript.console()), 0)
      let expected = lines == 1 ? "\(word) \(last)\n\n" : "\(word)\n\(last)\n\n"
      XCTAssertTrue(transcript.output.hasPrefix(expected), transcript.output)
    }
  }

  func testTheVersion() {
    XCTAssertEqual(outcome(of: ["--version"]), Run(output: "distill 0.1.0\n"))
  }

  func testAFailedRun() {
    XCTAssertEqual(
      outcome(of: ["fail"]),
      Run(
        output: "begun\n",
        errors: """
          Error: Step 812: the loss is not finite.
          Error: Look at 'diverged.json'.

          """, status: 1))
  }

  func testFoundationsErrorsSpeakInSentences() {
    let run = outcome(of: ["missing"])
    XCTAssertEqual(run.status, 1)
    XCTAssertTrue(run.errors.hasPrefix("Error: "), run.errors)
    XCTAssertFalse(run.errors.contains("Domain"), run.errors)
  }

  func testACommandMayRefuseItsOptions() {
    XCTAssertEqual(
      outcome(of: ["choose"]),
      Run(
        errors: """
          Error: '--resume' and '--seed' exclude each other.
          Usage: distill choose
          See 'distill help choose'.

          """, status: 64))
  }

  func testTheMadeUpProgramIsDeclaredWell() { XCTAssertEqual(program.findings, []) }

  func testFindings() {
    @Sendable func nothing(_ arguments: Arguments, _ console: Console) {}
    let slip = Program(
      "p", version: "1", summary: "S.", globals: [json, Positional("x", help: "X.")],
      commands: [
        Command(
          "help", summary: "No sentence", discussion: "D.", example: "p help", run: nothing),
        Command(
          "two", summary: "\(String(repeating: "w", count: 60)).", discussion: "D.",
          example: "p two a | p one\np tow\np two --nothing", takes: output, recipe,
          Flag("json", help: "J."), Flag("Big", help: "B"), run: nothing),
        Command("two", summary: "S.", discussion: "D.", example: "", run: nothing),
      ])
    XCTAssertEqual(
      slip.findings,
      [
        "Two commands are named 'two'.",
        "The program's '<x>' is not an option.",
        "Command 'help' needs another name.",
        "Command 'help': 'No sentence' is not a sentence.",
        "Command 'help': the example 'p help' is refused. Missing argument '<x>'.",
        "Command 'two': the summary is over 60 wide.",
        "Command 'two': '--Big' needs another name.",
        "Command 'two': the help of '--Big' is not a sentence.",
        "Command 'two' declares '--json' twice.",
        "Command 'two': '<recipe>' stands after the optional '<output>'.",
        "Command 'two': the example 'p two a | p one' is refused. "
          + "Missing argument '<recipe>'.",
        "Command 'two': the example 'p tow' is refused. It must begin with 'p two'.",
        "Command 'two': the example 'p two --nothing' is refused. "
          + "Unknown option '--nothing'.",
        "Command 'two' has no example.",
      ])
  }

  func testNoCommandLineTraps() {
    var random = SeededRandom(seed: 11)
    let pieces = [
      "train", "help", "--", "-", "--seed", "--seed=", "=", "--=", "-5", "--set", "a=b", "--json",
      "--threads", "9", "", "--help", "r", "\u{0}", "é", "--version", "--resume=", "-h", "'",
      "fail",
    ]
    for _ in 0..<fuzzCases / 4 {
      let words = (0..<Int.random(in: 0...7, using: &random)).map { _ in
        pieces[Int.random(in: 0..<pieces.count, using: &random)]
          + (Int.random(in: 0..<8, using: &random) == 0 ? pieces[2] : "")
      }
      let run = outcome(of: words)
      XCTAssertTrue([0, 1, 64].contains(run.status))
      XCTAssertEqual(run.status == 0, run.errors.isEmpty, "\(words)")
    }
  }
}
