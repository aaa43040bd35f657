import Safetensors

/// A folder's tensors, held against what a configuration needs.
struct TensorMatch {
  private(set) var sources: [(parameter: ParameterShape, tensor: SafetensorsTensor)] = []
  private(set) var findings: [String] = []
  private(set) var notes: [String] = []

  init(_ configuration: ModelConfiguration, _ tensors: TensorFolder, path: String) {
    let head = ParameterRole.head.name()
    for parameter in configuration.parameters {
      var tensor = tensors[parameter.name]
      if parameter.role == .embedding, configuration.tieWordEmbeddings {
        tensor = tied(tensor, tensors[head], path: path)
      }
      guard let tensor else {
        findings.append(missing(parameter, tensors, path: path))
        continue
      }
      check(tensor, parameter, path: path)
      sources.append((parameter, tensor))
    }

    var known = Set(configuration.parameters.map(\.name))
    if configuration.tieWordEmbeddings { known.insert(head) }
    let strange = tensors.tensorNames.filter { name in
      !known.contains(name) && !ParameterRole.computedSuffixes.contains { name.hasSuffix($0) }
    }
    if let first = strange.first {
      let more = strange.count > 1 ? " and \(strange.count - 1) more" : ""
      findings.append(
        "\(path): '\(first)'\(more) has no place in a \(configuration.family) model as config.json "
          + "describes it. Is it another model's, or an adapter's?")
    }
  }

  /// A tied checkpoint may hold the embedding, the head, or both if they are equal.
  private mutating func tied(
    _ embedding: SafetensorsTensor?, _ head: SafetensorsTensor?, path: String
  ) -> SafetensorsTensor? {
    guard let embedding else {
      if head != nil {
        notes.append(
          "\(path): the embedding is stored as '\(ParameterRole.head.name())', which it is tied to."
        )
      }
      return head
    }
    guard let head else { return embedding }
    let isEqual =
      head.dtype == embedding.dtype && head.shape == embedding.shape
      && embedding.withUnsafeBytes { a in head.withUnsafeBytes { b in a.elementsEqual(b) } }
    if !isEqual {
      findings.append(
        "\(path): 'tie_word_embeddings' is true, but '\(embedding.name)' and '\(head.name)' differ. "
          + "Set it to false in config.json if the head is the model's own, or remove the head.")
    }
    return embedding
  }

  private func missing(
    _ parameter: ParameterShape, _ tensors: TensorFolder, path: String
  ) -> String {
    let what = "\(path): no tensor '\(parameter.name)'."
    if parameter.role == .head, tensors[ParameterRole.embedding.name()] != nil {
      return what + " If the head is the embedding, set 'tie_word_embeddings' to true in "
        + "config.json."
    }
    let unprefixed = parameter.name.hasPrefix("model.") ? String(parameter.name.dropFirst(6)) : ""
    if tensors[unprefixed] != nil {
      return what + " There is '\(unprefixed)': the model was saved without its head; save it with "
        + "AutoModelForCausalLM."
    }
    return what + " The configuration needs it; are all files there?"
  }

  private mutating func check(
    _ tensor: SafetensorsTensor, _ parameter: ParameterShape, path: String
  ) {
    if tensor.shape != parameter.shape {
      func words(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "×") }
      let isTurned = tensor.shape == parameter.shape.reversed()
      findings.append(
        "\(path): '\(tensor.name)' is \(words(tensor.shape)); the configuration needs "
          + "\(words(parameter.shape))." + (isTurned ? " It is stored transposed." : ""))
    }
    if ![.f32, .bf16, .f16].contains(tensor.dtype) {
      findings.append(
        "\(path): '\(tensor.name)' is of type \(tensor.dtype.rawValue), not F32, BF16 or F16. "
          + "Convert it first; quantized weights can't be trained.")
    }
  }
}
