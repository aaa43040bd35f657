import Interface
import Problems
import Storage

/// Benchmarks that the field measures reasoning with, and how tables call them.
///
/// What the problems are is in the user's file; this decides the name and what a preset says of it.
public enum KnownBenchmark: String, Choice {
  case aime2024, aime2025, amc2023, math500, gsm8k, gpqaDiamond, liveCodeBench, humanEval, mbpp
  case codeforces

  public var name: String {
    switch self {
    case .aime2024: "AIME 2024"
    case .aime2025: "AIME 2025"
    case .amc2023: "AMC 2023"
    case .math500: "MATH-500"
    case .gsm8k: "GSM8K"
    case .gpqaDiamond: "GPQA Diamond"
    case .liveCodeBench: "LiveCodeBench"
    case .humanEval: "HumanEval"
    case .mbpp: "MBPP"
    case .codeforces: "Codeforces"
    }
  }
}

/// The settings of an evaluation that others have published, by name.
public enum PresetName: String, Choice {
  /// DeepSeek-R1's paper, in the version with the appendix.
  case paper
  /// huggingface/open-r1.
  case openR1 = "open-r1"

  public var preset: EvaluationPreset {
    switch self {
    case .paper: .paper
    case .openR1: .openR1
    }
  }
}

/// How benchmarks are asked by somebody's protocol.
public struct EvaluationPreset: Equatable, Sendable {
  public let name: PresetName
  public let temperature: Double
  public let topP: Double
  public let maxTokens: Int
  /// The words around a problem; there is no system turn, and there are no examples.
  public let prompt: ProblemPrompt
  /// Samples of each problem, where the protocol tells.
  public let samplesPerProblem: [KnownBenchmark: Int]

  /// Temperature 0.6, top-p 0.95, up to 32,768 tokens, options in an order of each sample's own, no
  /// system turn and no examples, which "degrade
  /// performance"; k by benchmark from the appendix on evaluation. DeepSeek-AI, "DeepSeek-R1:
  /// Incentivizing Reasoning Capability in LLMs via Reinforcement Learning", arXiv 2501.12948; the
  /// sentence behind mathematics from the model cards.
  static let paper = EvaluationPreset(
    name: .paper, temperature: 0.6, topP: 0.95, maxTokens: 32_768,
    prompt: ProblemPrompt(
      mathematics: "{question}\n\n" + ProblemPrompt.instruction, optionOrder: .sample),
    samplesPerProblem: [
      .aime2024: 64, .math500: 16, .gpqaDiamond: 64, .liveCodeBench: 8, .codeforces: 16,
    ])

  /// open-r1's k by benchmark, and the wording of OpenAI's simple-evals, which it took over because
  /// it came closest to DeepSeek's figures (huggingface/open-r1, pull request 392).
  static let openR1 = EvaluationPreset(
    name: .openR1, temperature: 0.6, topP: 0.95, maxTokens: 32_768,
    prompt: ProblemPrompt(
      mathematics: "Solve the following math problem efficiently and clearly.  The last line of "
        + "your response should be of the following format: 'Therefore, the final answer is: "
        + "$\\boxed{ANSWER}$. I hope it is correct' (without quotes) where ANSWER is just the "
        + "final number or expression that solves the problem. Think step by step before "
        + "answering.\n\n{question}",
      choices: "Answer the following multiple choice question. The last line of your response "
        + "should be of the following format: 'Answer: $LETTER' (without quotes) where LETTER is "
        + "one of ABCD. Think step by step before answering.\n\n{question}\n\n{options}"),
    samplesPerProblem: [.aime2024: 64, .math500: 4, .gpqaDiamond: 8, .liveCodeBench: 16])

  /// The whole preset as JSON; what its hash is of.
  var json: JSONValue {
    .object(
      JSONObject(members: [
        ("name", .string(name.rawValue)),
        ("temperature", JSONNumber(temperature).map { .number($0) } ?? .null),
        ("topP", JSONNumber(topP).map { .number($0) } ?? .null),
        ("maxTokens", .number(JSONNumber(maxTokens))), ("prompt", prompt.json),
        (
          "samplesPerProblem",
          .object(
            JSONObject(
              members: KnownBenchmark.allCases.compactMap { benchmark in
                samplesPerProblem[benchmark].map { (benchmark.rawValue, .number(JSONNumber($0))) }
              }))
        ),
      ]))
  }

  /// SHA-256 of the preset: results with one hash were made by one protocol.
  public var sha256: String {
    var hash = SHA256()
    hash.update(Array(json.serialized()))
    return hash.finalizedText()
  }
}
