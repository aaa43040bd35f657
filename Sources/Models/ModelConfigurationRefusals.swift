import Storage

/// What `config.json` may ask for and this decoder does not do, each refused by its name.
extension ConfigurationReader {
  private static let mixturesOfExperts = [
    "dbrx", "deepseek_v2", "deepseek_v3", "ernie4_5_moe", "glm4_moe", "gpt_oss", "granitemoe",
    "jamba", "llama4", "llama4_text", "mixtral", "minimax", "olmoe", "phimoe", "qwen2_moe",
    "qwen3_moe", "qwen3_next",
  ]
  private static let expertKeys = ["num_experts", "num_local_experts", "n_routed_experts"]

  /// Refuses what does not depend on the family.
  mutating func checkStructure(of file: ConfigurationSection) {
    if let text = file["text_config"], text != .null {
      add(
        "the text model stands under 'text_config', as in models that read images or sound too. "
          + "Only models of text alone can be used.")
    }
    for key in Self.expertKeys {
      guard let value = file[key], value != .null, value.wholeNumber != 0 else { continue }
      add(
        "'\(key)' is \(value.shown): a mixture of experts. Only models without experts can be "
          + "used.")
    }
    if let value = file["quantization_config"], value != .null {
      var method = ""
      if case .object(let object) = value, case .string(let name) = object["quant_method"] {
        method = " with 'quant_method' \(quoted(name))"
      }
      add(
        "'quantization_config' is \(value.shown)\(method): the weights are quantized. "
          + "Use the model's original weights in float32, bfloat16 or float16.")
    }
    if let value = file["per_layer_config"], value != .null, value != .object(JSONObject.empty) {
      add("'per_layer_config' is \(value.shown). Only models with equal layers can be used.")
    }
    if let value = file["hidden_act"], value != .string("silu"), value != .string("swish") {
      add("'hidden_act' is \(value.shown), not 'silu', the only activation there is here.")
    }
    if let value = file["pretraining_tp"], value != .null, value.wholeNumber != 1 {
      add(
        "'pretraining_tp' is \(value.shown), not 1: products cut into slices are not supported. "
          + "Set it to 1; results then differ by rounding only.")
    }
  }

  /// The family that `model_type` names.
  mutating func family(in file: ConfigurationSection) -> ModelFamily? {
    let names = ModelFamily.all.map(\.modelType)
    guard let value = file["model_type"] else {
      // What holds its parts under other keys was answered already.
      if file["text_config"] == nil {
        add("missing key 'model_type', which is one of \(list(names, "and")).")
      }
      return nil
    }
    guard case .string(let name) = value else {
      add("'model_type' is \(value.shown), not one of \(list(names, "and")).")
      return nil
    }
    if let family = ModelFamily.all.first(where: { $0.modelType == name }) { return family }
    if Self.mixturesOfExperts.contains(name) {
      add(
        "'model_type' is '\(name)', a mixture of experts, not one of \(list(names, "and")).")
      return nil
    }
    let hint = closest(to: name, in: names).map { " Did you mean '\($0)'?" } ?? ""
    add("'model_type' is \(quoted(name)), not one of \(list(names, "and")).\(hint)")
    return nil
  }

  /// Refuses a model with another head than the one over the vocabulary.
  mutating func checkArchitecture(_ family: ModelFamily, in file: ConfigurationSection) {
    guard let value = file["architectures"], value != .null else { return }
    var names: [String] = []
    if case .array(let elements) = value {
      for case .string(let name) in elements { names.append(name) }
      if elements.isEmpty { return }
      // Files from before Llama had its name in transformers spell it 'LLaMAForCausalLM'.
      let wanted = family.architecture.lowercased()
      if names.contains(where: { $0.lowercased() == wanted }) { return }
    }
    add(
      "'architectures' is \(names.first.map { "[\(quoted($0))]" } ?? value.shown), not "
        + "['\(family.architecture)']: only models with a head over the vocabulary can be used.")
  }

  /// Refuses attention that does not reach back to the first token.
  ///
  /// Many files name a `sliding_window` and switch it off; it counts only where a layer uses it.
  mutating func checkWindows(numHiddenLayers: Int?, in file: ConfigurationSection) {
    let advice = "Only layers that see all tokens before them can be computed."
    if let value = file["layer_types"], value != .null {
      guard case .array(let types) = value else {
        add("'layer_types' is \(value.shown), not a list with one name for each layer.")
        return
      }
      if let other = types.first(where: {
        $0 != .string("full_attention") && $0 != .string("attention")
      }) {
        add("'layer_types' has \(other.shown), not only 'full_attention'. \(advice)")
      } else if let numHiddenLayers, types.count != numHiddenLayers {
        add(
          "'layer_types' has \(types.count) layers, but 'num_hidden_layers' is "
            + "\(numHiddenLayers).")
      }
      return
    }
    guard bool("use_sliding_window", in: file, default: false) == true,
      file["sliding_window"] != .null, let numHiddenLayers
    else { return }
    let first: Int
    switch file["max_window_layers"] {
    case nil: first = ModelFamily.Defaults.maxWindowLayers
    case let value?:
      guard let layers = value.wholeNumber else {
        add("'max_window_layers' is \(value.shown), not a whole number.")
        return
      }
      first = layers
    }
    guard first < numHiddenLayers else { return }
    let window = file["sliding_window"]?.shown ?? "\(ModelFamily.Defaults.slidingWindow)"
    add(
      "'use_sliding_window' is true: layers from \(max(first, 0)) on see a window of \(window) "
        + "tokens. \(advice)")
  }
}

extension JSONValue {
  var wholeNumber: Int? {
    if case .number(let number) = self { number.int } else { nil }
  }
}

extension JSONObject {
  static let empty = JSONObject(members: [])
}
