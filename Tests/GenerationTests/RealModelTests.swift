import Foundation
import Generation
import Models
import Storage
import Tensors
import Tokenizers
import XCTest

/// Models that others trained, continued as transformers continues them.
final class RealModelTests: XCTestCase {
  func testGreedyIsAsTransformersHasIt() throws {
    guard let root = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES names no folder of fixtures.")
    }
    for name in ["stories260K-hf", "tinystories-656k"] {
      let folder = "\(root)/models/\(name)"
      let checkpoint = try Checkpoint(at: folder)
      let reference = try Greedy(at: "\(folder)/greedy.json")
      XCTAssertGreaterThan(reference.completion.count, 20)
      var request = GenerationRequest(prompt: reference.prompt)
      request.sampling = .greedy
      request.maxNewTokens = reference.completion.count
      // In a batch, beside other work.
      let engine = try GenerationEngine(try checkpoint.decoder(precision: .float32))
      var other = request
      other.prompt = Array(request.prompt.dropLast())
      let found = try engine.completions([other, request, other, request])
      for index in [1, 3] {
        XCTAssertEqual(found[index][0].tokens, reference.completion, name)
      }

      // Rounded to bfloat16 the model is another one, which training knows.
      let rounded = try GenerationEngine(try checkpoint.packedDecoder()).completions([request])
      let tokens = rounded[0][0].tokens
      XCTAssertEqual(tokens.prefix(18), reference.completion.prefix(18), name)
      let logits = try checkpoint.decoder(precision: .bfloat16).logits(
        PackedTokens(request.prompt + tokens))
      for (index, token) in tokens.enumerated() {
        let row = request.prompt.count - 1 + index
        let elements = Array(logits.rows(row..<row + 1).elements)
        XCTAssertEqual(
          elements.firstIndex(of: elements.max() ?? .nan), Int(token), "\(name) \(index)")
      }
    }
  }

  /// Weights in integers choose the token that bfloat16 chooses, nearly always. (These models have
  /// 64 and 128 channels; bfloat16 itself agrees with float32 in 99.5 % of the cases.)
  func testIntegersAgreeWithBFloat16() throws {
    guard let root = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES names no folder of fixtures.")
    }
    for name in ["stories260K-hf", "tinystories-656k"] {
      let folder = "\(root)/models/\(name)"
      let prompt = try Greedy(at: "\(folder)/greedy.json").prompt
      let (agreeing, all) = try agreement(
        ofModelAt: folder, prompts: [prompt], samples: 20, maxNewTokens: 200)
      XCTAssertGreaterThan(all, 3000)
      XCTAssertGreaterThanOrEqual(
        Double(agreeing) / Double(all), 0.97, "\(name): \(agreeing) of \(all)")
    }
  }

  /// The same for models that were trained to reason, at their own samples.
  func testIntegersReasonAsBFloat16Does() throws {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    for (name, share) in [("tiny-teacher", 0.995), ("tiny-base", 0.985)] {
      let folder = package.appendingPathComponent("Checkpoints/\(name)").path
      let tokenizer = try Tokenizer(at: folder)
      for level in ["easy", "hard"] {
        let problems = try Data(
          contentsOf: package.appendingPathComponent("Recipes/tiny/problems/\(level).jsonl"))
        var prompts: [[Int32]] = []
        for line in problems.split(separator: UInt8(ascii: "\n")) {
          let problem = try JSONValue(parsing: Data(line), source: level)
          guard case .object(let members) = problem,
            case .string(let question)? = members["question"]
          else { return XCTFail("a problem without a question") }
          prompts.append(tokenizer.encode("<|user|>\(question)<|assistant|>"))
        }
        let (agreeing, all) = try agreement(
          ofModelAt: folder, prompts: prompts, samples: 2, maxNewTokens: 200,
          stopTokens: Set(tokenizer.encode("<|end|>")))
        XCTAssertGreaterThan(all, 2500)
        XCTAssertGreaterThanOrEqual(
          Double(agreeing) / Double(all), share, "\(name), \(level): \(agreeing) of \(all)")
      }
    }
  }

  /// At how many tokens, sampled in bfloat16, both formats find the same one the most probable.
  private func agreement(
    ofModelAt folder: String, prompts: [[Int32]], samples: Int, maxNewTokens: Int,
    stopTokens: Set<Int32> = []
  ) throws -> (agreeing: Int, all: Int) {
    let checkpoint = try Checkpoint(at: folder)
    let bfloat16 = try checkpoint.packedDecoder()
    let integers = try checkpoint.packedDecoder(.int8)
    let requests = prompts.map { prompt in
      var request = GenerationRequest(prompt: prompt)
      request.samples = 0..<samples
      request.maxNewTokens = maxNewTokens
      request.stopTokens = stopTokens
      return request
    }
    var (agreeing, all) = (0, 0)
    for (request, completions) in zip(
      requests, try GenerationEngine(bfloat16).completions(requests))
    {
      for completion in completions {
        let row = PackedTokens(request.prompt + completion.tokens)
        let expected = try bfloat16.logits(row), found = try integers.logits(row)
        for t in request.prompt.count..<row.count {
          func best(_ logits: Tensor) -> Int? {
            let row = Array(logits.rows(t..<t + 1).elements)
            return row.firstIndex(of: row.max() ?? .nan)
          }
          agreeing += best(expected) == best(found) ? 1 : 0
          all += 1
        }
      }
    }
    return (agreeing, all)
  }

  func testTheTextIsThatOfTheTokens() throws {
    guard let root = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES names no folder of fixtures.")
    }
    let folder = "\(root)/models/tinystories-656k"
    let tokenizer = try Tokenizer(at: folder)
    let engine = try GenerationEngine(
      try Checkpoint(at: folder).packedDecoder(), tokenizer: tokenizer)
    var request = GenerationRequest(prompt: try Greedy(at: "\(folder)/greedy.json").prompt)
    request.sampling = .greedy
    request.maxNewTokens = 48
    let whole = try engine.completions([request])[0][0]
    // Together with the prompt's it is that of all tokens; alone it would lack a space.
    XCTAssertEqual(
      tokenizer.decode(request.prompt, skippingSpecialTokens: true) + whole.text,
      tokenizer.decode(request.prompt + whole.tokens, skippingSpecialTokens: true))

    // A stop string in the middle of tokens ends the text before it.
    let text = Array(whole.text)
    let stop = String(text[text.count / 2..<text.count / 2 + 5])
    request.stopStrings = ["nowhere to be found", stop]
    let stopped = try engine.completions([request])[0][0]
    XCTAssertEqual(stopped.finishReason, .stopString(stop))
    XCTAssertEqual(
      stopped.text,
      String(whole.text[..<(whole.text.range(of: stop)?.lowerBound ?? whole.text.endIndex)]))
    XCTAssertEqual(stopped.tokens, Array(whole.tokens.prefix(stopped.tokens.count)))
    XCTAssertLessThan(stopped.tokens.count, whole.tokens.count)
  }
}

/// A prompt and what transformers makes of it.
private struct Greedy {
  let prompt: [Int32]
  let completion: [Int32]

  init(at path: String) throws {
    let file = try MappedFile(at: path)
    let json = try withExtendedLifetime(file) {
      try JSONValue(parsing: file.bytes, source: path)
    }
    guard case .object(let object) = json else { throw GenerationError("\(path): no object.") }
    func ids(_ key: String) -> [Int32] {
      guard case .array(let list)? = object[key] else { return [] }
      return list.compactMap { value in
        if case .number(let number) = value { return number.int.map(Int32.init) }
        return nil
      }
    }
    prompt = ids("prompt")
    completion = ids("greedy_completion")
  }
}
