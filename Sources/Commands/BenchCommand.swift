import Foundation
import Interface
import Storage
import Tensors
import Timings

extension Command {
  /// `bench`: how fast the machine does this package's work, beside what it does at best.
  static let bench = Command(
    "bench", summary: "Times products, attention and training on this machine.",
    discussion: """
      Measures the machine's ceilings, and then matrix products at the shapes of the paper's \
      students, causal attention over 1,024, 8,192 and 32,768 tokens, and full training steps \
      (forward, backward, clipping, AdamW) of a random Qwen2.5-0.5B on rows of 1,024 and 4,096 \
      tokens, in float32 and bfloat16. Names of parts choose among them: products, attention, \
      training. Every figure comes with its fraction of the ceiling of its precision.

      The whole takes some minutes and up to 15 GB of memory. Run it while nothing else runs.
      """,
    example: """
      distill bench
      distill bench training --tokens 1024 --precision bfloat16
      distill bench attention --json
      """,
    takes: part, tokens, precision, recompute, json,
    run: prepared { arguments, console in
      let parts = try arguments[part].map { [try named($0)] } ?? Part.allCases
      let isJSON = arguments[json]
      let ceilings = Ceilings.measure()
      if !isJSON {
        console.print(try KernelReport(ceilings).text + "\n")
        console.print(TimingLine.header)
      }
      var timings: [Timing] = []
      for part in parts {
        try run(part, Stopwatch(ceilings), arguments, console) { timing in
          timings.append(timing)
          if isJSON {
            console.note(TimingLine.text(timing))
          } else {
            console.print(TimingLine.text(timing))
          }
        }
      }
      if isJSON { console.print(JSONValue.array(timings.map(TimingLine.json)).printed) }
    })

  private enum Part: String, CaseIterable { case products, attention, training }

  private static let part = OptionalPositional(
    "part", help: "Only this part: products, attention or training.")
  private static let tokens = Option(
    "tokens", "count", help: "Rows of this length only, in attention and training.",
    .wholeNumbers(in: 1...1 << 20))
  private static let precision = Option<Precision>(
    "precision", "precision", help: "Only this precision: float32 or bfloat16.",
    Values("'float32' or 'bfloat16'") { Precision(rawValue: $0) })
  private static let recompute = Flag(
    "recompute", help: "Run blocks again in the backward pass instead of keeping them.")
  private static let json = Flag("json", help: "Print a JSON array of timings.")

  private static func named(_ name: String) throws -> Part {
    guard let part = Part(rawValue: name) else {
      throw UsageError(
        "Unknown part '\(name)'; it is one of "
          + "\(Part.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")).")
    }
    return part
  }

  private static func run(
    _ part: Part, _ stopwatch: Stopwatch, _ arguments: Arguments, _ console: Console,
    report: (Timing) -> Void
  ) throws {
    let precisions = arguments[precision].map { [$0] } ?? Precision.allCases
    let lengths = arguments[tokens].map { [$0] }
    switch part {
    case .products:
      ProductBenchmark.run(with: stopwatch, precisions: precisions, report: report)
    case .attention:
      AttentionBenchmark.run(
        with: stopwatch, lengths: lengths ?? AttentionBenchmark.lengths, precisions: precisions,
        report: report)
    case .training:
      let isRecomputing = arguments[recompute]
      let memory = ProcessInfo.processInfo.physicalMemory
      let fitting = try (lengths ?? TrainingBenchmark.lengths).filter { length in
        let needed = try TrainingBenchmark.bytes(length: length, recomputing: isRecomputing)
        if UInt64(needed) <= memory { return true }
        console.note(
          "Rows of \(length) tokens are left out: a step needs about \(byteText(needed)), and this "
            + "machine has \(byteText(memory))."
            + (isRecomputing ? "" : " Try '--recompute'."))
        return false
      }
      try TrainingBenchmark.run(
        with: stopwatch, lengths: fitting, precisions: precisions, recomputing: isRecomputing,
        report: report)
    }
  }
}

/// A timing as a line of text, and as JSON.
enum TimingLine {
  static let header = line(["tokens", "precision", "tokens/s", "GFLOP/s", "of peak", "memory"], "")

  static func text(_ timing: Timing) -> String {
    line(
      [
        "\(timing.tokensPerRow)", timing.precision, format("%.1f", timing.tokensPerSecond),
        format("%.1f", timing.operationsPerSecond / 1e9),
        format("%.1f %%", timing.fractionOfPeak * 100), byteText(timing.peakMemoryBytes),
      ], timing.name)
  }

  static func json(_ timing: Timing) -> JSONValue {
    .members([
      ("name", .text(timing.name)), ("tokensPerRow", .count(timing.tokensPerRow)),
      ("precision", .text(timing.precision)), ("tokensPerSecond", .measure(timing.tokensPerSecond)),
      ("fractionOfPeak", .measure(timing.fractionOfPeak)),
      ("peakMemoryBytes", .count(timing.peakMemoryBytes)), ("seconds", .measure(timing.seconds)),
      ("operationsPerSecond", .measure(timing.operationsPerSecond)),
      ("threads", .count(timing.threads)),
    ])
  }

  private static func format(_ pattern: String, _ value: Double) -> String {
    String(format: pattern, value)
  }

  // The name comes last, since names are of any length and lines are printed as they are made.
  private static func line(_ cells: [String], _ name: String) -> String {
    let padded = zip(cells, [6, 9, 10, 8, 7, 9]).map { cell, width in
      String(repeating: " ", count: max(0, width - cell.count)) + cell
    }
    return (padded + [name]).joined(separator: "  ").trimmingTrailingSpaces
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
