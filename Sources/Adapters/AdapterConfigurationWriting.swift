import Storage

extension AdapterConfiguration {
  /// The version of PEFT whose keys are written.
  static let peftVersion = "0.18.0"

  /// The file that PEFT loads: the keys that PEFT 0.18 writes, in the order of their bytes.
  public var json: JSONObject {
    let members: [(key: String, value: JSONValue)] = [
      ("alora_invocation_tokens", .null),
      ("alpha_pattern", Self.object(alphaPattern) { Self.number($0) }),
      ("arrow_config", .null),
      ("auto_mapping", .null),
      ("base_model_name_or_path", Self.text(baseModel)),
      ("bias", .string("none")),
      ("corda_config", .null),
      ("ensure_weight_tying", .bool(false)),
      ("eva_config", .null),
      ("exclude_modules", excludedModules.map(Self.value) ?? .null),
      ("fan_in_fan_out", .bool(false)),
      ("inference_mode", .bool(true)),
      ("init_lora_weights", .bool(true)),
      ("layer_replication", .null),
      ("layers_pattern", .null),
      (
        "layers_to_transform",
        layersToTransform.map { .array($0.map { .number(JSONNumber($0)) }) } ?? .null
      ),
      ("loftq_config", .object(JSONObject(members: []))),
      ("lora_alpha", Self.number(alpha)),
      ("lora_bias", .bool(false)),
      ("lora_dropout", JSONNumber(dropout).map { .number($0) } ?? .null),
      ("megatron_config", .null),
      ("megatron_core", .string("megatron.core")),
      ("modules_to_save", .null),
      ("peft_type", .string("LORA")),
      ("peft_version", .string(Self.peftVersion)),
      ("qalora_group_size", .number(JSONNumber(16))),
      ("r", .number(JSONNumber(rank))),
      ("rank_pattern", Self.object(rankPattern) { .number(JSONNumber($0)) }),
      ("revision", Self.text(revision)),
      ("target_modules", Self.value(targetModules)),
      ("target_parameters", .null),
      ("task_type", .string("CAUSAL_LM")),
      ("trainable_token_indices", .null),
      ("use_dora", .bool(false)),
      ("use_qalora", .bool(false)),
      ("use_rslora", .bool(usesRankStabilization)),
    ]
    return JSONObject(members: members)
  }

  private static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

  /// Whole where it is: PEFT takes alphas for whole numbers.
  private static func number(_ number: Double) -> JSONValue {
    if let whole = Int(exactly: number) { return .number(JSONNumber(whole)) }
    return JSONNumber(number).map { .number($0) } ?? .null
  }

  private static func value(_ selection: ModuleSelection) -> JSONValue {
    switch selection {
    case .names(let names): .array(names.map { .string($0) })
    case .allLinear: .string("all-linear")
    case .pattern(let pattern): .string(pattern.text)
    }
  }

  private static func object<Value>(
    _ values: [PatternValue<Value>], _ json: (Value) -> JSONValue
  ) -> JSONValue {
    .object(JSONObject(members: values.map { ($0.pattern.text, json($0.value)) }))
  }
}
