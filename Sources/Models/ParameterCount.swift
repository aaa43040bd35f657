/// A tensor of a model, before there are values.
public struct ParameterShape: Equatable, Sendable {
  /// The name in a checkpoint.
  public let name: String
  public let role: ParameterRole
  /// From 0; nil outside the layers.
  public let layer: Int?
  /// Rows before columns.
  public let shape: [Int]

  public var count: Int { shape.reduce(1, *) }
}

extension ModelConfiguration {
  /// All tensors of the model, in the order of transformers.
  ///
  /// A tied head is the embedding and not listed.
  public var parameters: [ParameterShape] {
    func parameter(_ role: ParameterRole, layer: Int? = nil) -> ParameterShape {
      ParameterShape(
        name: role.name(layer: layer), role: role, layer: layer, shape: shape(of: role))
    }
    let roles = ParameterRole.allCases.filter(has)
    let before = roles.prefix { !$0.isInLayer }
    let inLayers = roles.filter(\.isInLayer)
    let after = roles.dropFirst(before.count + inLayers.count)
    return before.map { parameter($0) }
      + (0..<numHiddenLayers).flatMap { layer in inLayers.map { parameter($0, layer: layer) } }
      + after.map { parameter($0) }
  }

  /// How many numbers the model has; those of a tied head count once.
  public var parameterCount: Int { count { _ in true } }

  /// How many of them are neither in the embedding nor in the head, as model cards count them.
  public var parameterCountWithoutEmbeddings: Int { count { $0 != .embedding && $0 != .head } }

  private func count(_ isCounted: (ParameterRole) -> Bool) -> Int {
    ParameterRole.allCases.filter { has($0) && isCounted($0) }
      .map { shape(of: $0).reduce($0.isInLayer ? numHiddenLayers : 1, *) }
      .reduce(0, +)
  }

  /// Bytes of the weights; keys and values of past tokens come on top.
  public func bytesToRun(in dtype: Dtype) -> Int { parameterCount * dtype.bytes }

  /// Bytes of weights, gradients and AdamW's two moments; activations come on top.
  public func bytesToTrain(
    weights: Dtype = .float32, gradients: Dtype = .float32, moments: Dtype = .float32
  ) -> Int {
    parameterCount * (weights.bytes + gradients.bytes + 2 * moments.bytes)
  }
}
