import Datasets
import FineTuning
import Foundation
import Interface
import Models
import Storage
import Tensors
import Training

extension Command {
  /// `fine-tune`: trains a student as a recipe says.
  static let fineTune = Command(
    "fine-tune", summary: "Fine-tunes a student on samples.",
    discussion: """
      Renders and checks the samples of a recipe, plans the memory, trains all parameters of the \
      student, or adapters beside them, and writes it as a folder that transformers or PEFT loads. \
      The run's folder holds the whole \
      recipe, what it ran on, the figures of every step, and checkpoints.

      Stopped at any moment (Ctrl-C, SIGTERM, or a kill), the same command goes on where it stopped, \
      with the same results to the bit. After Ctrl-C or SIGTERM it is saved first, and the program \
      ends with status \(stoppedStatus); a second signal ends it at once.
      """,
    example: """
      distill fine-tune my-student.json5
      distill fine-tune my-student.json5 --overfit-one-batch --set run=try
      """,
    takes: recipe, set, overfit, inexact, memory,
    run: prepared { arguments, console in
      let resolved = try readRecipe(
        FineTuningRecipe.self, of: .fineTune, at: arguments[recipe], overrides: arguments[set])
      let limit = arguments[memory]?.bytes ?? memoryOfThisMachine
      let ready = try PreparedFineTuning(resolved.recipe, memory: limit) { preparation, key in
        try prepareData(preparation, key: key, console)
      }
      let plan = FineTuningPlan(ready, threads: ThreadPool.shared.threads)
      let beginning = PlanReport(plan, memory: limit).beginning
      console.note(beginning)
      try plan.checkFits(limit)
      // Before this a signal ends the program at once: there is nothing to save yet.
      let stop = StopSignal {
        console.note("Stopping: the run is being saved. Once more ends it at once.")
      }
      let directory = try RunDirectory(
        at: resolved.recipe.run,
        ready.identity(
          version: Program.distillVersion, resolvedRecipe: parsed(resolved.resolvedJSON),
          overfitsOneBatch: arguments[overfit]),
        allowingOtherIdentity: arguments[inexact], note: { console.note("Note: \($0)") })
      directory.note(beginning)
      let display = TrainingDisplay(console, directory)
      let run = try FineTuningRun(
        ready, in: directory, overfitsOneBatch: arguments[overfit],
        isStopped: { stop.isRaised }, report: { display.show($0) })
      let outcome = try run.run()
      display.finish()
      switch outcome {
      case .finished(let student):
        console.print(
          ready.chosen.form.lowRank == nil
            ? "The student is in \(student)."
            : "The student's adapters are in \(student). To merge them:\n"
              + "distill merge \(resolved.recipe.student) \(student) <output>")
      case .stopped(let step):
        throw StoppedRun(path: arguments[recipe], step: step)
      }
    })

  private static let recipe = Positional("recipe", help: "A recipe of the kind 'fine-tune'.")
  private static let set = RepeatedOption.recipeOverrides
  private static let overfit = Flag(
    "overfit-one-batch",
    help: "Learn from the first step's rows only, again and again: the loss must fall to near 0.")
  private static let inexact = Flag(
    "allow-inexact-resume",
    help: "Go on though the recipe, the data, the toolkit or the processor is another.")
  private static let memory = Option(
    "memory", "size",
    help: "Memory that may be used, such as 24GiB; without it, nine tenths of what there is.",
    .sizes)
}

/// What a run may use of this machine: the system needs the rest.
var memoryOfThisMachine: Int { Int(ProcessInfo.processInfo.physicalMemory / 10 * 9) }

/// The status of a run that was stopped and saved: that of a failure which another try mends.
let stoppedStatus: Int32 = 75

/// A run that was stopped by a signal, and saved.
struct StoppedRun: ErrorWithStatus, CustomStringConvertible {
  let path: String
  let step: Int
  var exitStatus: Int32 { stoppedStatus }
  var description: String {
    "Stopped after step \(step). The same command goes on from there."
  }
}

/// A resolved recipe as a tree.
func parsed(_ json: String) throws -> JSONValue {
  try Array(json.utf8).withUnsafeBytes { try JSONValue(parsing: $0, source: "the recipe") }
}

/// Renders and checks samples into a recipe's cache, and says how they are.
func prepareData(_ preparation: Preparation, key: String, _ console: Console) throws {
  var writer = try PreparedDataWriter(
    at: preparation.recipe.cache, key: key, sources: preparation.files.count,
    idLimit: preparation.checkpoint.tokenizer.idLimit)
  let line = ProgressLine(total: preparation.count, unit: "samples", console: console)
  var done = 0
  let report = try preparation.run(write: { try writer.append($0, source: $1, sample: $2) }) {
    count in
    line.advance(by: count - done)
    done = count
  }
  line.finish()
  try refuse(report)
  guard case .object(let counts) = DataReport(preparation.recipe, report).json else { return }
  try writer.finish(report: counts)
  console.note(
    "\(countedText(report.lengths.count, "document")) of \(countedText(preparation.count, "sample")) "
      + "prepared in \(preparation.recipe.cache).")
}
