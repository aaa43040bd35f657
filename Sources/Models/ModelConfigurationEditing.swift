import Storage

extension ModelConfiguration {
  /// The same model with some values changed, in its file too, which keeps all other keys.
  ///
  /// A value is written wherever the file has it, in either spelling. More positions leave the
  /// frequencies as they were.
  ///
  /// - Parameter source: What errors call the configuration.
  /// - Throws: `ModelConfigurationError` if a new value is out of range.
  public func replacing(
    dtype: Dtype? = nil, tieWordEmbeddings: Bool? = nil, ropeTheta: Double? = nil,
    maxPositionEmbeddings: Int? = nil, source: String = "configuration"
  ) throws(ModelConfigurationError) -> ModelConfiguration {
    var json = json
    if let dtype {
      let known = ["dtype", "torch_dtype"].filter { json[$0] != nil }
      let missing = json["rope_parameters"] == nil ? "torch_dtype" : "dtype"
      for key in known.isEmpty ? [missing] : known {
        json.set(key, to: .string(dtype.rawValue))
      }
    }
    if let tieWordEmbeddings { json.set("tie_word_embeddings", to: .bool(tieWordEmbeddings)) }
    if let ropeTheta { json.setRopeTheta(to: .double(ropeTheta)) }
    if let maxPositionEmbeddings {
      json.set("max_position_embeddings", to: .int(maxPositionEmbeddings))
      if case .yarn(let yarn) = rope.scaling {
        // Where the file has no original positions, they are the ones it had until now.
        json.setInRope(
          "original_max_position_embeddings", to: .int(yarn.originalMaxPositionEmbeddings))
      }
    }
    return try ModelConfiguration(json, source: source)
  }
}

extension JSONObject {
  private static let ropeKeys = ["rope_parameters", "rope_scaling"]

  /// Changes a member in its place, or adds it at the end.
  fileprivate mutating func set(_ key: String, to value: JSONValue) {
    var members = members
    if let i = members.firstIndex(where: { $0.key.utf8.elementsEqual(key.utf8) }) {
      members[i].value = value
    } else {
      members.append((key, value))
    }
    self = JSONObject(members: members)
  }

  /// Changes `rope_theta` everywhere it stands, or adds it where this spelling has it.
  fileprivate mutating func setRopeTheta(to value: JSONValue) {
    var isSet = false
    if self["rope_theta"] != nil {
      set("rope_theta", to: value)
      isSet = true
    }
    for key in Self.ropeKeys {
      guard case .object(var rope) = self[key] else { continue }
      guard rope["rope_theta"] != nil || (key == "rope_parameters" && !isSet) else { continue }
      rope.set("rope_theta", to: value)
      set(key, to: .object(rope))
      isSet = true
    }
    if !isSet { set("rope_theta", to: value) }
  }

  /// Changes or adds a member in every object with RoPE's parameters that is not empty.
  fileprivate mutating func setInRope(_ member: String, to value: JSONValue) {
    for key in Self.ropeKeys {
      guard case .object(var rope) = self[key], rope != .empty else { continue }
      rope.set(member, to: value)
      set(key, to: .object(rope))
    }
  }
}
