import Foundation
import Interface
import Reinforcement
import Sandbox
import Storage
import Tensors
import Training

extension Command {
  /// `reinforce`: improves a policy by GRPO as a recipe says.
  static let reinforce = Command(
    "reinforce", summary: "Improves a model by reinforcement (GRPO).",
    discussion: """
      Samples several answers to each problem of a recipe, rewards them by rules, compares those to \
      the same problem with one another, and raises the probability of the better ones (group \
      relative policy optimization): from a base model, as DeepSeek-R1-Zero, or from a distilled \
      student. The run's folder holds the recipe, the figures of every step, answers to read, \
      checkpoints, and in the end the policy, as a folder that transformers loads.

      Stopped at any moment (Ctrl-C, SIGTERM, or a kill), the same command goes on from its last \
      checkpoint, with the same results to the bit. After Ctrl-C or SIGTERM the program ends with \
      status \(stoppedStatus); a second signal ends it at once.
      """,
    example: """
      distill reinforce my-policy.json5 --plan
      distill reinforce my-policy.json5
      """,
    takes: recipe, set, planOnly, inexact, memory,
    run: prepared { arguments, console in
      let resolved = try readRecipe(
        GRPORecipe.self, of: .reinforce, at: arguments[recipe], overrides: arguments[set])
      let ready = try PreparedGRPO(
        resolved.recipe, memory: arguments[memory]?.bytes ?? memoryOfThisMachine)
      if arguments[planOnly] {
        console.print(([ready.summary] + ready.remarks).joined(separator: "\n"))
        try ready.checkFits()
        return
      }
      console.note(ready.summary)
      try ready.checkFits()
      let sandbox = ready.needsSandbox ? try Sandbox() : nil
      // Before this a signal ends the program at once: there is nothing to save yet.
      let stop = StopSignal {
        console.note("Stopping: the run is being saved. Once more ends it at once.")
      }
      let directory = try RunDirectory(
        at: resolved.recipe.run,
        ready.identity(
          version: Program.distillVersion, resolvedRecipe: parsed(resolved.resolvedJSON)),
        allowingOtherIdentity: arguments[inexact], note: { console.note("Note: \($0)") })
      directory.note(ready.summary)
      let display = ReinforcementDisplay(console, directory)
      let run = try GRPORun(
        ready, in: directory, sandbox: sandbox, isStopped: { stop.isRaised },
        report: { display.show($0) })
      let outcome: GRPOOutcome
      do {
        outcome = try run.run()
      } catch {
        display.finish()
        throw error
      }
      display.finish()
      let page = try ReinforcementReport(of: resolved.recipe.run)
      try page.write(to: resolved.recipe.run + "/report.html")
      switch outcome {
      case .finished(let policy):
        console.print(
          page.text + "\n\nThe policy is in \(policy), the report in "
            + "\(resolved.recipe.run)/report.html.")
      case .stopped(let step):
        throw StoppedRun(path: arguments[recipe], step: step)
      }
    })

  private static let recipe = Positional("recipe", help: "A recipe of the kind 'reinforce'.")
  private static let set = RepeatedOption.recipeOverrides
  private static let planOnly = Flag("plan", help: "Say what the run needs, and end.")
  private static let inexact = Flag(
    "allow-inexact-resume",
    help: "Go on though the recipe, the problems, the toolkit or the processor is another.")
  private static let memory = Option(
    "memory", "size",
    help: "Memory that may be used, such as 24GiB; without it, nine tenths of what there is.",
    .sizes)
}

extension RunPage {
  /// Runs of `distill reinforce`.
  static let reinforcement = RunPage(recipeKey: "policy") { folder, path in
    try ReinforcementReport(of: folder).write(to: path)
  }
}
