// Samples answers to a question from a checkpoint, and shows how probable the model found every
// token of them:
//
//   swift run -c release sample-from-checkpoint
//   swift run -c release sample-from-checkpoint Checkpoints/tiny-teacher "Ann has 5 cards. …" 4 0.6 1
//
// The arguments are a checkpoint's folder, the question, the number of answers, the temperature (0
// is greedy) and the seed; those at the end may be left out. The same arguments give the same
// answers.
import Datasets
import Foundation
import Generation
import Models

struct Mistake: Error, CustomStringConvertible { let description: String }

/// The argument in a place, from 1, as a number.
func number<Value: LosslessStringConvertible>(_ place: Int, of what: String) throws -> Value? {
  guard place < CommandLine.arguments.count else { return nil }
  let word = CommandLine.arguments[place]
  if let value = Value(word) { return value }
  throw Mistake(description: "'\(word)' is no \(what).")
}

func show(_ completion: Completion, of samples: Int, _ text: TextCheckpoint) throws {
  if case .failed(let error) = completion.finishReason { throw error }
  let probability = completion.logProbabilities.reduce(0, +)
  print(
    """

    Answer \(completion.sample + 1) of \(samples): \(completion.tokens.count) tokens, \
    log-probability \(String(format: "%.3f", probability)), ended by \(completion.finishReason.name).
    \(completion.text)
    """)
  for (token, logProbability) in zip(completion.tokens, completion.logProbabilities) {
    let written = text.tokenizer.decode([token]).debugDescription
    print(String(format: "%10.3f", logProbability), written)
  }
}

func main() async throws {
  let arguments = CommandLine.arguments
  let path = arguments.count > 1 ? arguments[1] : "Checkpoints/tiny-base"
  let question =
    arguments.count > 2
    ? arguments[2]
    : "Zoe has 22 pens. She gives 11 to Tom. Then she doubles the pile. "
      + "How many pens are left with Zoe?"
  let samples = try number(3, of: "number of answers") ?? 3
  let temperature = try number(4, of: "temperature") ?? 0.6
  let seed = try number(5, of: "seed") ?? UInt64(1)

  // A checkpoint is weights, and a tokenizer with a template that makes a prompt of a question.
  let text = try TextCheckpoint(at: path)
  let rendering = Rendering(
    tokenizer: text.tokenizer, template: text.template, endTokens: text.endTokens)
  let engine = try GenerationEngine(
    try Checkpoint(at: path).packedDecoder(), tokenizer: text.tokenizer)
  print("\(path): \(engine.configuration.parameterCount) parameters.")

  var request = GenerationRequest(
    prompt: try rendering.prompt([Message("user", question)], place: "The question"))
  request.samples = 0..<max(0, samples)
  request.sampling = SamplingSettings(temperature: temperature)
  request.seed = seed
  request.stopTokens = text.endTokens

  // Answers are made side by side, and end in any order.
  var completions: [Completion] = []
  for await event in try engine.generate(request) {
    if case .finished(let completion) = event { completions.append(completion) }
  }
  for completion in completions.sorted(by: { $0.sample < $1.sample }) {
    try show(completion, of: samples, text)
  }
}

do {
  try await main()
} catch {
  FileHandle.standardError.write(Data("Error: \(error)\n".utf8))
  exit(1)
}
