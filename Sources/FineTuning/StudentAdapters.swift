import Adapters
import Foundation
import Models
import Tensors
import Training
import TrainingRecipes

/// The adapters of a student, from and to a folder of PEFT's.
struct StudentAdapters {
  private let recipe: FineTuningRecipe
  private let decoder: Decoder
  private let settings: LowRankSettings

  /// nil for a student whose own weights are trained.
  init?(_ recipe: FineTuningRecipe, _ decoder: Decoder) {
    guard let settings = decoder.lowRank else { return nil }
    self.recipe = recipe
    self.decoder = decoder
    self.settings = settings
  }

  /// Takes over the adapters of a folder, which must be of the form that the recipe asks for.
  ///
  /// - Throws: `AdapterError`, `RecipeMistakes`.
  func load(from path: String) throws {
    let stored = try AdapterCheckpoint(at: path, for: decoder.configuration)
    let found = try stored.configuration.adaptedLayers(of: decoder.configuration, source: path)
    let wanted = try configuration.adaptedLayers(of: decoder.configuration, source: recipe.run)
    guard found == wanted else {
      throw RecipeMistakes(findings: [
        "The recipe: the adapters in '\(path)' are not of the form that 'lora' asks for: "
          + "they are \(Self.words(found)), not \(Self.words(wanted))."
      ])
    }
    try stored.checkSize()
    for pair in stored.pairs {
      copy(pair.readA(), to: pair.layer.nameOfA)
      copy(pair.readB(), to: pair.layer.nameOfB)
    }
  }

  /// Ranks, scales and modules, in words.
  private static func words(_ layers: [AdaptedLayer]) -> String {
    func listed(_ values: [String]) -> String {
      var seen: [String] = []
      for value in values where !seen.contains(value) { seen.append(value) }
      return seen.joined(separator: ", ")
    }
    return "of rank " + listed(layers.map { "\($0.rank)" }) + ", scaled by "
      + listed(layers.map { String(format: "%g", $0.scale) }) + ", in \(layers.count) matrices ("
      + listed(layers.map(\.role.moduleName)) + ")"
  }

  /// Writes them with the files beside them.
  ///
  /// - Throws: `AdapterError`.
  func save(to path: String, additions: [String: Data]) throws {
    let model = decoder.configuration
    let configuration = configuration
    let values = Dictionary(
      decoder.parameters.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    let weights = try configuration.adaptedLayers(of: model, source: path).compactMap { layer in
      values[layer.nameOfA].flatMap { a in
        values[layer.nameOfB].map { AdapterWeights(layer, a: a, b: $0) }
      }
    }
    try AdapterCheckpoint.save(
      weights, configuration, for: model, to: path, carryingFrom: recipe.student,
      additions: additions,
      options: .init(
        dtype: recipe.export == .float32 ? .float32 : .bfloat16, replacing: true))
  }

  private var configuration: AdapterConfiguration {
    AdapterConfiguration(
      rank: settings.rank, alpha: settings.alpha, dropout: settings.dropout,
      targetModules: settings.moduleNames,
      usesRankStabilization: settings.usesRankStabilization, baseModel: recipe.student)
  }

  private func copy(_ values: Tensor, to name: String) {
    guard let parameter = decoder.parameters.first(where: { $0.name == name }),
      parameter.count == values.count
    else { return }
    parameter.value.pointer.update(from: values.pointer, count: values.count)
  }
}
