/// A published model whose configuration is known without its files.
///
/// These are the students of DeepSeek-AI, "DeepSeek-R1", 2025, <https://arxiv.org/abs/2501.12948>,
/// the models they were trained from, and two small ones, as their model cards' `config.json`
/// have them.
public struct KnownModel: Equatable, Sendable {
  /// The publisher on Hugging Face.
  public let organization: String
  /// The name there, without the publisher.
  public let name: String
  /// The name of the model that this one was trained from, if it is a student.
  public let base: String?
  public let configuration: ModelConfiguration

  /// All known models: each student before its base, then the small ones.
  public static let all: [KnownModel] = [
    KnownModel(
      "deepseek-ai", "DeepSeek-R1-Distill-Qwen-1.5B", base: "Qwen2.5-Math-1.5B",
      .qwen1500M(positions: 131_072, isTied: false)),
    KnownModel("Qwen", "Qwen2.5-Math-1.5B", .qwen1500M(positions: 4096, isTied: true)),
    KnownModel(
      "deepseek-ai", "DeepSeek-R1-Distill-Qwen-7B", base: "Qwen2.5-Math-7B",
      .qwen7B(positions: 131_072)),
    KnownModel("Qwen", "Qwen2.5-Math-7B", .qwen7B(positions: 4096)),
    KnownModel("deepseek-ai", "DeepSeek-R1-Distill-Qwen-14B", base: "Qwen2.5-14B", .qwen14B),
    KnownModel("Qwen", "Qwen2.5-14B", .qwen14B),
    KnownModel("deepseek-ai", "DeepSeek-R1-Distill-Qwen-32B", base: "Qwen2.5-32B", .qwen32B),
    KnownModel("Qwen", "Qwen2.5-32B", .qwen32B),
    KnownModel("deepseek-ai", "DeepSeek-R1-Distill-Llama-8B", base: "Llama-3.1-8B", .llama8B),
    KnownModel("meta-llama", "Llama-3.1-8B", .llama8B),
    KnownModel(
      "deepseek-ai", "DeepSeek-R1-Distill-Llama-70B", base: "Llama-3.3-70B-Instruct",
      .llama70B(eosTokenIds: [128_001])),
    KnownModel(
      "meta-llama", "Llama-3.3-70B-Instruct",
      .llama70B(eosTokenIds: [128_001, 128_008, 128_009])),
    KnownModel("Qwen", "Qwen2.5-0.5B", .qwen500M),
    KnownModel("meta-llama", "Llama-3.2-1B", .llama1B),
  ]

  /// The model of that name, with or without its publisher, in upper or lower case.
  ///
  /// - Throws: `UnknownModelError`, with the nearest name if one is near.
  public static func named(_ name: String) throws(UnknownModelError) -> KnownModel {
    let wanted = name.lowercased()
    let found = all.first {
      $0.name.lowercased() == wanted || "\($0.organization)/\($0.name)".lowercased() == wanted
    }
    guard let found else { throw UnknownModelError(name: name) }
    return found
  }

  private init(
    _ organization: String, _ name: String, base: String? = nil,
    _ configuration: ModelConfiguration
  ) {
    self.organization = organization
    self.name = name
    self.base = base
    self.configuration = configuration
  }
}

/// A name that no known model has.
public struct UnknownModelError: Error, Equatable, CustomStringConvertible {
  public let name: String

  public var description: String {
    let lastPart = name.split(separator: "/").last.map(String.init) ?? name
    let names = KnownModel.all.map(\.name)
    let hint =
      closest(to: lastPart, in: names).map { "Did you mean '\($0)'?" }
      ?? "The known ones are \(list(names, "and"))."
    return "\(quoted(name)) is not the name of a known model. \(hint)"
  }
}

extension ModelConfiguration {
  fileprivate static func qwen1500M(positions: Int, isTied: Bool) -> ModelConfiguration {
    qwen2(
      hidden: 1536, layers: 28, heads: 12, keyValueHeads: 2, intermediate: 8960, rows: 151_936,
      theta: 1e4, positions: positions, isTied: isTied, epsilon: 1e-6)
  }

  fileprivate static func qwen7B(positions: Int) -> ModelConfiguration {
    qwen2(
      hidden: 3584, layers: 28, heads: 28, keyValueHeads: 4, intermediate: 18944, rows: 152_064,
      theta: 1e4, positions: positions, isTied: false, epsilon: 1e-6)
  }

  fileprivate static var qwen14B: ModelConfiguration {
    qwen2(
      hidden: 5120, layers: 48, heads: 40, keyValueHeads: 8, intermediate: 13824, rows: 152_064,
      theta: 1e6, positions: 131_072, isTied: false, epsilon: 1e-5)
  }

  fileprivate static var qwen32B: ModelConfiguration {
    qwen2(
      hidden: 5120, layers: 64, heads: 40, keyValueHeads: 8, intermediate: 27648, rows: 152_064,
      theta: 1e6, positions: 131_072, isTied: false, epsilon: 1e-5)
  }

  fileprivate static var qwen500M: ModelConfiguration {
    qwen2(
      hidden: 896, layers: 24, heads: 14, keyValueHeads: 2, intermediate: 4864, rows: 151_936,
      theta: 1e6, positions: 32768, isTied: true, epsilon: 1e-6)
  }

  fileprivate static var llama8B: ModelConfiguration {
    llama3(
      hidden: 4096, layers: 32, heads: 32, intermediate: 14336, headDim: 128, factor: 8,
      isTied: false)
  }

  fileprivate static func llama70B(eosTokenIds: [Int]) -> ModelConfiguration {
    llama3(
      hidden: 8192, layers: 80, heads: 64, intermediate: 28672, headDim: 128, factor: 8,
      isTied: false, eosTokenIds: eosTokenIds)
  }

  fileprivate static var llama1B: ModelConfiguration {
    llama3(
      hidden: 2048, layers: 16, heads: 32, intermediate: 8192, headDim: 64, factor: 32,
      isTied: true)
  }

  private static func qwen2(
    hidden: Int, layers: Int, heads: Int, keyValueHeads: Int, intermediate: Int, rows: Int,
    theta: Double, positions: Int, isTied: Bool, epsilon: Double
  ) -> ModelConfiguration {
    .unchecked(
      family: .qwen2, vocabSize: rows, hiddenSize: hidden, intermediateSize: intermediate,
      numHiddenLayers: layers, numAttentionHeads: heads, numKeyValueHeads: keyValueHeads,
      rmsNormEps: epsilon, maxPositionEmbeddings: positions,
      rope: RotaryParameters(ropeTheta: theta), tieWordEmbeddings: isTied, bosTokenId: 151_643,
      eosTokenIds: [151_643], dtype: .bfloat16)
  }

  private static func llama3(
    hidden: Int, layers: Int, heads: Int, intermediate: Int, headDim: Int, factor: Double,
    isTied: Bool, eosTokenIds: [Int] = [128_001]
  ) -> ModelConfiguration {
    let scaling = RotaryParameters.Llama3(
      factor: factor, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositionEmbeddings: 8192)
    return .unchecked(
      family: .llama, vocabSize: 128_256, hiddenSize: hidden, intermediateSize: intermediate,
      numHiddenLayers: layers, numAttentionHeads: heads, numKeyValueHeads: 8, headDim: headDim,
      rmsNormEps: 1e-5, maxPositionEmbeddings: 131_072,
      rope: RotaryParameters(ropeTheta: 5e5, scaling: .llama3(scaling)),
      tieWordEmbeddings: isTied, bosTokenId: 128_000, eosTokenIds: eosTokenIds, dtype: .bfloat16)
  }
}
