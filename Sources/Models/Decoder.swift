import CKernels
import Dispatch
import Layers
import Tensors

/// What a caller gave a decoder and it can't take.
public struct DecoderError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

/// A decoder of the families `qwen2`, `llama` and `qwen3`: the one model of this package.
///
/// It turns tokens into logits, and losses into gradients. What differs between the families is
/// data in its configuration: biases, norms of queries and keys, the scaling of positions.
public final class Decoder: @unchecked Sendable {
  public let configuration: ModelConfiguration
  public let precision: Precision
  /// Everything that is trained, in the order of a Hugging Face checkpoint: the weights, unless they
  /// are packed or frozen; else the adapters, by the names that PEFT gives them.
  public let parameters: [Parameter]
  /// The adapters beside frozen weights; nil where there are none.
  public let lowRank: LowRankSettings?
  /// How many blocks, from the first, keep only their input and run again in the backward pass.
  /// The results are the same to the bit.
  public var recomputedBlocks = 0
  /// Whether frozen weights that are mapped leave the memory when a block is done, and are read again
  /// while the block before it computes: a model may then be larger than the memory.
  public var streamsFrozenWeights = false

  /// The indices of each layer's parameters.
  private let parametersOfLayer: [[Int]]
  /// Where each tensor of a checkpoint goes.
  let parts: [WeightPart]
  /// What the adapters' inputs are left out by.
  let dropout: Dropout
  let blocks: [DecoderBlock]
  let embedding: Embedding
  let norm: RMSNorm
  let head: CrossEntropy
  /// Whether threads may well read all weights, each for itself.
  let isSmallAndPacked: Bool

  /// A decoder whose weights hold anything: load them, or call `initialize`.
  ///
  /// - Parameter storage: How the weights are kept while they are trained.
  public convenience init(
    _ configuration: ModelConfiguration, precision: Precision,
    storage: TrainedStorage = .float32
  ) {
    self.init(
      configuration, precision: precision, form: storage == .float32 ? .float32 : .bfloat16)
  }

  init(
    _ configuration: ModelConfiguration, precision: Precision, form: WeightForm,
    lowRank: LowRankSettings? = nil
  ) {
    var assembly = DecoderAssembly(
      configuration, precision: precision, form: form, lowRank: lowRank)
    self.configuration = configuration
    self.precision = precision
    self.lowRank = lowRank
    dropout = assembly.dropout
    embedding = assembly.embedding()
    blocks = (0..<configuration.numHiddenLayers).map { assembly.block($0) }
    norm = assembly.finalNorm()
    head = assembly.head(tiedTo: embedding)
    parts = assembly.parts
    isSmallAndPacked =
      precision == .bfloat16 && blocks.allSatisfy { $0.output.weight.packed != nil }
      && configuration.parameterCount <= Self.mostParametersOfShares
    let trained = (parts + assembly.adapterParts).filter(\.weight.isTrained)
    parameters = trained.map { Parameter($0.name, shape: $0.shape, of: $0.weight, rows: $0.rows) }
    parametersOfLayer = (0..<configuration.numHiddenLayers).map { layer in
      trained.indices.filter { trained[$0].layer == layer }
    }
    initializeAdapters(seed: 0)
  }

  /// Draws random weights as transformers does: matrices from a normal distribution whose standard
  /// deviation is `initializerRange`, gains 1, biases 0.
  public func initialize(seed: UInt64) {
    precondition(lowRank == nil, "frozen weights come from a checkpoint")
    for (index, parameter) in parameters.enumerated() {
      let value: Tensor
      switch parameter.storage {
      case .float32: value = parameter.value
      case .bfloat16: value = Tensor(uninitialized: parameter.shape)
      }
      defer {
        if case .bfloat16(let words) = parameter.storage {
          kernels.bfloat16_from_float(words, value.pointer, Int64(value.count))
        }
      }
      if parameter.shape.count == 2 {
        value.fillNormal(
          standardDeviation: configuration.initializerRange,
          from: RandomStream(seed: seed, "initialization", index))
      } else if parameter.name.hasSuffix("bias") {
        value.setZero()
      } else {
        for index in value.elements.indices { value.elements[index] = 1 }
      }
    }
  }

  /// Draws new adapters as PEFT does: A from a uniform distribution up to 1/√C (He et al. 2015, with
  /// a = √5), B 0, so that they change nothing yet.
  public func initializeAdapters(seed: UInt64) {
    guard lowRank != nil else { return }
    for (index, parameter) in parameters.enumerated() {
      let value = parameter.value
      if parameter.name.contains(LowRankSettings.Factor.b.rawValue) {
        value.setZero()
      } else {
        let stream = RandomStream(seed: seed, "adapter", index)
        let bound = 1 / Double(value.columns).squareRoot()
        for i in 0..<value.count { value.pointer[i] = Float((2 * stream.uniform(i) - 1) * bound) }
      }
    }
  }

  /// The logits of every token's successor: (T, V).
  ///
  /// - Throws: `DecoderError` for a token that is not in the vocabulary.
  public func logits(_ row: PackedTokens) throws(DecoderError) -> Tensor {
    head.logits(norm.forward(try hidden(row)))
  }

  /// The log-probability, in nats, of each token's target; 0 where there is none.
  ///
  /// - Parameter targets: The id that should follow each token, or a negative number.
  /// - Throws: `DecoderError` for a token or target that is not in the vocabulary.
  public func logProbabilities(
    _ row: PackedTokens, targets: [Int32]
  ) throws(DecoderError) -> [Float] {
    let supervised = try supervisedRows(row, targets)
    let x = gather(try hidden(row), supervised)
    let found = head.logProbabilities(norm.forward(x), targets: supervised.map { targets[$0] })
    return scattered(found, to: supervised, count: row.count)
  }

  /// The same at a temperature: that of the logits divided by it.
  ///
  /// - Throws: `DecoderError` for a token or target that is not in the vocabulary.
  public func logProbabilities(
    _ row: PackedTokens, targets: [Int32], temperature: Double
  ) throws(DecoderError) -> [Float] {
    let supervised = try supervisedRows(row, targets)
    let x = gather(try hidden(row), supervised)
    let found = head.logProbabilities(
      norm.forward(x), targets: supervised.map { targets[$0] }, temperature: temperature)
    return scattered(found, to: supervised, count: row.count)
  }

  /// Runs forward and backward, and adds to the parameters' gradients those of the loss
  /// `−Σ_t weights[t] · log p(targets[t])`.
  ///
  /// - Parameters:
  ///   - targets: The id that should follow each token, or a negative number.
  ///   - weights: One for each token; 1 / (supervised tokens of the whole step) for a mean.
  /// - Returns: Each target's log-probability, in nats, before the update; 0 where there is none.
  /// - Throws: `DecoderError` for a token or target that is not in the vocabulary.
  public func accumulateGradients(
    _ row: PackedTokens, targets: [Int32], weights: [Float]
  ) throws(DecoderError) -> [Float] {
    try accumulateGradients(
      row, targets: targets, weights: weights, isInterrupted: { false }) ?? []
  }

  /// The same, which stops early where it is told to: the gradients then hold nothing of use.
  ///
  /// - Parameters:
  ///   - isInterrupted: Asked before every block, on the way there and on the way back.
  ///   - found: Takes what is returned before the way back begins; what it returns says whether it
  ///     does.
  ///   - layerDone: Takes the indices of parameters whose gradients are complete, as soon as nothing
  ///     on the way back needs their weights any more: they may be changed, and their gradients
  ///     released.
  /// - Returns: nil if it was interrupted.
  /// - Throws: `DecoderError` for a token or target that is not in the vocabulary.
  public func accumulateGradients(
    _ row: PackedTokens, targets: [Int32], weights: [Float], isInterrupted: () -> Bool,
    found: ((_ logProbabilities: [Float]) -> Bool)? = nil,
    layerDone: ((_ parameters: [Int]) -> Void)? = nil
  ) throws(DecoderError) -> [Float]? {
    precondition(weights.count == row.count, "\(weights.count) weights for \(row.count) tokens")
    return try accumulateGradients(
      row, targets: targets, isInterrupted: isInterrupted, found: found, layerDone: layerDone
    ) {
      x, supervised in
      head.forwardBackward(
        x, targets: supervised.map { targets[$0] }, weights: supervised.map { weights[$0] })
    }
  }

  /// Runs forward and backward, and adds to the parameters' gradients those of any loss of the
  /// targets' log-probabilities at a temperature.
  ///
  /// - Parameters:
  ///   - targets: The id that should follow each token, or a negative number.
  ///   - temperature: By which logits are divided.
  ///   - weight: −dL/dlog p of a token's target, from the token's number and that log-probability;
  ///     called on any thread.
  ///   - isInterrupted: Asked before every block, on the way there and on the way back.
  /// - Returns: Each target's log-probability, in nats, before the update; 0 where there is none. nil
  ///   if it was interrupted: the gradients then hold nothing of use.
  /// - Throws: `DecoderError` for a token or target that is not in the vocabulary.
  public func accumulateGradients(
    _ row: PackedTokens, targets: [Int32], temperature: Double,
    weight: (_ token: Int, _ logProbability: Float) -> Float, isInterrupted: () -> Bool
  ) throws(DecoderError) -> [Float]? {
    try accumulateGradients(row, targets: targets, isInterrupted: isInterrupted) { x, supervised in
      head.forwardBackward(
        x, targets: supervised.map { targets[$0] }, temperature: temperature
      ) { weight(supervised[$0], $1) }
    }
  }

  private func accumulateGradients(
    _ row: PackedTokens, targets: [Int32], isInterrupted: () -> Bool,
    found: ((_ logProbabilities: [Float]) -> Bool)? = nil,
    layerDone: ((_ parameters: [Int]) -> Void)? = nil,
    loss: (_ x: Tensor, _ supervised: [Int]) -> (logProbabilities: [Float], dx: Tensor)
  ) throws(DecoderError) -> [Float]? {
    let supervised = try supervisedRows(row, targets)
    try check(row.tokens)
    if supervised.isEmpty { return [Float](repeating: 0, count: row.count) }
    let layout = RowLayout(row)
    dropout.isActive = true
    defer { dropout.isActive = false }

    var caches: [DecoderBlock.Cache?] = []
    var inputs: [Tensor?] = []
    var x = embedded(row.tokens)
    for (index, block) in blocks.enumerated() {
      if isInterrupted() { return nil }
      readAhead(next: index + 1)
      defer { letGo(of: index) }
      let keeping = index >= recomputedBlocks
      let (y, cache) = block.forward(x, layout, keeping: keeping)
      caches.append(keeping ? cache : nil)
      inputs.append(keeping ? nil : x)
      x = y
    }

    let (probabilities, dy) = lossAndGradient(x, supervised, loss)
    letGo(of: blocks.count)
    let result = scattered(probabilities, to: supervised, count: row.count)
    if let found, !found(result) { return result }
    // A tied head's gradient is complete when the embedding has added its own.
    let outside = parameters.indices.filter { index in
      !parametersOfLayer.contains { $0.contains(index) }
    }
    let isLate = { [embedding] in self.parameters[$0].weight === embedding.weight }
    layerDone?(outside.filter { !isLate($0) })
    for index in blocks.indices.reversed() {
      if isInterrupted() { return nil }
      readAhead(next: index - 1)
      defer { letGo(of: index) }
      if let cache = caches.removeLast() {
        blocks[index].backward(dy, layout, cache)
      } else if let input = inputs[index] {
        inputs[index] = nil
        blocks[index].backward(dy, layout, blocks[index].recompute(input, layout))
      }
      layerDone?(parametersOfLayer[index])
    }
    embedding.backward(dy, tokens: row.tokens)
    layerDone?(outside.filter(isLate))
    return result
  }

  /// Says which numbers dropout draws from now on; only `accumulateGradients` leaves inputs out.
  ///
  /// - Parameters:
  ///   - step: The number of the training step.
  ///   - part: The number of the rows that are computed at once, within the step.
  public func setDropout(seed: UInt64, step: Int, part: Int) {
    dropout.place = Dropout.Place(seed: seed, step: step, part: part)
  }

  /// Forgets all gradients.
  public func clearGradients() {
    for parameter in parameters { parameter.weight.clearGradient() }
  }

  // MARK: - Parts

  /// The last block's output, before the final norm.
  private func hidden(_ row: PackedTokens) throws(DecoderError) -> Tensor {
    try check(row.tokens)
    let layout = RowLayout(row)
    return blocks.indices.reduce(embedded(row.tokens)) { x, index in
      readAhead(next: index + 1)
      defer { letGo(of: index) }
      return blocks[index].forward(x, layout, keeping: false).y
    }
  }

  // MARK: - Weights from the disk

  /// The matrices that a block reads; beyond the last block, the head's.
  private func matrices(of index: Int) -> [Weight] {
    guard blocks.indices.contains(index) else { return [head.weight] }
    let block = blocks[index]
    return [
      block.queryKeyValue.weight, block.output.weight, block.feedForward.gateUp.weight,
      block.feedForward.down.weight,
    ]
  }

  /// The tokens' rows of the embedding, which nobody reads ahead.
  func embedded(_ tokens: [Int32]) -> Tensor {
    defer { if streamsFrozenWeights { embedding.weight.bfloat16?.release() } }
    return embedding.forward(tokens)
  }

  /// Has the matrices of the block that comes next read while this one computes.
  func readAhead(next: Int) {
    guard streamsFrozenWeights, next >= 0 else { return }
    let rows = matrices(of: next).compactMap(\.bfloat16)
    Self.reading.async { for rows in rows { rows.prefetch() } }
  }

  func letGo(of index: Int) {
    guard streamsFrozenWeights else { return }
    for weight in matrices(of: index) { weight.bfloat16?.release() }
  }

  /// Reading waits for the disk, and would keep a worker from computing.
  private static let reading = DispatchQueue(label: "distill-reading")

  private func lossAndGradient(
    _ x: Tensor, _ supervised: [Int],
    _ loss: (_ x: Tensor, _ supervised: [Int]) -> (logProbabilities: [Float], dx: Tensor)
  ) -> (logProbabilities: [Float], dx: Tensor) {
    let rows = gather(x, supervised)
    let (found, dn) = loss(norm.forward(rows), supervised)
    let dRows = Tensor(zeros: rows.shape)
    norm.backward(dn, x: rows, addingTo: dRows)
    let dx = Tensor(zeros: x.shape)
    for (index, t) in supervised.enumerated() {
      dx.row(t).update(from: dRows.row(index), count: x.columns)
    }
    return (found, dx)
  }

  func gather(_ x: Tensor, _ rows: [Int]) -> Tensor {
    let gathered = Tensor(uninitialized: [rows.count, x.columns])
    for (index, t) in rows.enumerated() {
      gathered.row(index).update(from: x.row(t), count: x.columns)
    }
    return gathered
  }

  private func scattered(_ values: [Float], to rows: [Int], count: Int) -> [Float] {
    var result = [Float](repeating: 0, count: count)
    for (value, t) in zip(values, rows) { result[t] = value }
    return result
  }

  private func supervisedRows(
    _ row: PackedTokens, _ targets: [Int32]
  ) throws(DecoderError) -> [Int] {
    precondition(targets.count == row.count, "\(targets.count) targets for \(row.count) tokens")
    if let t = targets.firstIndex(where: { $0 >= configuration.vocabSize }) {
      throw outside("target", targets[t], t)
    }
    return targets.indices.filter { targets[$0] >= 0 }
  }

  func check(_ tokens: [Int32]) throws(DecoderError) {
    if let t = tokens.firstIndex(where: { $0 < 0 || $0 >= configuration.vocabSize }) {
      throw outside("token", tokens[t], t)
    }
  }

  private func outside(_ what: String, _ id: Int32, _ position: Int) -> DecoderError {
    DecoderError(
      description: "The \(what) at position \(position) is \(id); the model's vocabulary has ids "
        + "0 to \(configuration.vocabSize - 1). Is the tokenizer that of the checkpoint?")
  }
}
