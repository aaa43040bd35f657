/// Which matrices of a model get low-rank adapters, and of what size (Hu et al. 2021, "LoRA").
///
/// A matrix W (O, C) acts as `W + scale · B · A` with A (r, C) and B (O, r), which are trained while
/// W is not. The terms are those of PEFT.
public struct LowRankSettings: Equatable, Sendable {
  /// r
  public var rank: Int
  public var alpha: Double
  /// The share of an adapter's inputs that is left out in training; the others grow to make up.
  public var dropout: Double
  /// Whether the scale is α/√r instead of α/r (Kalajdzievski 2023, "rsLoRA").
  public var usesRankStabilization: Bool
  /// The matrices: of those in `adaptable`.
  public var roles: [ParameterRole]

  public init(
    rank: Int, alpha: Double, dropout: Double = 0, usesRankStabilization: Bool = false,
    roles: [ParameterRole] = LowRankSettings.adaptable
  ) {
    precondition(rank > 0 && (0..<1).contains(dropout) && roles.allSatisfy(Self.adaptable.contains))
    self.rank = rank
    self.alpha = alpha
    self.dropout = dropout
    self.usesRankStabilization = usesRankStabilization
    self.roles = roles
  }

  /// The names that PEFT gives the modules of the matrices.
  public var moduleNames: [String] { roles.map(\.moduleName) }

  /// What B · A is multiplied by.
  public var scale: Double {
    alpha / (usesRankStabilization ? Double(rank).squareRoot() : Double(rank))
  }

  /// The matrices that can have adapters: those of PEFT's "all-linear".
  public static let adaptable: [ParameterRole] = [
    .queryWeight, .keyWeight, .valueWeight, .outputWeight, .gateWeight, .upWeight, .downWeight,
  ]

  /// One of an adapter's two matrices.
  public enum Factor: String, Sendable {
    case a = "lora_A"
    case b = "lora_B"
  }
}

extension ParameterRole {
  /// The name that PEFT gives the module of a matrix in a layer: `q_proj`, for example.
  public var moduleName: String {
    let parts = rawValue.split(separator: ".")
    return parts.count > 1 ? String(parts[parts.count - 2]) : rawValue
  }

  /// The name that a matrix's adapter has in PEFT's `adapter_model.safetensors`.
  public func name(of factor: LowRankSettings.Factor, layer: Int) -> String {
    let module = name(layer: layer).dropLast(".weight".count)
    return "base_model.model.\(module).\(factor.rawValue).weight"
  }
}

extension ModelConfiguration {
  /// How many numbers the adapters have.
  public func parameterCount(of lowRank: LowRankSettings) -> Int {
    numHiddenLayers
      * lowRank.roles.reduce(0) { $0 + lowRank.rank * shape(of: $1).reduce(0, +) }
  }
}
