import Foundation
import Interface
import Tensors

extension Program {
  /// The program `distill`.
  public static let distill = Program(
    "distill", version: distillVersion,
    summary: "Distils the reasoning of large language models into small ones, on CPUs.",
    globals: [threads],
    purposes: [
      Purpose("Try it: a whole experiment", "run"),
      Purpose("Sample a teacher", "generate", "curate"),
      Purpose("Fine-tune a student", "fine-tune"),
      Purpose("Reinforce a model", "reinforce"),
      Purpose("Evaluate and compare models", "evaluate", "compare"),
      Purpose("Use what came of it", "chat", "sample", "report"),
    ],
    groups: [
      CommandGroup(
        "Stages, each by its recipe", .wholeRun, .recipe(kinds: recipeKinds, program: "distill"),
        .generate, .curate, .plan, .fineTune, .reinforce, .evaluate, .compare),
      CommandGroup("What came of them", .report, .responses, .diff),
      CommandGroup("Models", .chat, .sample, .inspect, .convert, .merge, .initialize, .diagnose),
      CommandGroup("Text and samples", .tokenize, .trainTokenizer, .check, .show, .prepare),
      CommandGroup("Answers", .grade, .regrade, .runTests),
      CommandGroup("This machine", .kernels, .bench),
    ])

  /// The version, which runs keep with their results.
  public static let distillVersion = "0.1.0"

  /// The kinds of recipes that the commands read.
  public static let recipeKinds: [RecipeKind] = [
    .data, .initialize, .generate, .curate, .fineTune, .reinforce, .evaluate, .compare,
  ]
}

extension Program {
  /// The pages that `report` writes.
  static let runPages: [RunPage] = [.fineTuning, .reinforcement]
}

/// The option that every command accepts.
let threads = Option(
  "threads", "count",
  help: "Worker threads; without it what DISTILL_THREADS says, or one for each core.",
  .wholeNumbers(in: 1...ThreadPool.limit))

/// What a command does, once the environment is checked and the threads are as many as asked for.
///
/// It stands before every command's own work and not in `main`, so that a wrong variable keeps
/// nobody from reading the help.
func prepared(
  _ run: @escaping @Sendable (Arguments, Console) throws -> Void
) -> @Sendable (Arguments, Console) throws -> Void {
  { arguments, console in
    try checkEnvironment(ProcessInfo.processInfo.environment)
    if let count = arguments[threads] { ThreadPool.shared.threads = count }
    try run(arguments, console)
  }
}

/// Checks the variables that `Tensors` reads, where it lets a default stand in for a wrong one.
///
/// - Throws: `InstructionSetError` or `CommandError`, which end the program with 1: the command
///   line itself is right.
func checkEnvironment(_ environment: [String: String]) throws {
  _ = try InstructionSet.chosen(in: environment)
  guard let wish = environment["DISTILL_THREADS"], !wish.isEmpty,
    ThreadPool.threadsWished(in: environment) == nil
  else { return }
  throw CommandError(
    "DISTILL_THREADS is '\(wish)', not a whole number from 1 to \(ThreadPool.limit).")
}

/// Why a command could not do its work: every finding, each in a sentence of its own.
public struct CommandError: Error, Equatable, CustomStringConvertible {
  public let findings: [String]
  public var description: String { findings.joined(separator: "\n") }

  init(_ findings: [String]) { self.findings = findings }
  init(_ finding: String) { findings = [finding] }
}
