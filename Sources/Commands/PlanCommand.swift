import Datasets
import FineTuning
import Foundation
import Interface
import Models
import Storage
import Tensors
import Timings

extension Command {
  /// `plan`: says what a recipe will need, before anything is loaded.
  static let plan = Command(
    "plan", summary: "Says what a fine-tuning run will need.",
    discussion: """
      Tells parameters, memory by part, tokens, steps, disk, operations and the expected time of a \
      recipe, and what to change if it does not fit. With 'memory: "automatic"' in the recipe it \
      also tells the forms that the choice is between, with what each costs in memory, time and \
      exactness. With '--memory' and '--cores' it plans for another machine, at this one's speed \
      per core.

      Neither the weights nor the samples need to be there: a student that is no folder is known by \
      its name, and samples that are missing by the recipe's 'expected'.
      """,
    example: """
      distill plan my-student.json5
      distill plan my-student.json5 --memory 512GiB --cores 128
      """,
    takes: recipe, set, memory, cores, json,
    run: prepared { arguments, console in
      let resolved = try readRecipe(
        FineTuningRecipe.self, of: .fineTune, at: arguments[recipe], overrides: arguments[set])
      let limit = arguments[memory]?.bytes ?? memoryOfThisMachine
      let threads = arguments[cores] ?? ThreadPool.shared.threads
      let plan = try plan(resolved.recipe, memory: limit, threads: threads, console)
      let report = PlanReport(plan, memory: limit, threads: threads)
      console.print(arguments[json] ? report.json.printed : report.text)
      try plan.checkFits(limit)
    })

  private static let recipe = Positional("recipe", help: "A recipe of the kind 'fine-tune'.")
  private static let set = RepeatedOption.recipeOverrides
  private static let memory = Option(
    "memory", "size",
    help: "Memory of the machine, such as 512GiB; without it, nine tenths of this one's.",
    .sizes)
  private static let cores = Option(
    "cores", "count", help: "Cores of the machine; without it, this one's threads.",
    .wholeNumbers(in: 1...ThreadPool.limit))
  private static let json = Flag("json", help: "Print the plan as JSON.")

  /// A plan from the data if all of it is there, else from what the recipe expects.
  private static func plan(
    _ recipe: FineTuningRecipe, memory: Int, threads: Int, _ console: Console
  ) throws -> FineTuningPlan {
    let paths = [recipe.student + "/config.json"] + recipe.data.sources.map(\.path)
    if paths.allSatisfy({ FileManager.default.fileExists(atPath: $0) }) {
      let ready = try PreparedFineTuning(recipe, memory: memory, threads: threads) {
        preparation, key in
        try prepareData(preparation, key: key, console)
      }
      return FineTuningPlan(ready, threads: threads)
    }
    let configuration: ModelConfiguration
    if FileManager.default.fileExists(atPath: paths[0]) {
      configuration = try Checkpoint.readConfiguration(in: recipe.student)
    } else {
      let name = recipe.student.split(separator: "/").last.map(String.init) ?? recipe.student
      do {
        configuration = try KnownModel.named(name).configuration
      } catch {
        throw CommandError("\(recipe.student): there is no such folder, and \(error)")
      }
    }
    return try FineTuningPlan(
      expecting: recipe, recipe.changed(configuration), memory: memory, threads: threads)
  }
}

/// A plan as text and as JSON.
struct PlanReport {
  private let plan: FineTuningPlan
  private let memory: Int
  private let threads: Int
  private let speed: Double

  /// The part of the processor's peak that training steps reach; see `distill bench training`.
  private static let reached = 0.7

  /// Measures how fast this machine is.
  init(_ plan: FineTuningPlan, memory: Int, threads: Int = ThreadPool.shared.threads) {
    self.plan = plan
    self.memory = memory
    self.threads = threads
    let peak = Ceilings.peak(bfloat16: plan.recipe.precision == .bfloat16)
    speed = peak / Double(ThreadPool.shared.threads) * Double(threads) * Self.reached
  }

  private var seconds: Double { plan.operations / speed }

  private var tokensPerSecond: Double {
    Double(plan.tokens) * Double(plan.recipe.epochs) / max(seconds, 1e-9)
  }

  /// A few lines for the beginning of a run.
  var beginning: String {
    let parts = plan.memoryParts.map { "\($0.name) \(byteText($0.bytes))" }
    return """
      \(plan.summary)
      Memory: \(parts.joined(separator: ", ")).
      \(String(format: "%.3g", plan.operations)) operations: about \(durationText(seconds: seconds)).
      """
  }

  var text: String {
    let recipe = plan.recipe
    let fits = plan.memoryBytes <= memory
    var lines = [
      factLines([
        ("student", recipe.student),
        ("parameters", exactText(plan.configuration.parameterCount)),
        ("form", plan.form.words),
        (
          "data",
          "\(countedText(plan.documents, "document")), \(exactText(plan.tokens)) tokens"
            + (plan.isExpected ? ", as the recipe expects" : "")
        ),
        (
          "rows",
          "\(groupedText(plan.rows)) of up to \(groupedText(plan.longestRow)) tokens, "
            + "\(recipe.rowsPerStep) a step"
        ),
        (
          "steps",
          "\(groupedText(plan.steps)) in \(recipe.epochs) \(recipe.epochs == 1 ? "epoch" : "epochs")"
        ),
        ("operations", String(format: "%.3g", plan.operations)),
        (
          "expected time",
          "\(durationText(seconds: seconds)) on \(countedText(threads, "core")), at "
            + "\(countText(Int(speed / 1e9))) GFLOP/s: "
            + String(format: "%.3g tokens/s", tokensPerSecond)
        ),
        (
          "disk",
          "up to \(byteText(plan.diskBytes)): checkpoints of \(byteText(plan.checkpointBytes)), "
            + "the student \(byteText(plan.studentBytes))"
        ),
      ]), "", "Memory, with \(plan.recomputation):", "",
    ]
    var table = Table(.left("part"), .right("bytes"))
    for (name, bytes) in plan.memoryParts { table.append(name, byteText(bytes)) }
    table.append("in all", byteText(plan.memoryBytes))
    lines += table.lines
    lines += [
      "",
      fits
        ? "It fits into \(byteText(memory))."
        : "It does not fit into \(byteText(memory)).",
    ]
    if fits, plan.memoryBytes > memory / 2 || plan.recomputedBlocks > 0 {
      lines += plan.savings.map { "With \($0.change), it needs \(byteText($0.bytes)) less." }
    }
    if !plan.others.isEmpty { lines += [""] + formLines }
    return lines.joined(separator: "\n")
  }

  /// The forms that the recipe leaves open, the one that is taken first.
  private var formLines: [String] {
    let all = [plan.chosen] + plan.others
    let fastest = all.map(\.secondsPerStep).min() ?? 1
    var table = Table(
      .left("weights"), .left("moments"), .left("gradients"), .right("recomputed"),
      .right("memory"), .right("time"), .left("not exact"))
    for candidate in all {
      let form = candidate.form
      let stored = form.frozenBytes == 2 ? "bfloat16" : "float32"
      table.append(
        form.lowRank == nil
          ? form.weights.rawValue : stored + (form.streamsFrozen ? ", from the disk" : ""),
        form.moments.rawValue, form.gradients.rawValue, "\(candidate.recomputedBlocks)",
        byteText(candidate.bytes),
        String(format: "×%.2f", candidate.secondsPerStep / fastest),
        candidate.bytes > memory
          ? "(too large)" : candidate.deviations.map(\.rawValue).joined(separator: ", "))
    }
    let names = Set(all.flatMap(\.deviations))
    let notes: [(FormCandidate.Deviation, String)] = [
      (.weights, "weights are rounded to bfloat16 at random"),
      (.frozenWeights, "frozen weights are rounded to bfloat16"),
      (.moments, "moments are rounded to 8 bits"),
      (.clipping, "gradients are clipped by the norm of their layer"),
    ]
    let words = notes.filter { names.contains($0.0) }.map(\.1)
    let title =
      plan.isBegun
      ? "The run in \(plan.recipe.run) goes on in the first of these forms, in which it was begun; a "
        + "new one may take another:"
      : "The forms that the recipe leaves open, the one that is taken first:"
    return [title, ""]
      + table.lines
      + (words.isEmpty ? [] : ["", "Not exact: " + words.joined(separator: "; ") + "."])
  }

  var json: JSONValue {
    let fastest = ([plan.chosen] + plan.others).map(\.secondsPerStep).min() ?? 1
    func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }
    func number(_ value: Double) -> JSONValue {
      JSONNumber(value).map(JSONValue.number) ?? .null
    }
    return .object(
      JSONObject(members: [
        ("student", .string(plan.recipe.student)),
        ("parameters", number(plan.configuration.parameterCount)),
        ("documents", number(plan.documents)), ("tokensPerEpoch", number(plan.tokens)),
        ("isExpected", .bool(plan.isExpected)), ("rows", number(plan.rows)),
        ("longestRow", number(plan.longestRow)), ("steps", number(plan.steps)),
        ("operations", number(plan.operations)), ("expectedSeconds", number(seconds)),
        ("recomputedBlocks", number(plan.recomputedBlocks)),
        (
          "memoryBytes",
          .object(
            JSONObject(
              members: plan.memoryParts.map { ($0.name, number($0.bytes)) } + [
                ("in all", number(plan.memoryBytes))
              ]))
        ), ("form", .string(plan.form.words)), ("tokensPerSecond", number(tokensPerSecond)),
        (
          "forms",
          .array(
            ([plan.chosen] + plan.others).map { candidate in
              .object(
                JSONObject(members: [
                  ("form", .string(candidate.form.words)),
                  ("recomputedBlocks", number(candidate.recomputedBlocks)),
                  ("memoryBytes", number(candidate.bytes)),
                  ("relativeTime", number(candidate.secondsPerStep / fastest)),
                  ("deviations", .array(candidate.deviations.map { .string($0.rawValue) })),
                ]))
            })
        ), ("memoryLimitBytes", number(memory)), ("checkpointBytes", number(plan.checkpointBytes)),
        ("diskBytes", number(plan.diskBytes)),
      ]))
  }
}
