import Storage

/// Reads RoPE in its two spellings: `rope_theta` beside `rope_scaling`, and `rope_parameters`.
extension ConfigurationReader {
  private typealias Limits = ModelConfiguration.Limits

  private static let ropeTypes = ["default", "linear", "llama3", "yarn"]
  private static let otherRopeTypes = [
    "axial", "dynamic", "longrope", "mrope", "ntk", "proportional", "su",
  ]
  private static let commonKeys = ["type", "rope_type", "rope_theta", "partial_rotary_factor"]

  mutating func rope(
    in file: ConfigurationSection, maxPositionEmbeddings: Int?
  ) -> RotaryParameters? {
    let before = findings.count
    let section = ropeSection(in: file)
    let theta = ropeTheta(in: file, section)
    checkPartialRotation(in: file)
    if let section { checkPartialRotation(in: section) }
    var scaling: RotaryParameters.Scaling? = .default
    if let section, let type = ropeType(in: section) {
      scaling = self.scaling(
        type, in: section, file: file, maxPositionEmbeddings: maxPositionEmbeddings)
    }
    guard findings.count == before, let theta, let scaling else { return nil }
    return RotaryParameters(ropeTheta: theta, scaling: scaling)
  }

  /// The object with the parameters, under whichever key it stands.
  private mutating func ropeSection(in file: ConfigurationSection) -> ConfigurationSection? {
    var sections: [ConfigurationSection] = []
    for key in ["rope_parameters", "rope_scaling"] {
      switch file[key] {
      case nil, .null: continue
      case .object(let object):
        if object != .empty { sections.append(ConfigurationSection(object, prefix: "\(key).")) }
      case let value?: add("'\(key)' is \(value.shown), not an object.")
      }
    }
    if sections.count == 2, sections[0].object != sections[1].object {
      add("'rope_parameters' and 'rope_scaling' differ. Keep one of them.")
    }
    return sections.first
  }

  private mutating func ropeTheta(
    in file: ConfigurationSection, _ section: ConfigurationSection?
  ) -> Double? {
    let key = "rope_theta"
    func theta(_ reader: inout Self, in section: ConfigurationSection) -> Double? {
      reader.number(
        key, in: section, above: 1, to: Limits.ropeTheta, default: ModelFamily.Defaults.ropeTheta)
    }
    guard let section, section[key] != nil else { return theta(&self, in: file) }
    guard let inner = theta(&self, in: section) else { return nil }
    guard let outerValue = file[key] else { return inner }
    guard let outer = theta(&self, in: file) else { return nil }
    guard inner == outer else {
      add(
        "'\(key)' is \(outerValue.shown), but '\(section.path(key))' is "
          + "\(section[key]?.shown ?? "missing"). Keep one of them.")
      return nil
    }
    return inner
  }

  private mutating func checkPartialRotation(in section: ConfigurationSection) {
    let key = "partial_rotary_factor"
    guard let value = section[key], value != .null else { return }
    if case .number(let number) = value, number.double == 1 { return }
    add("'\(section.path(key))' is \(value.shown), not 1: heads turn with all their channels here.")
  }

  /// `rope_type`, or `type` as it was called before.
  private mutating func ropeType(in section: ConfigurationSection) -> String? {
    var found: [(key: String, type: String)] = []
    for key in ["rope_type", "type"] {
      guard let value = section[key], value != .null else { continue }
      guard case .string(let type) = value, Self.ropeTypes.contains(type) else {
        refuseType(value, section.path(key))
        return nil
      }
      found.append((key, type))
    }
    if found.count == 2, found[0].type != found[1].type {
      add(
        "'\(section.path("rope_type"))' is '\(found[0].type)', but '\(section.path("type"))' is "
          + "'\(found[1].type)'. Keep one of them.")
      return nil
    }
    if let type = found.first?.type { return type }
    if let nested = section.object.members.first(where: { $0.key.hasSuffix("_attention") }) {
      add(
        "'\(section.prefix.dropLast())' has parameters for \(quoted(nested.key)) layers. "
          + "Only one kind of RoPE for all layers can be computed.")
      return nil
    }
    let onlyCommon = section.object.members.allSatisfy { Self.commonKeys.contains($0.key) }
    if onlyCommon { return "default" }
    add(
      "missing key '\(section.path("rope_type"))', which is one of \(list(Self.ropeTypes, "and")).")
    return nil
  }

  private mutating func refuseType(_ value: JSONValue, _ path: String) {
    let refusal = "'\(path)' is \(value.shown), not one of \(list(Self.ropeTypes, "and"))."
    guard case .string(let type) = value, !Self.otherRopeTypes.contains(type),
      let near = closest(to: type, in: Self.ropeTypes)
    else {
      add(refusal)
      return
    }
    add("\(refusal) Did you mean '\(near)'?")
  }

  private mutating func scaling(
    _ type: String, in section: ConfigurationSection, file: ConfigurationSection,
    maxPositionEmbeddings: Int?
  ) -> RotaryParameters.Scaling? {
    switch type {
    case "linear":
      noteUnused(in: section, type, except: ["factor"])
      return factor(in: section).map { .linear(factor: $0) }
    case "llama3":
      noteUnused(
        in: section, type,
        except: [
          "factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings",
        ])
      return llama3(in: section, file: file).map { .llama3($0) }
    case "yarn":
      noteUnused(
        in: section, type,
        except: [
          "factor", "original_max_position_embeddings", "beta_fast", "beta_slow",
          "attention_factor", "mscale", "mscale_all_dim", "truncate",
        ])
      return yarn(in: section, file: file, maxPositionEmbeddings: maxPositionEmbeddings)
        .map { .yarn($0) }
    default:
      noteUnused(in: section, type, except: [])
      return .default
    }
  }

  private mutating func noteUnused(
    in section: ConfigurationSection, _ type: String, except used: [String]
  ) {
    let unused = section.object.members.first {
      !used.contains($0.key) && !Self.commonKeys.contains($0.key)
    }
    guard let unused else { return }
    note(
      "\(quoted(section.path(unused.key))) has no meaning for RoPE of type '\(type)', "
        + "and is ignored.")
  }

  private mutating func factor(in section: ConfigurationSection) -> Double? {
    number("factor", in: section, from: 1, to: Limits.ropeFactor)
  }

  /// The positions before stretching; a value beside the other sizes is the older place for them.
  private mutating func originalPositions(
    in section: ConfigurationSection, file: ConfigurationSection, default: Int?
  ) -> Int? {
    let key = "original_max_position_embeddings"
    let limit = Limits.maxPositionEmbeddings
    guard let outerValue = file[key], outerValue != .null else {
      return size(key, in: section, to: limit, default: `default`)
    }
    guard let outer = size(key, in: file, to: limit) else { return nil }
    guard let inner = size(key, in: section, to: limit, default: outer) else { return nil }
    guard inner == outer else {
      add(
        "'\(key)' is \(outer), but '\(section.path(key))' is \(inner). Keep one of them.")
      return nil
    }
    return inner
  }

  private mutating func llama3(
    in section: ConfigurationSection, file: ConfigurationSection
  ) -> RotaryParameters.Llama3? {
    let factor = factor(in: section)
    let low = number("low_freq_factor", in: section, above: 0, to: Limits.ropeFactor)
    let high = number("high_freq_factor", in: section, above: 0, to: Limits.ropeFactor)
    let original = originalPositions(in: section, file: file, default: nil)
    guard let factor, let low, let high, let original else { return nil }
    guard low < high else {
      let path = section.path("low_freq_factor")
      add(
        "'\(path)' is \(section["low_freq_factor"]?.shown ?? ""), not less than "
          + "'high_freq_factor', which is \(section["high_freq_factor"]?.shown ?? "").")
      return nil
    }
    return RotaryParameters.Llama3(
      factor: factor, lowFreqFactor: low, highFreqFactor: high,
      originalMaxPositionEmbeddings: original)
  }

  private mutating func yarn(
    in section: ConfigurationSection, file: ConfigurationSection, maxPositionEmbeddings: Int?
  ) -> RotaryParameters.YaRN? {
    let before = findings.count
    let isRatio = section["factor"] == .null
    let factor = isRatio ? nil : factor(in: section)
    func optional(_ reader: inout Self, _ key: String, above: Double?) -> Double? {
      guard let value = section[key], value != .null else { return nil }
      return reader.number(
        key, in: section, above: above, from: above == nil ? 0 : nil, to: Limits.ropeFactor)
    }
    let betaFast = optional(&self, "beta_fast", above: 0) ?? 32
    let betaSlow = optional(&self, "beta_slow", above: 0) ?? 1
    let attentionFactor = optional(&self, "attention_factor", above: 0)
    let mscale = optional(&self, "mscale", above: nil)
    let mscaleAllDim = optional(&self, "mscale_all_dim", above: nil)
    let truncate =
      section["truncate"] == .null ? false : bool("truncate", in: section, default: true)
    // A missing size is a finding of its own; 1 then only stands in its place.
    let original = originalPositions(
      in: section, file: file, default: maxPositionEmbeddings ?? 1)
    guard findings.count == before, let original, let truncate else { return nil }
    if betaFast < betaSlow {
      add(
        "'\(section.path("beta_fast"))' (32 where it is missing) is less than 'beta_slow' "
          + "(1 where it is missing). Exchange them.")
      return nil
    }
    return RotaryParameters.YaRN(
      factor: factor, originalMaxPositionEmbeddings: original, betaFast: betaFast,
      betaSlow: betaSlow, attentionFactor: attentionFactor, mscale: mscale,
      mscaleAllDim: mscaleAllDim, truncate: truncate)
  }
}
