import Models
import Storage

/// A linear layer of a model that an adapter changes, and how.
public struct AdaptedLayer: Equatable, Sendable {
  /// The layer of the model, counted from 0.
  public let layer: Int
  /// Which of the layer's weights.
  public let role: ParameterRole
  /// The columns of the weight, and of A.
  public let inputs: Int
  /// The rows of the weight, and of B.
  public let outputs: Int
  /// The rows of A, and the columns of B.
  public let rank: Int
  /// What B · A is multiplied by.
  public let scale: Double

  /// The weight's name in a checkpoint, such as "model.layers.0.self_attn.q_proj.weight".
  public var weightName: String { role.name(layer: layer) }
  /// The module's path, such as "model.layers.0.self_attn.q_proj".
  public var path: String { String(weightName.dropLast(".weight".count)) }
  /// The name of A in `adapter_model.safetensors`.
  public var nameOfA: String { role.name(of: .a, layer: layer) }
  /// The name of B in `adapter_model.safetensors`.
  public var nameOfB: String { role.name(of: .b, layer: layer) }
  /// (rank, in)
  public var shapeOfA: [Int] { [rank, inputs] }
  /// (out, rank)
  public var shapeOfB: [Int] { [outputs, rank] }
}

extension AdapterConfiguration {
  /// The linear layers of a model that have an adapter, in the order of the model.
  ///
  /// - Parameter source: What errors call the configuration.
  /// - Throws: `AdapterError` if other modules are selected too, such as the head; if a layer is
  ///   not there; or if nothing is selected.
  public func adaptedLayers(
    of model: ModelConfiguration, source: String = "adapter_config.json"
  ) throws(AdapterError) -> [AdaptedLayer] {
    if let layer = layersToTransform?.first(where: { $0 >= model.numHiddenLayers }) {
      throw AdapterError(
        "\(source): 'layers_to_transform' has \(layer), but the model has "
          + "\(model.numHiddenLayers) layers, counted from 0.")
    }
    var layers: [AdaptedLayer] = []
    for module in model.modules where selects(module) {
      guard case .linear(let role) = module.kind, let layer = module.layer else {
        throw AdapterError("\(source): " + module.refusal)
      }
      let rank = rankPattern.first { $0.pattern.matchesEnd(of: module.path) }?.value ?? rank
      let alpha = alphaPattern.first { $0.pattern.matchesEnd(of: module.path) }?.value ?? alpha
      let shape = model.shape(of: role)
      layers.append(
        AdaptedLayer(
          layer: layer, role: role, inputs: shape[1], outputs: shape[0], rank: rank,
          scale: scale(rank: rank, alpha: alpha)))
    }
    guard !layers.isEmpty else {
      throw AdapterError(
        "\(source): 'target_modules' selects no linear layer of the model. Its layers have "
          + LowRankSettings.adaptable.map { "'\($0.moduleName)'" }.joined(separator: ", ") + ".")
    }
    return layers
  }

  /// The names in `target_modules` by which no module of a model is selected: for models of other
  /// families, or slips.
  public func unusedNames(for model: ModelConfiguration) -> [String] {
    guard case .names(let names) = targetModules else { return [] }
    let modules = model.modules
    return names.filter { name in
      !modules.contains { ModuleSelection.names([name]).match($0) != nil }
    }
  }

  /// PEFT's rule, `check_target_module_exists`.
  func selects(_ module: ModelModule) -> Bool {
    if excludedModules?.match(module) != nil { return false }
    guard let match = targetModules.match(module) else { return false }
    guard match == .end, let layersToTransform else { return true }
    return module.layer.map(layersToTransform.contains) ?? false
  }
}

extension ModelModule {
  /// Why no adapter of it is read.
  fileprivate var refusal: String {
    switch kind {
    case .embedding:
      "'target_modules' selects '\(path)', the embedding, whose adapters are not supported. "
        + mergeWithPEFT
    case .head:
      "'target_modules' selects '\(path)', the head, whose adapters are not supported. "
        + mergeWithPEFT
    case .linear, .other:
      "'target_modules' selects '\(path)', which is no linear layer. Name the layers themselves, "
        + "such as 'q_proj'."
    }
  }
}

/// What to do with an adapter that is PEFT's business.
let mergeWithPEFT = "Merge the adapter with PEFT's 'merge_and_unload'."
