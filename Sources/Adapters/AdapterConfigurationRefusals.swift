import Storage

/// What `adapter_config.json` may ask for and is not done here, each refused by its name.
///
/// The keys are those of PEFT 0.21's `LoraConfig`, in which each switches something on unless its
/// value is null, false or empty.
extension AdapterConfigurationReader {
  /// Keys that are read, and those that only say how an adapter began or who wrote it.
  private static let known: Set = [
    "peft_type", "task_type", "r", "lora_alpha", "lora_dropout", "target_modules",
    "exclude_modules", "layers_to_transform", "layers_pattern", "use_rslora", "rank_pattern",
    "alpha_pattern", "base_model_name_or_path", "revision", "bias", "fan_in_fan_out",
    "init_lora_weights", "auto_mapping", "inference_mode", "peft_version", "megatron_core",
    "qalora_group_size", "eva_config", "corda_config", "lora_ga_config", "loftq_config",
  ]

  /// What each switches on, and what to do.
  private static let variants: [(key: String, words: String)] = [
    ("use_dora", "DoRA gives the merged weights lengths of their own. " + mergeWithPEFT),
    ("use_qalora", "A of QALoRA is for groups of a quantized model's inputs. " + mergeWithPEFT),
    ("lora_bias", "the adapter has biases of its own. " + mergeWithPEFT),
    (
      "modules_to_save",
      "whole modules were trained beside the adapter. " + mergeWithPEFT
    ),
    (
      "trainable_token_indices",
      "rows of the embedding were trained beside the adapter. " + mergeWithPEFT
    ),
    (
      "target_parameters",
      "the adapter is for parameters that are no linear layers. "
        + mergeWithPEFT
    ),
    (
      "layer_replication",
      "the adapter is for a model with some layers of the base repeated. " + mergeWithPEFT
    ),
    (
      "use_bdlora", "A or B is stored as the blocks of a block-diagonal matrix. " + mergeWithPEFT
    ),
    ("kasa_config", "KaSA changes the base's weights and has a third factor. " + mergeWithPEFT),
    (
      "monteclora_config", "the adapter's weights are drawn at random. " + onlyWithPEFT
    ),
    (
      "alora_invocation_tokens",
      "the adapter works only from some tokens on, and can't be merged. " + onlyWithPEFT
    ),
    ("arrow_config", "several adapters are chosen from for each token. " + onlyWithPEFT),
  ]
  private static let onlyWithPEFT = "Use it with PEFT."

  /// Ways to begin that leave the base as it is.
  private static let initializations = ["gaussian", "eva", "orthogonal", "mica"]
  /// Ways to begin that take the adapter's product away from the base's weights.
  private static let changingInitializations = ["pissa", "olora", "corda", "lora_ga", "loftq"]

  /// Refuses other kinds of adapters, and other tasks.
  mutating func checkKind() {
    switch object["peft_type"] {
    case nil: add("missing key 'peft_type'. Is it an adapter's configuration, as PEFT saves it?")
    case .string("LORA"): break
    case let value?:
      add("'peft_type' is \(value.shown), not 'LORA', the only kind of adapter that is read.")
    }
    if let task = value("task_type"), task != .string("CAUSAL_LM") {
      add("'task_type' is \(task.shown), not 'CAUSAL_LM': only models that write text are read.")
    }
  }

  /// Refuses what would make another sum of the weights than W + scale · B · A.
  mutating func checkVariants() {
    if let bias = value("bias"), bias != .string("none") {
      add(
        "'bias' is \(bias.shown), not 'none': the model's biases were trained too. "
          + mergeWithPEFT)
    }
    if bool("fan_in_fan_out") == true {
      add(
        "'fan_in_fan_out' is true, which is for layers that store their weights transposed; those "
          + "of the models read here do not. Set it to false.")
    }
    for (key, words) in Self.variants {
      guard let value = value(key) else { continue }
      // An empty list of tokens is one, to PEFT; so is an empty configuration.
      let isOn =
        key.hasSuffix("_config") || key == "use_bdlora" || key == "alora_invocation_tokens"
        ? value != .bool(false) : !value.isNothing
      if isOn { add("'\(key)' is \(value.shown): \(words)") }
    }
    checkInitialization()
  }

  private mutating func checkInitialization() {
    let key = "init_lora_weights"
    switch value(key) {
    case nil, .bool: return
    case .string(let text):
      let name = text.utf8.count <= 64 ? text.lowercased() : text
      if Self.initializations.contains(name) { return }
      if Self.changingInitializations.contains(where: name.hasPrefix) {
        return add(
          "'\(key)' is \(quoted(text)), which changes the base's weights before the adapter is "
            + "added. Save the adapter with PEFT's 'path_initial_model_for_weight_conversion', "
            + "for the base as it is.")
      }
    default: break
    }
    let names = Self.initializations.map { "'\($0)'" }.joined(separator: ", ")
    add("'\(key)' is \(value(key)?.shown ?? "null"), not true, false, or one of \(names).")
  }

  /// Says which keys are not known and say something.
  mutating func noteUnknownKeys() {
    let refused = Set(Self.variants.map(\.key))
    for (key, value) in object.members
    where !Self.known.contains(key) && !refused.contains(key) && !value.isNothing {
      note("\(quoted(key)) is \(value.shown), which is not known here and has no effect.")
    }
  }
}
