import Foundation
import Interface
import Storage
import Tensors
import Timings

extension Command {
  /// `bench`: how fast the machine does this package's work, beside what it does at best.
  static let bench = Command(
    "bench", summary: "Times training and generation on this machine.",
    discussion: """
      Measures the machine's ceilings, and then matrix products at the shapes of the paper's \
      students, causal attention over 1,024, 8,192 and 32,768 tokens, and full training steps \
      (forward, backward, clipping, AdamW) of a random Qwen2.5-0.5B on rows of 1,024 and 4,096 \
      tokens, in float32 and bfloat16; then the generation of text with the same model: 1, 8 and 32 \
      sequences at once with sampling, and a prompt of 1,024 tokens. Names of parts choose among \
      them: products, attention, training, generation, tokenizer. Every figure comes with its \
      fraction of the ceiling of its precision, generation's also with that of the memory.

      The part tokenizer reads the tokenizer of a folder, encodes and decodes text, and texts that \
      are made to be slow; it runs only if the folder is given.

      The whole takes some minutes and up to 15 GB of memory. Run it while nothing else runs.
      """,
    example: """
      distill bench
      distill bench training --tokens 1024 --precision bfloat16
      distill bench attention --json
      distill bench generation
      distill bench tokenizer --tokenizer Checkpoints/qwen2.5-0.5b --text book.txt
      """,
    takes: part, tokens, precision, recompute, tokenizer, text, json,
    run: prepared { arguments, console in
      let parts = try chosenParts(arguments)
      let isJSON = arguments[json]
      if parts == [.tokenizer] { return try runTokenizer(arguments, console) }
      let ceilings = Ceilings.measure()
      if !isJSON { console.print(try KernelReport(ceilings).text + "\n") }
      let timed = parts.filter { $0 != .tokenizer && $0 != .generation }
      if !isJSON, !timed.isEmpty { console.print(TimingLine.header) }
      var timings: [Timing] = []
      for part in timed {
        try run(part, Stopwatch(ceilings), arguments, console) { timing in
          timings.append(timing)
          if isJSON {
            console.note(TimingLine.text(timing))
          } else {
            console.print(TimingLine.text(timing))
          }
        }
      }
      if isJSON, !timed.isEmpty {
        console.print(JSONValue.array(timings.map(TimingLine.json)).printed)
      }
      if parts.contains(.generation) {
        if !isJSON, !timed.isEmpty { console.print() }
        try runGeneration(ceilings, arguments, console)
      }
      if parts.contains(.tokenizer) { try runTokenizer(arguments, console) }
    })

  private enum Part: String, CaseIterable {
    case products, attention, training, generation, tokenizer
  }

  private static let part = OptionalPositional(
    "part", help: "Only this part: products, attention, training, generation or tokenizer.")
  private static let tokens = Option(
    "tokens", "count", help: "Rows of this length only, in attention and training.",
    .wholeNumbers(in: 1...1 << 20))
  private static let precision = Option<Precision>(
    "precision", "precision", help: "Only this precision: float32 or bfloat16.",
    Values("'float32' or 'bfloat16'") { Precision(rawValue: $0) })
  private static let recompute = Flag(
    "recompute", help: "Run blocks again in the backward pass instead of keeping them.")
  private static let tokenizer = Option(
    "tokenizer", "checkpoint", help: "Time the tokenizer of this folder.", .texts)
  private static let text = Option(
    "text", "file", help: "The text it encodes, instead of one made of its tokens.", .texts)
  private static let json = Flag("json", help: "Print a JSON array of timings.")

  private static func chosenParts(_ arguments: Arguments) throws -> [Part] {
    let hasTokenizer = arguments[tokenizer] != nil
    guard let name = arguments[part] else {
      return Part.allCases.filter { $0 != .tokenizer || hasTokenizer }
    }
    let part = try named(name)
    if part == .tokenizer, !hasTokenizer {
      throw UsageError("The part 'tokenizer' needs '--tokenizer <checkpoint>'.")
    }
    return [part]
  }

  private static func runTokenizer(_ arguments: Arguments, _ console: Console) throws {
    guard let path = arguments[tokenizer] else { return }
    let text = try arguments[text].map { try MappedFile(at: $0).contents }
    let isJSON = arguments[json]
    var timings: [TokenizerTiming] = []
    if !isJSON { console.print(TokenizerLine.header) }
    try TokenizerBenchmark.run(at: path, text: text) { timing in
      timings.append(timing)
      if isJSON {
        console.note(TokenizerLine.text(timing))
      } else {
        console.print(TokenizerLine.text(timing))
      }
    }
    if isJSON { console.print(JSONValue.array(timings.map(TokenizerLine.json)).printed) }
  }

  private static func runGeneration(
    _ ceilings: Ceilings, _ arguments: Arguments, _ console: Console
  ) throws {
    let isJSON = arguments[json]
    var timings: [GenerationTiming] = []
    if !isJSON { console.print(GenerationLine.header) }
    try GenerationBenchmark.run(with: ceilings) { timing in
      timings.append(timing)
      if isJSON {
        console.note(GenerationLine.text(timing))
      } else {
        console.print(GenerationLine.text(timing))
      }
    }
    if isJSON { console.print(JSONValue.array(timings.map(GenerationLine.json)).printed) }
  }

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
    case .tokenizer, .generation: break  // they have timings of another kind
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
