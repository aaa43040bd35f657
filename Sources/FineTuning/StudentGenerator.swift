import Datasets
import Dispatch
import Generation
import Models
import Tensors

/// Lets a student answer a few prompts while it is trained: greedily, so that only its weights
/// make the difference.
final class StudentGenerator {
  private let prompts: [(text: String, tokens: [Int32])]
  private let settings: FineTuningRecipe.Generations
  private let text: TextCheckpoint
  private var packed: Decoder?

  /// - Throws: `DatasetError` if a prompt can't be rendered.
  init(
    _ decoder: Decoder, _ text: TextCheckpoint, _ settings: FineTuningRecipe.Generations
  ) throws {
    self.settings = settings
    self.text = text
    let rendering = Rendering(
      tokenizer: text.tokenizer, template: text.template, endTokens: text.endTokens)
    prompts = try settings.prompts.enumerated().map { index, prompt in
      guard text.template != nil else {
        return (prompt, text.tokenizer.prefix + text.tokenizer.encode(prompt, special: true))
      }
      let turn = Message("user", prompt)
      return (prompt, try rendering.prompt([turn], place: "generations.prompts[\(index)]"))
    }
  }

  /// Each prompt and what the decoder answers now.
  ///
  /// - Throws: `GenerationError`.
  func texts(
    of decoder: Decoder, isStopped: () -> Bool
  ) throws -> [(prompt: String, text: String)] {
    let model: Decoder
    if decoder.precision == .float32 || decoder.lowRank != nil {
      // A copy with the adapters merged would take as much memory again as the student.
      model = decoder
    } else if let packed {
      packed.repack(decoder)
      model = packed
    } else {
      model = Decoder(packing: decoder)
      packed = model
    }
    let engine = try GenerationEngine(
      model, tokenizer: text.tokenizer, EngineSettings(maxSequences: prompts.count))
    var texts: [(prompt: String, text: String)] = []
    for (prompt, tokens) in prompts {
      if isStopped() { break }
      var request = GenerationRequest(prompt: tokens)
      request.sampling.temperature = 0
      request.maxNewTokens = settings.maxNewTokens
      request.stopTokens = text.endTokens
      texts.append((prompt, try complete(request, engine)))
    }
    return texts
  }

  private func complete(
    _ request: GenerationRequest, _ engine: GenerationEngine
  ) throws -> String {
    let done = DispatchSemaphore(value: 0)
    let result = Result()
    _ = try engine.submit(request) { event in
      guard case .finished(let completion) = event else { return }
      result.text = completion.text
      done.signal()
    }
    done.wait()
    return result.text
  }

  /// Written before the semaphore is signalled, and read after it was waited for.
  private final class Result: @unchecked Sendable {
    var text = ""
  }
}
