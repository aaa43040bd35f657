import Datasets
import Foundation
import Generation
import Interface
import Storage

extension Command {
  /// `sample`: completions of many prompts, as JSON lines.
  static let sample = Command(
    "sample", summary: "Lets a model answer many prompts.",
    discussion: """
      Reads prompts, and prints one JSON object for each sample as it ends. Prompts are JSON lines \
      (or an array) with 'messages', a list of turns, or with 'prompt', a text that is continued; \
      or plain text with one prompt in each line, which is a user's turn if the checkpoint has a \
      chat template. '-' reads them from standard input.

      With '--output' the samples are appended to a file. Stopped at any moment and started again \
      with the same words, it goes on where it was; a sample depends on the seed, its prompt and \
      its number alone. What is not given is taken from generation_config.json.
      """,
    example: """
      distill sample Checkpoints/qwen2.5-0.5b prompts.jsonl --output samples.jsonl --samples 4
      distill sample Checkpoints/qwen2.5-0.5b questions.txt --temperature 0.6 --top-p 0.95
      """,
    takes: [checkpoint, prompts, output, samples] + SamplingOptions.all + [
      sequences, raw, probabilities,
    ],
    run: prepared { arguments, console in
      let model = try TextModel(arguments, at: arguments[checkpoint])
      let run = try SamplingRun(
        model, prompts: readPrompts(arguments, model), samples: arguments[samples] ?? 1,
        output: arguments[output], keepsProbabilities: arguments[probabilities], console)
      try run.run(
        EngineSettings(
          maxSequences: arguments[sequences] ?? 32,
          cacheBytes: arguments[SamplingOptions.cacheMemory]?.bytes))
    })

  private static let checkpoint = Positional("checkpoint", help: "A model's folder.")
  private static let prompts = Positional(
    "prompts", help: "A file of prompts; '-' for standard input.")
  private static let output = Option(
    "output", "file", help: "Append the samples to this file, and go on where it ends.", .texts)
  private static let samples = Option(
    "samples", "count", help: "Samples of each prompt; 1 without it.",
    .wholeNumbers(in: 1...1 << 20))
  private static let sequences = Option(
    "sequences", "count", help: "The most samples that run at a time; 32 without it.",
    .wholeNumbers(in: 1...1 << 16))
  private static let raw = Flag(
    "raw", help: "Continue lines of text as they are, without the chat template.")
  private static let probabilities = Flag(
    "log-probabilities", help: "Write each token's id and log-probability too.")

  private static func readPrompts(_ arguments: Arguments, _ model: TextModel) throws -> [Prompt] {
    let asksUser = !arguments[raw] && model.text.template != nil
    if arguments[prompts] != "-" {
      return try Prompt.read(at: arguments[prompts], asksUser: asksUser)
    }
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("distill-prompts-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try AtomicFile.write(FileHandle.standardInput.readDataToEndOfFile(), to: path)
    return try Prompt.read(at: path, name: "standard input", asksUser: asksUser)
  }
}
