import Curation
import Foundation
import Interface
import Sandbox
import Teachers

extension Command {
  /// `curate`: makes a training set from a teacher's answers.
  static let curate = Command(
    "curate", summary: "Makes a training set from a teacher's answers.",
    discussion: """
      Judges the samples of 'distill generate', drops what is wrong, cut, unreadable, too like \
      another or too like an evaluation question, chooses among the answers to a problem, mixes in \
      other data, and writes 'samples.jsonl' for 'distill fine-tune', with a manifest and a report \
      as text, JSON and HTML: how many samples each rule took, and examples.

      The samples stay as they are, and can be curated again by other rules. The same command \
      writes the same bytes; stopped at any moment, it goes on with the verdicts it has. With \
      '--shard' several machines share the work; duplicates that differ in a word are then not \
      found across them.
      """,
    example: """
      distill curate my-curate.json5
      distill curate my-curate.json5 --set perProblem.most=2 --set output=other
      """,
    takes: recipe, set, shard, json,
    run: prepared { arguments, console in
      let recipe = try readRecipe(
        CurationRecipe.self, of: .curate, at: arguments[recipe], overrides: arguments[set]
      ).recipe
      let findings = recipe.findings + recipe.judgeFindings
      if !findings.isEmpty { throw CommandError(findings.joined(separator: "\n")) }
      let part = try arguments[shard].map { text in
        let (index, count) = try parts(ofShard: text)
        return try CurationRun.Shard(index: index, count: count)
      }
      let model = try recipe.judge?.teacher?.teacher()
      if let model { console.note("The judge is \(model.name).") }
      let run = try CurationRun(
        recipe, judge: RuleJudge(sandbox: try? Sandbox()), model: model,
        version: Program.distillVersion, shard: part)
      let stop = StopSignal { console.note("Stopping. Once more ends it at once.") }
      let display = CurationDisplay(console)
      do {
        let report = try waiting {
          try await run.run(isStopped: { stop.isRaised }, progress: { display.show($0) })
        }
        display.finish()
        console.print(arguments[json] ? report.json.printed : report.text)
        console.print("\nThe training set is in \(run.outputPath).")
      } catch let error as CurationError where error.reason == .stopped {
        display.finish()
        throw StoppedCuration(description: error.description)
      } catch {
        display.finish()
        throw error
      }
    })

  private static let recipe = Positional("recipe", help: "A recipe of the kind 'curate'.")
  private static let set = RepeatedOption.recipeOverrides
  private static let shard = Option(
    "shard", "i/n", help: "The part of the problems that is curated here, such as 0/4 to 3/4.",
    .texts)
  private static let json = Flag("json", help: "Print the report as JSON.")
}

extension CurationRecipe {
  /// What is wrong with its judge's teacher, a sentence each.
  var judgeFindings: [String] {
    guard let judge else { return [] }
    return judge.teacher?.findings(at: "judge.teacher") ?? [
      "The recipe: 'judge' has no 'teacher', the model that judges. Name a server with "
        + "'teacher: { remote: { url, model } }'."
    ]
  }
}

/// A curation that was stopped by a signal.
struct StoppedCuration: ErrorWithStatus, CustomStringConvertible {
  let description: String
  var exitStatus: Int32 { stoppedStatus }
}

/// Shows how far a curation is: one line that is rewritten on a terminal, a line in a while elsewhere.
final class CurationDisplay: @unchecked Sendable {
  private let console: Console
  private let lock = NSLock()
  private let start = ProcessInfo.processInfo.systemUptime
  private var last = ProcessInfo.processInfo.systemUptime

  init(_ console: Console) { self.console = console }

  func show(_ progress: CurationRun.Progress) {
    let now = ProcessInfo.processInfo.systemUptime
    let pause = console.isTerminal ? 0.2 : 10.0
    let isDue = lock.withLock {
      if now - last < pause { return false }
      last = now
      return true
    }
    guard isDue else { return }
    let words: String
    switch progress {
    case .read(let samples, let kept):
      let rate = Double(samples) / max(now - start, 1e-3)
      words =
        "judging   \(groupedText(samples)) samples, \(groupedText(kept)) kept so far   "
        + "\(countText(Int(rate))) samples/s"
    case .asked(let done, let all):
      words = "asking the judge   \(groupedText(done)) of \(groupedText(all))"
    case .mixed(let samples): words = "mixing   \(groupedText(samples)) samples"
    case .written(let done, let all):
      words = "writing   \(groupedText(done)) of \(groupedText(all))"
    }
    if console.isTerminal { console.show(block: [words]) } else { console.note(words) }
  }

  func finish() { console.show(block: []) }
}
