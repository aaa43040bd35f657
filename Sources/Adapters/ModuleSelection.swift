import Models
import Storage

/// Which modules of a model are meant, as PEFT has it in `target_modules`.
public enum ModuleSelection: Equatable, Sendable {
  /// Modules whose dotted path is one of these, or ends in a dot and one of these.
  case names([String])
  /// Every linear layer but the head.
  case allLinear
  /// Modules whose whole path the expression matches.
  case pattern(ModulePattern)

  /// Equal with the same bytes: names in different normal forms are not.
  public static func == (a: ModuleSelection, b: ModuleSelection) -> Bool {
    switch (a, b) {
    case (.names(let a), .names(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    case (.allLinear, .allLinear): true
    case (.pattern(let a), .pattern(let b)): a == b
    default: false
    }
  }

  /// How a module was found.
  enum Match { case path, end, pattern, kind }

  func match(_ module: ModelModule) -> Match? {
    switch self {
    case .names(let names):
      if names.contains(where: { $0.utf8.elementsEqual(module.path.utf8) }) { return .path }
      return names.contains { module.path.hasLastParts($0) } ? .end : nil
    case .allLinear: return module.isInnerLinear ? .kind : nil
    case .pattern(let pattern): return pattern.matches(module.path) ? .pattern : nil
    }
  }
}

extension String {
  /// Whether the text ends in a dot and this name.
  func hasLastParts(_ name: String) -> Bool {
    let (own, end) = (utf8, name.utf8)
    return own.count > end.count && own.suffix(end.count).elementsEqual(end)
      && own.dropLast(end.count).last == UInt8(ascii: ".")
  }
}

/// A module of a model in transformers, by its dotted path, such as "model.layers.0.mlp".
struct ModelModule {
  enum Kind: Equatable {
    case linear(ParameterRole)
    case embedding, head
    /// A norm, an activation, or a module that holds others.
    case other
  }

  let path: String
  let kind: Kind
  /// The layer that it is in, counted from 0.
  let layer: Int?

  var isInnerLinear: Bool { if case .linear = kind { true } else { false } }
}

extension ModelConfiguration {
  /// All modules of the model in transformers (5.23), as its `named_modules` has them.
  var modules: [ModelModule] {
    func other(_ path: String, _ layer: Int? = nil) -> ModelModule {
      ModelModule(path: path, kind: .other, layer: layer)
    }
    var modules = [
      other("model"), ModelModule(path: "model.embed_tokens", kind: .embedding, layer: nil),
      other("model.layers"),
    ]
    let norms = hasQueryKeyNorm ? ["self_attn.q_norm", "self_attn.k_norm"] : []
    let others =
      ["self_attn", "mlp", "mlp.act_fn", "input_layernorm", "post_attention_layernorm"] + norms
    for layer in 0..<numHiddenLayers {
      let path = "model.layers.\(layer)"
      modules.append(other(path, layer))
      modules += others.map { other(path + "." + $0, layer) }
      modules += LowRankSettings.adaptable.map { role in
        ModelModule(
          path: String(role.name(layer: layer).dropLast(".weight".count)), kind: .linear(role),
          layer: layer)
      }
    }
    modules += [
      other("model.norm"), other("model.rotary_emb"),
      ModelModule(path: "lm_head", kind: .head, layer: nil),
    ]
    return modules
  }
}
