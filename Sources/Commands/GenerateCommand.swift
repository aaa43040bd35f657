import Foundation
import Interface
import Problems
import Sandbox
import Storage
import TeacherGeneration
import Teachers

extension Command {
  /// `generate`: samples a teacher's answers as a recipe says.
  static let generate = Command(
    "generate", summary: "Samples a teacher's answers to problems.",
    discussion: """
      Asks a teacher the problems of a recipe and keeps every answer in the run's folder: a server \
      with OpenAI's interface (vLLM, SGLang, llama.cpp, commercial ones), a checkpoint on this \
      machine, or a file of earlier answers. 'distill curate' makes a training set of them.

      Nothing that was sampled is lost or paid for twice: stopped at any moment (Ctrl-C, SIGTERM, a \
      kill, a full disk), the same command goes on. After Ctrl-C or SIGTERM the program ends with \
      status \(stoppedStatus). Questions that failed for good are asked again with \
      '--retry-failed'. With '--shard' several machines share the problems; each has a folder of \
      its own in the output, and 'distill curate' reads them all.
      """,
    example: """
      distill generate my-generate.json5
      distill generate my-generate.json5 --shard 0/4
      """,
    takes: recipe, set, shard, retryFailed, json,
    run: prepared { arguments, console in
      let resolved = try readRecipe(
        TeacherGenerationRecipe.self, of: .generate, at: arguments[recipe],
        overrides: arguments[set])
      let recipe = resolved.recipe
      let findings = recipe.findings + recipe.teacherFindings
      if !findings.isEmpty { throw CommandError(findings.joined(separator: "\n")) }
      let part = try arguments[shard].map { text in
        let (index, count) = try parts(ofShard: text)
        return try ProblemShard(index, of: count)
      }
      let display = GenerationDisplay(console)
      guard let settings = recipe.teacher else { return }
      let teacher = try settings.teacher(observer: { display.note($0) })
      console.note("Asking \(teacher.name).")
      let stop = StopSignal {
        console.note("Stopping: what is under way has a few seconds. Once more ends it at once.")
      }
      let run = try TeacherGenerationRun(
        recipe, recipeJSON: parsed(resolved.resolvedJSON), teacher: teacher,
        toolkit: Program.distillVersion, judge: AnswerJudge(sandbox: try? Sandbox()), shard: part,
        retryingFailures: arguments[retryFailed], isStopped: { stop.isRaised },
        observer: { display.show($0) })
      let summary: TeacherGenerationSummary
      do {
        summary = try waiting { try await run.run() }
      } catch {
        display.finish()
        throw error
      }
      display.finish()
      let report = GenerationReport(summary, recipe)
      console.print(arguments[json] ? report.json : report.text)
      if summary.ending == .stopped {
        throw StoppedGeneration(samples: summary.progress.samples)
      }
    })

  private static let recipe = Positional("recipe", help: "A recipe of the kind 'generate'.")
  private static let set = RepeatedOption.recipeOverrides
  private static let shard = Option(
    "shard", "i/n", help: "The part of the problems that is asked here, such as 0/4 to 3/4.",
    .texts)
  private static let retryFailed = Flag(
    "retry-failed", help: "Ask questions again that failed for good.")
  private static let json = Flag("json", help: "Print the counts as JSON.")
}

/// A run that was stopped by a signal, with all samples stored.
struct StoppedGeneration: ErrorWithStatus, CustomStringConvertible {
  let samples: Int
  var exitStatus: Int32 { stoppedStatus }
  var description: String {
    "Stopped with \(countedText(samples, "sample")) stored. The same command goes on from there."
  }
}

extension TeacherGenerationRecipe {
  /// What is wrong with its teacher, a sentence each.
  var teacherFindings: [String] {
    teacher?.findings(at: "teacher") ?? [
      "The recipe: it has no 'teacher'. Name a server with 'teacher: { remote: { url, model } }', "
        + "or a checkpoint with 'teacher: { local: { checkpoint } }'."
    ]
  }
}

/// The two numbers of `2/4`.
///
/// - Throws: `CommandError` for anything else.
func parts(ofShard text: String) throws -> (index: Int, count: Int) {
  let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
  guard parts.count == 2, let index = parts[0], let count = parts[1], count >= 1,
    (0..<count).contains(index)
  else {
    throw CommandError(
      "'--shard' is \(quoted(text)); it must be the number of a part and how many there are, "
        + "from 0/4 to 3/4 for four parts.")
  }
  return (index, count)
}

/// Waits for work that is done by tasks, which have threads of their own.
func waiting<Value: Sendable>(
  for work: @escaping @Sendable () async throws -> Value
) throws -> Value {
  let done = DispatchSemaphore(value: 0)
  let outcome = Outcome<Value>()
  Task.detached {
    do {
      let value = try await work()
      outcome.value = .success(value)
    } catch {
      outcome.value = .failure(error)
    }
    done.signal()
  }
  done.wait()
  guard let value = outcome.value else { preconditionFailure("the work ended without a result") }
  return try value.get()
}

/// Written before the semaphore is signalled, and read after it was waited for.
private final class Outcome<Value>: @unchecked Sendable {
  var value: Result<Value, any Error>?
}

/// What became of a run, as text and as JSON.
struct GenerationReport {
  private let summary: TeacherGenerationSummary
  private let recipe: TeacherGenerationRecipe

  init(_ summary: TeacherGenerationSummary, _ recipe: TeacherGenerationRecipe) {
    self.summary = summary
    self.recipe = recipe
  }

  var text: String {
    let progress = summary.progress
    var facts = [
      (
        "problems",
        "\(groupedText(progress.problemsDone)) of \(groupedText(progress.problems)) done"
          + (summary.failuresForGood > 0
            ? ", \(groupedText(summary.failuresForGood)) failed for good" : "")
      ),
      (
        "samples",
        "\(groupedText(progress.samples)), \(groupedText(progress.samplesInSession)) of them now"
      ),
      (
        "tokens",
        "\(exactText(progress.tokens.prompt)) of prompts, "
          + "\(exactText(progress.tokens.completion)) of answers"
          + (progress.tokensAreEstimated ? ", partly estimated" : "")
      ),
    ]
    if let cost = progress.cost, let prices = recipe.prices {
      facts.append(("cost", String(format: "%.2f ", cost) + prices.currency))
    }
    facts.append(("folder", recipe.output))
    var lines = [factLines(facts)]
    var table = Table(.left("source"), .right("samples"), .right("correct"), .right("share"))
    for source in progress.sources {
      let share = Double(source.correct) / Double(max(1, source.samples))
      table.append(
        source.name, groupedText(source.samples), groupedText(source.correct),
        String(format: "%.1f %%", 100 * share))
    }
    if !progress.sources.isEmpty { lines += ["", table.lines.joined(separator: "\n")] }
    if !progress.failures.isEmpty {
      lines += [
        "",
        "Questions without an answer: "
          + progress.failures.map { "\($0.kind) \(groupedText($0.count))" }
          .joined(separator: ", ") + ".",
      ]
    }
    lines += remarks
    return lines.joined(separator: "\n")
  }

  private var remarks: [String] {
    var lines: [String] = []
    if summary.failuresToRetry > 0 {
      lines.append(
        "The same command asks \(countedText(summary.failuresToRetry, "question")) again.")
    }
    if summary.failuresForGood > 0 {
      lines.append(
        "'failures.jsonl' says why questions failed; '--retry-failed' asks them again.")
    }
    if summary.ending == .budget {
      lines.append(
        "The budget is spent. Raise 'budget' in the recipe to go on.")
    }
    return lines.isEmpty ? [] : [""] + lines
  }

  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(summary) else { return "{}" }
    return String(decoding: data, as: UTF8.self)
  }
}
