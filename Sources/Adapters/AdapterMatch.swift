import Models
import Safetensors
import Storage

/// The tensors of an adapter's file, held against what its configuration and a model need.
///
/// Of each kind of finding the first is told, with how many more there are: an adapter of another
/// model has hundreds.
struct AdapterMatch {
  private(set) var pairs: [AdapterPair] = []
  private(set) var findings: [String] = []

  private let file: SafetensorsFile
  private let model: ModelConfiguration
  /// Asks whether the adapter is another model's, by the name of its own.
  private let question: String

  init(
    _ layers: [AdaptedLayer], _ file: SafetensorsFile, _ model: ModelConfiguration,
    _ configuration: AdapterConfiguration
  ) {
    self.file = file
    self.model = model
    let base = configuration.baseModel.flatMap { $0.isEmpty ? nil : $0 }
    question =
      base.map { "Is it for another model? Its configuration names \(quoted($0))." }
      ?? "Is it for another model?"
    var wanted: [(name: String, shape: [Int])] = []
    for layer in layers {
      wanted.append((layer.nameOfA, layer.shapeOfA))
      wanted.append((layer.nameOfB, layer.shapeOfB))
    }
    let tensors = wanted.map { file[$0.name] }
    checkSurplus(Set(wanted.map(\.name)), layers)
    let missing = zip(wanted, tensors).filter { $1 == nil }.map(\.0.name)
    if let first = missing.first {
      findings.append(
        "\(file.path): no tensor '\(first)'\(more(missing.count)), which the adapter's "
          + "configuration asks for. " + question)
    }
    checkShapes(zip(wanted, tensors).compactMap { wanted, tensor in tensor.map { (wanted, $0) } })
    checkTypes(tensors.compactMap { $0 })
    for (i, layer) in layers.enumerated() {
      if let a = tensors[2 * i], let b = tensors[2 * i + 1] {
        pairs.append(AdapterPair(layer: layer, a: a, b: b))
      }
    }
  }

  private func more(_ count: Int) -> String { count > 1 ? " and \(count - 1) more" : "" }

  private mutating func checkShapes(
    _ tensors: [(wanted: (name: String, shape: [Int]), tensor: SafetensorsTensor)]
  ) {
    let other = tensors.filter { $0.tensor.shape != $0.wanted.shape }
    guard let (wanted, tensor) = other.first else { return }
    func words(_ shape: [Int]) -> String {
      shape.isEmpty ? "a single number" : shape.map(String.init).joined(separator: "×")
    }
    let rest =
      other.count > 1
      ? " Of \(other.count - 1) more \(other.count > 2 ? "tensors" : "tensor") the shape is another "
        + "one too." : ""
    let isOfRank =
      tensor.shape.count == 2
      && (wanted.name.hasSuffix(".lora_A.weight")
        ? tensor.shape[1] == wanted.shape[1] : tensor.shape[0] == wanted.shape[0])
    findings.append(
      "\(file.path): '\(wanted.name)' is \(words(tensor.shape)); the model and the adapter's "
        + "configuration need \(words(wanted.shape)).\(rest) "
        + (isOfRank ? "Is 'r' or 'rank_pattern' another adapter's?" : question))
  }

  private mutating func checkTypes(_ tensors: [SafetensorsTensor]) {
    let other = tensors.filter { !SafetensorsTensor.adapterTypes.contains($0.dtype) }
    guard let first = other.first else { return }
    findings.append(
      "\(file.path): '\(first.name)'\(more(other.count)) is of type \(first.dtype.rawValue), not "
        + "F32, BF16 or F16. Save the adapter in one of these.")
  }

  private mutating func checkSurplus(_ wanted: Set<String>, _ layers: [AdaptedLayer]) {
    let surplus = file.tensorNames.filter { !wanted.contains($0) }
    guard let first = surplus.first else { return }
    findings.append(
      "\(file.path): \(quoted(first, longest: 200))\(more(surplus.count)) " + reason(first))
  }

  /// Why a tensor has no place in an adapter that is read here, as the end of a sentence and the
  /// next.
  private func reason(_ name: String) -> String {
    func has(_ part: String) -> Bool { name.utf8.firstRange(of: part.utf8) != nil }
    if has(".lora_magnitude_vector") {
      return "has lengths of DoRA, which is not supported. " + mergeWithPEFT
    }
    if has(".modules_to_save.") || (!has(".lora_") && !has("lora_embedding_")) {
      return "is a whole weight beside the adapter, as of a vocabulary that has grown, which is "
        + "not supported. " + mergeWithPEFT
    }
    if has("lora_embedding_") {
      return "is an adapter of an embedding, which is not supported. " + mergeWithPEFT
    }
    if has("lm_head.lora_") {
      return "is an adapter of the head, which is not supported. " + mergeWithPEFT
    }
    if has(".lora_B.bias") {
      return "is a bias of the adapter's own, which is not supported. " + mergeWithPEFT
    }
    if has(".lora_A.weight") || has(".lora_B.weight") {
      guard name.utf8.starts(with: "base_model.model.model.layers.".utf8) else {
        return "has another name than PEFT gives to adapters of a \(model.family) model with its "
          + "head, which begin with 'base_model.model.model.layers.'."
      }
      return "is none of those that the adapter's configuration asks for in a \(model.family) "
        + "model of \(model.numHiddenLayers) layers. " + question
    }
    if has(".lora_A.") || has(".lora_B.") {
      return "has an adapter's name in its own, as adapters have in memory only. Save it with "
        + "PEFT's 'save_pretrained'."
    }
    return "is no tensor that adapters have. " + question
  }
}
