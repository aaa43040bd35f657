import Layers
import Models
import Tensors
import XCTest

/// A model small enough for any test, with sizes that share few divisors.
struct TinyModel {
  let name: String
  let configuration: ModelConfiguration

  /// All families, with and without biases, tied and untied, with every scaling of positions.
  ///
  /// - Parameter sizes: Replace the models' own, for tests that need longer sums.
  static func all(_ sizes: Sizes = Sizes()) throws -> [TinyModel] {
    let llama3 = RotaryParameters.Llama3(
      factor: 4, lowFreqFactor: 1, highFreqFactor: 3, originalMaxPositionEmbeddings: 64)
    let yarn = RotaryParameters.YaRN(
      factor: 4, originalMaxPositionEmbeddings: 64, betaFast: 8, betaSlow: 1)
    return [
      try TinyModel("qwen2 tied", .qwen2, sizes, heads: (4, 2, 6), isTied: true),
      try TinyModel(
        "qwen2 yarn", .qwen2, sizes, heads: (6, 2, 10), isTied: false, scaling: .yarn(yarn)),
      try TinyModel(
        "llama biases", .llama, sizes, heads: (6, 3, 10), isTied: false, hasBiases: true,
        scaling: .llama3(llama3)),
      try TinyModel("llama tied", .llama, sizes, heads: (3, 3, 8), isTied: true),
      try TinyModel("qwen3", .qwen3, sizes, heads: (5, 1, 14), isTied: false),
      try TinyModel(
        "qwen3 tied", .qwen3, sizes, heads: (4, 2, 18), isTied: true, hasBiases: true,
        scaling: .linear(factor: 2)),
    ]
  }

  /// One of each family.
  static func families(_ sizes: Sizes = Sizes()) throws -> [TinyModel] {
    let models = try all(sizes)
    return [models[1], models[2], models[5]]
  }

  /// Sums that are cut within each product, attention that takes several tiles.
  static let wide = Sizes(vocabulary: 701, hidden: 68, intermediate: 530, layers: 2)

  struct Sizes {
    var vocabulary = 97
    var hidden = 21
    var intermediate = 35
    var layers = 2
  }

  init(
    _ name: String, _ family: ModelFamily, _ sizes: Sizes,
    heads: (queries: Int, keyValues: Int, size: Int), isTied: Bool, hasBiases: Bool = false,
    scaling: RotaryParameters.Scaling = .default
  ) throws {
    self.name = name
    configuration = try ModelConfiguration(
      family: family, vocabSize: sizes.vocabulary, hiddenSize: sizes.hidden,
      intermediateSize: sizes.intermediate, numHiddenLayers: sizes.layers,
      numAttentionHeads: heads.queries, numKeyValueHeads: heads.keyValues, headDim: heads.size,
      attentionBias: hasBiases, mlpBias: hasBiases && family == .llama, initializerRange: 0.2,
      maxPositionEmbeddings: 256, rope: RotaryParameters(ropeTheta: 1e4, scaling: scaling),
      tieWordEmbeddings: isTied)
  }

  /// A decoder with random weights, of which none is 0 or 1: gains and biases are random too.
  func decoder(_ precision: Precision, seed: UInt64 = 1) -> Decoder {
    let decoder = Decoder(configuration, precision: precision)
    decoder.initialize(seed: seed)
    for (index, parameter) in decoder.parameters.enumerated() where parameter.shape.count == 1 {
      let value = parameter.value
      value.fillNormal(standardDeviation: 0.2, from: RandomStream(seed: seed, "vectors", index))
      if parameter.name.hasSuffix("bias") { continue }
      for i in value.elements.indices { value.elements[i] += 1 }
    }
    return decoder
  }

  /// Random tokens of the vocabulary.
  func tokens(_ count: Int, seed: UInt64 = 2) -> [Int32] {
    let stream = RandomStream(seed: seed, "tokens")
    return (0..<count).map { Int32(stream[$0] % UInt64(configuration.vocabSize)) }
  }

  /// Documents of random tokens, with a target and a weight for most tokens; the last of each
  /// document and about a fifth of the others have none.
  func lesson(_ documents: [Int], seed: UInt64 = 3) -> Lesson {
    let tokens = tokens(documents.reduce(0, +), seed: seed)
    let ends = Set(documents.indices.map { documents[...$0].reduce(0, +) - 1 })
    let stream = RandomStream(seed: seed, "targets")
    let targets = tokens.indices.map { t in
      ends.contains(t) || stream.uniform(t) < 0.2 ? -1 : tokens[t + 1]
    }
    return Lesson(
      row: PackedTokens(tokens, documents: documents), targets: targets,
      weights: tokens.indices.map { Float(0.01 + 0.02 * stream.uniform(100_000 + $0)) })
  }
}

/// What a decoder is trained on in a test.
struct Lesson {
  var row: PackedTokens
  var targets: [Int32]
  var weights: [Float]

  /// The documents from `range`, as a lesson of their own.
  func documents(_ range: Range<Int>) -> Lesson {
    let start = row.documents[..<range.lowerBound].reduce(0, +)
    let end = start + row.documents[range].reduce(0, +)
    return Lesson(
      row: PackedTokens(Array(row.tokens[start..<end]), documents: Array(row.documents[range])),
      targets: Array(targets[start..<end]), weights: Array(weights[start..<end]))
  }
}

/// Everything that a decoder computes from a lesson.
struct Outcome {
  let logits: [Float]
  let logProbabilities: [Float]
  let trained: [Float]  // what `accumulateGradients` returned
  let gradients: [(name: String, values: [Float])]

  init(_ decoder: Decoder, _ lesson: Lesson) throws {
    logits = Array(try decoder.logits(lesson.row).elements)
    logProbabilities = try decoder.logProbabilities(lesson.row, targets: lesson.targets)
    decoder.clearGradients()
    trained = try decoder.accumulateGradients(
      lesson.row, targets: lesson.targets, weights: lesson.weights)
    gradients = try decoder.gradients()
  }

  func assertSameBits(
    as other: Outcome, _ what: String, file: StaticString = #filePath, line: UInt = #line
  ) {
    assertSame(logits, other.logits, "\(what): logits", file: file, line: line)
    assertSame(
      logProbabilities, other.logProbabilities, "\(what): log-probabilities", file: file,
      line: line)
    assertSame(trained, other.trained, "\(what): trained", file: file, line: line)
    assertSameGradients(gradients, other.gradients, what, file: file, line: line)
  }
}

extension Decoder {
  /// Copies of all gradients.
  func gradients() throws -> [(name: String, values: [Float])] {
    try parameters.map { parameter in
      (parameter.name, Array(try XCTUnwrap(parameter.gradient, parameter.name).elements))
    }
  }
}

func assertSameGradients(
  _ found: [(name: String, values: [Float])], _ expected: [(name: String, values: [Float])],
  _ what: String, file: StaticString = #filePath, line: UInt = #line
) {
  XCTAssertEqual(found.map(\.name), expected.map(\.name), what, file: file, line: line)
  for (a, b) in zip(found, expected) {
    assertSame(a.values, b.values, "\(what): d \(a.name)", file: file, line: line)
  }
}

/// Compares bit by bit, and names the first that differs; NaN is never right.
func assertSame(
  _ found: some Collection<Float>, _ expected: some Collection<Float>, _ what: String,
  file: StaticString = #filePath, line: UInt = #line
) {
  XCTAssertEqual(found.count, expected.count, "\(what): counts", file: file, line: line)
  let different = zip(found, expected).enumerated().filter { _, pair in
    pair.0.bitPattern != pair.1.bitPattern || pair.0.isNaN
  }
  if let (index, (a, b)) = different.first {
    XCTFail(
      "\(what)[\(index)] is \(a), not \(b); \(different.count) of \(found.count) differ",
      file: file, line: line)
  }
}

/// Runs `body` with each number of threads, and leaves the pool as it was.
func withThreads(_ counts: [Int] = [1, 2, 3, 8], _ body: (Int) throws -> Void) rethrows {
  let before = ThreadPool.shared.threads
  defer { ThreadPool.shared.threads = before }
  for count in counts {
    ThreadPool.shared.threads = count
    try body(count)
  }
}

/// Fills the storage pool with NaN, so that whoever reads memory before writing it is found out.
func poisonStorage() {
  StoragePool.shared.trim()
  var held: [Tensor] = []
  var size = 16
  while size < 1 << 20 {
    for _ in 0..<4 {
      let tensor = Tensor(uninitialized: [size])
      tensor.elements.update(repeating: .nan)
      held.append(tensor)
    }
    size = max(size + 16, size * 10 / 9)
  }
}
