import Storage

extension ModelConfiguration {
  /// Reads what `config.json` holds.
  ///
  /// Keys that the decoder has no use for are kept in `json` and not looked at.
  ///
  /// - Parameters:
  ///   - json: The file's content.
  ///   - source: The name of the file in errors and notes, usually its path.
  /// - Throws: `ModelConfigurationError` with everything that is wrong.
  public init(_ json: JSONValue, source: String) throws(ModelConfigurationError) {
    guard case .object(let object) = json else {
      throw ModelConfigurationError(findings: [
        "\(source): the file holds \(json.shown), not an object with the model's configuration."
      ])
    }
    try self.init(object, source: source)
  }

  /// Reads what `config.json` holds; see `init(_:source:)` of a JSON value.
  public init(_ json: JSONObject, source: String) throws(ModelConfigurationError) {
    var reader = ConfigurationReader(source: source)
    let file = ConfigurationSection(json)

    reader.checkStructure(of: file)
    guard let family = reader.family(in: file) else { throw reader.error }
    reader.checkArchitecture(family, in: file)

    let vocabSize = reader.size("vocab_size", in: file, to: Limits.vocabSize)
    let hiddenSize = reader.size("hidden_size", in: file, to: Limits.hiddenSize)
    let intermediateSize = reader.size("intermediate_size", in: file, to: Limits.intermediateSize)
    let numHiddenLayers = reader.size("num_hidden_layers", in: file, to: Limits.numHiddenLayers)
    let numAttentionHeads =
      reader.size("num_attention_heads", in: file, to: Limits.numAttentionHeads)
    let numKeyValueHeads =
      reader.numKeyValueHeads(family, numAttentionHeads: numAttentionHeads, in: file)
    let headDim =
      reader.headDim(
        family, hiddenSize: hiddenSize, numAttentionHeads: numAttentionHeads, in: file)
    let maxPositionEmbeddings =
      reader.size(
        "max_position_embeddings", in: file, to: Limits.maxPositionEmbeddings,
        default: family.defaultMaxPositionEmbeddings)
    let rmsNormEps =
      reader.number(
        "rms_norm_eps", in: file, above: 0, to: 1, default: ModelFamily.Defaults.rmsNormEps)
    let initializerRange =
      reader.number(
        "initializer_range", in: file, from: 0, to: 1,
        default: ModelFamily.Defaults.initializerRange)
    let attentionDropout = reader.attentionDropout(in: file)
    let biases = reader.biases(family, in: file)
    let tieWordEmbeddings =
      reader.bool(
        "tie_word_embeddings", in: file, default: ModelFamily.Defaults.tieWordEmbeddings)
    let rope = reader.rope(in: file, maxPositionEmbeddings: maxPositionEmbeddings)
    let bos = reader.tokenId(
      "bos_token_id", in: file, vocabSize: vocabSize, default: family.defaultBosTokenId)
    let eos = reader.eosTokenIds(family, vocabSize: vocabSize, in: file)
    let pad = reader.padTokenId(vocabSize: vocabSize, in: file)
    let dtype = reader.dtype(in: file)
    reader.checkWindows(numHiddenLayers: numHiddenLayers, in: file)

    guard reader.findings.isEmpty, let vocabSize, let hiddenSize, let intermediateSize,
      let numHiddenLayers, let numAttentionHeads, let numKeyValueHeads, let headDim,
      let maxPositionEmbeddings, let rmsNormEps, let initializerRange, let attentionDropout,
      let attentionBias = biases.attention, let mlpBias = biases.mlp, let tieWordEmbeddings,
      let rope
    else { throw reader.error }
    self.init(
      family: family, vocabSize: vocabSize, hiddenSize: hiddenSize,
      intermediateSize: intermediateSize, numHiddenLayers: numHiddenLayers,
      numAttentionHeads: numAttentionHeads, numKeyValueHeads: numKeyValueHeads, headDim: headDim,
      attentionBias: attentionBias, mlpBias: mlpBias, rmsNormEps: rmsNormEps,
      initializerRange: initializerRange, maxPositionEmbeddings: maxPositionEmbeddings, rope: rope,
      tieWordEmbeddings: tieWordEmbeddings, bosTokenId: bos, eosTokenIds: eos, padTokenId: pad,
      dtype: dtype, attentionDropout: attentionDropout, notes: reader.notes, json: json)
  }
}

extension ConfigurationReader {
  /// `num_key_value_heads`, which must divide the query heads.
  mutating func numKeyValueHeads(
    _ family: ModelFamily, numAttentionHeads: Int?, in file: ConfigurationSection
  ) -> Int? {
    let key = "num_key_value_heads"
    let value: Int?
    switch file[key] {
    case .null: value = numAttentionHeads
    case nil: value = family.defaultNumKeyValueHeads ?? numAttentionHeads
    default: value = size(key, in: file, to: ModelConfiguration.Limits.numAttentionHeads)
    }
    if let value, let numAttentionHeads, numAttentionHeads % value != 0 {
      let origin = file[key] == nil ? " (what \(family) has where the key is missing)" : ""
      add(
        "'num_attention_heads' is \(numAttentionHeads), not a multiple of '\(key)', "
          + "which is \(value)\(origin).")
    }
    return value
  }

  /// `head_dim`, or what stands for it, which must be even for RoPE.
  mutating func headDim(
    _ family: ModelFamily, hiddenSize: Int?, numAttentionHeads: Int?,
    in file: ConfigurationSection
  ) -> Int? {
    let limit = ModelConfiguration.Limits.headDim
    var origin = "'head_dim' is"
    let value: Int
    switch (file["head_dim"], family.defaultHeadDim) {
    case (nil, let familyHeadDim?): value = familyHeadDim
    case (nil, nil), (.null, nil):
      guard let hiddenSize, let numAttentionHeads else { return nil }
      guard hiddenSize % numAttentionHeads == 0 else {
        add(
          "'hidden_size' is \(hiddenSize), not a multiple of 'num_attention_heads', which is "
            + "\(numAttentionHeads). Add 'head_dim' if heads have another size.")
        return nil
      }
      value = hiddenSize / numAttentionHeads
      origin = "'hidden_size' / 'num_attention_heads' is"
    default:
      guard let given = size("head_dim", in: file, to: limit) else { return nil }
      value = given
    }
    if value % 2 != 0 {
      add("\(origin) \(value); heads must have an even number of channels for RoPE.")
      return nil
    }
    if value > limit {
      add("\(origin) \(value); heads of more than \(limit) channels cannot be computed.")
      return nil
    }
    return value
  }

  mutating func biases(
    _ family: ModelFamily, in file: ConfigurationSection
  ) -> (attention: Bool?, mlp: Bool?) {
    var attention: Bool? = false
    var mlp: Bool? = false
    switch family.attentionBias {
    case .asConfigured:
      attention =
        bool("attention_bias", in: file, default: ModelFamily.Defaults.attentionBias)
    case .queryKeyValue:
      if case .bool(let bool) = file["attention_bias"] {
        note(
          "'attention_bias' is \(bool), and is ignored: \(family) has biases on query, key and "
            + "value only.")
      }
    }
    if family.readsMLPBias {
      mlp = bool("mlp_bias", in: file, default: ModelFamily.Defaults.mlpBias)
    } else if file["mlp_bias"] == .bool(true) {
      note("'mlp_bias' is true, and is ignored: \(family) has no biases there.")
    }
    return (attention, mlp)
  }

  mutating func attentionDropout(in file: ConfigurationSection) -> Double? {
    let key = "attention_dropout"
    if file[key] == .null { return 0 }
    let value =
      number(key, in: file, from: 0, to: 1, default: ModelFamily.Defaults.attentionDropout)
    if let value, value != 0, let text = file[key] {
      note("'\(key)' is \(text.shown), and is ignored: training here drops nothing out.")
    }
    return value
  }

  /// One token, or nil where the file has null or the family no default.
  mutating func tokenId(
    _ key: String, in file: ConfigurationSection, vocabSize: Int?, default: Int?
  ) -> Int? {
    switch file[key] {
    case nil:
      guard let id = `default`, let vocabSize, id < vocabSize else { return nil }
      return id
    case .null: return nil
    case let value?:
      // Without a vocabulary there is a finding already; its own limit still bounds the id.
      let rows = vocabSize ?? ModelConfiguration.Limits.vocabSize
      if case .number(let number) = value, let id = number.int, (0..<rows).contains(id) {
        return id
      }
      add(
        "'\(file.path(key))' is \(value.shown), not a token of the vocabulary, "
          + "a whole number from 0 to \(rows - 1).")
      return nil
    }
  }

  mutating func eosTokenIds(
    _ family: ModelFamily, vocabSize: Int?, in file: ConfigurationSection
  ) -> [Int] {
    let key = "eos_token_id"
    guard case .array(let elements) = file[key] else {
      return tokenId(key, in: file, vocabSize: vocabSize, default: family.defaultEosTokenId)
        .map { [$0] } ?? []
    }
    var ids: [Int] = []
    for (i, element) in elements.enumerated() {
      let item = ConfigurationSection(
        JSONObject(members: [(key: "\(key)[\(i)]", value: element)]))
      if element == .null {
        add("'\(key)[\(i)]' is null, not a token of the vocabulary. Remove it.")
        return []
      }
      guard let id = tokenId("\(key)[\(i)]", in: item, vocabSize: vocabSize, default: nil)
      else { return [] }
      ids.append(id)
    }
    return ids
  }

  /// `pad_token_id`; older files hold one outside the vocabulary, often -1, to mean none.
  mutating func padTokenId(vocabSize: Int?, in file: ConfigurationSection) -> Int? {
    let key = "pad_token_id"
    guard let vocabSize, case .number(let number) = file[key], let id = number.int,
      !(0..<vocabSize).contains(id)
    else { return tokenId(key, in: file, vocabSize: vocabSize, default: nil) }
    note("'\(key)' is \(id), outside the vocabulary of \(vocabSize) rows, and is ignored.")
    return nil
  }

  /// `dtype`, or `torch_dtype` as it was called before.
  mutating func dtype(in file: ConfigurationSection) -> ModelConfiguration.Dtype? {
    typealias Dtype = ModelConfiguration.Dtype
    var found: [(key: String, dtype: Dtype)] = []
    for key in ["dtype", "torch_dtype"] {
      guard let value = file[key], value != .null else { continue }
      if case .string(let name) = value, let dtype = Dtype(rawValue: name) {
        found.append((key, dtype))
      } else {
        add("'\(key)' is \(value.shown), not \(list(Dtype.allCases.map(\.rawValue), "or")).")
      }
    }
    if found.count == 2, found[0].dtype != found[1].dtype {
      add(
        "'dtype' is '\(found[0].dtype.rawValue)', but 'torch_dtype' is "
          + "'\(found[1].dtype.rawValue)'. Keep one of them.")
    }
    return found.first?.dtype
  }
}
