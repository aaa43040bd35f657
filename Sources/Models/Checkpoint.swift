import Foundation
import Safetensors
import Storage
import Tensors

/// Why a checkpoint can't be read or written: every finding, each in a sentence of its own.
public struct CheckpointError: Error, Equatable, CustomStringConvertible {
  public let findings: [String]
  public var description: String { findings.joined(separator: "\n") }

  init(_ findings: [String]) { self.findings = findings }
  init(_ finding: String) { findings = [finding] }
}

/// A model folder in the Hugging Face layout: `config.json`, `model.safetensors` or shards with an
/// index, and the files of its tokenizer.
///
/// Opening one maps its tensors and checks all names, shapes and types against the configuration,
/// before a weight is read: a folder that does not fit is refused whole.
public struct Checkpoint: Sendable {
  /// The folder, as it was given.
  public let path: String
  public let configuration: ModelConfiguration
  public let tensors: TensorFolder
  /// What is unusual but does no harm, in sentences.
  public let notes: [String]
  /// For each parameter, the tensor that holds it: the head's may stand for the embedding's.
  private let sources: [(parameter: ParameterShape, tensor: SafetensorsTensor)]

  /// - Throws: `CheckpointError` with everything that does not fit.
  public init(at path: String) throws(CheckpointError) {
    self.path = path
    configuration = try Self.readConfiguration(in: path)
    do {
      tensors = try TensorFolder(at: path)
    } catch {
      throw CheckpointError("\(error)")
    }
    let match = TensorMatch(configuration, tensors, path: path)
    if !match.findings.isEmpty { throw CheckpointError(match.findings) }
    sources = match.sources
    notes = configuration.notes + match.notes
  }

  /// The configuration in a folder's `config.json`.
  ///
  /// - Throws: `CheckpointError`.
  public static func readConfiguration(
    in path: String
  ) throws(CheckpointError) -> ModelConfiguration {
    let file = path + "/config.json"
    do {
      let mapped = try MappedFile(at: file)
      let limits = JSONLimits(bytes: 4 << 20)
      let json = try withExtendedLifetime(mapped) {
        try JSONValue(parsing: mapped.bytes, source: file, limits: limits)
      }
      return try ModelConfiguration(json, source: file)
    } catch let error as ModelConfigurationError {
      throw CheckpointError(error.findings)
    } catch let error as FileError where error.reason == .missing {
      throw CheckpointError(
        "\(path): no 'config.json'. A checkpoint is a folder with config.json and safetensors "
          + "files, as transformers saves it.")
    } catch {
      throw CheckpointError("\(error)")
    }
  }

  /// The types of its tensors, each once.
  public var dtypes: [SafetensorsType] {
    SafetensorsType.allCases.filter { dtype in sources.contains { $0.tensor.dtype == dtype } }
  }

  /// Whether all matrices are in bfloat16, at addresses where they can be used as they are mapped:
  /// frozen ones then take no memory of their own.
  public var hasMappedMatrices: Bool {
    sources.allSatisfy { $0.parameter.shape.count != 2 || $0.tensor.bfloat16Rows != nil }
  }

  /// The bytes of its tensors.
  public var byteCount: Int { sources.reduce(0) { $0 + $1.tensor.byteCount } }

  /// A decoder with this checkpoint's weights, as float32.
  ///
  /// - Parameters:
  ///   - configuration: One in place of the checkpoint's, in which no shape is another.
  ///   - storage: How the weights are kept while they are trained.
  /// - Throws: `CheckpointError` when a weight is not finite, or a file was cut short meanwhile.
  public func decoder(
    precision: Precision, configuration: ModelConfiguration? = nil,
    storage: TrainedStorage = .float32
  ) throws(CheckpointError) -> Decoder {
    try fill(
      Decoder(checked(configuration), precision: precision, storage: storage))
  }

  /// A decoder whose weights are frozen, with new adapters to be trained.
  ///
  /// Matrices that the checkpoint has in bfloat16 stay where they are mapped.
  ///
  /// - Parameters:
  ///   - configuration: One in place of the checkpoint's, in which no shape is another.
  ///   - rounds: Whether matrices of another type are rounded to bfloat16; if not, they are kept in
  ///     float32.
  /// - Throws: `CheckpointError` when a weight is not finite, or a file was cut short meanwhile.
  public func decoder(
    precision: Precision, configuration: ModelConfiguration? = nil, lowRank: LowRankSettings,
    rounds: Bool = false
  ) throws(CheckpointError) -> Decoder {
    let tensors = Dictionary(
      sources.map { ($0.parameter.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    let matrices = FrozenMatrices(mapped: { tensors[$0]?.bfloat16Rows }, rounds: rounds)
    return try fill(
      Decoder(
        checked(configuration), precision: precision, form: .frozen(matrices), lowRank: lowRank))
  }

  private func checked(_ configuration: ModelConfiguration?) -> ModelConfiguration {
    precondition(
      configuration.map { $0.parameters == self.configuration.parameters } ?? true,
      "a configuration of other shapes")
    return configuration ?? self.configuration
  }

  /// A decoder that only generates: its weights are rounded and packed, and take half the memory, or
  /// a quarter, and a small part of the time of those that can be trained.
  ///
  /// - Throws: `CheckpointError` when a weight is not finite, or a file was cut short meanwhile.
  public func packedDecoder(
    _ format: PackedFormat = .bfloat16
  ) throws(CheckpointError) -> Decoder {
    let embedding = sources.first { $0.parameter.name == ParameterRole.embedding.name() }
    return try fill(
      Decoder(
        configuration, precision: .bfloat16,
        form: .packed(format, embeddingIsBFloat16: embedding?.tensor.dtype == .bf16)))
  }

  private func fill(_ decoder: Decoder) throws(CheckpointError) -> Decoder {
    for file in tensors.files {
      do { try file.checkSize() } catch { throw CheckpointError("\(error)") }
    }
    let tensors = Dictionary(
      sources.map { ($0.parameter.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    let broken = decoder.fillWeights { name, elements, to in
      guard let tensor = tensors[name] else { return }
      tensor.withUnsafeBytes { ElementConversion.read($0, tensor.dtype, at: elements, into: to) }
    }
    let names = sources.filter { broken.contains($0.parameter.name) }.map(\.tensor.name)
    if !names.isEmpty {
      throw CheckpointError(
        names.map {
          "\(path): '\($0)' holds NaN or infinity. The checkpoint is damaged, or "
            + "its training diverged; take an earlier one."
        })
    }
    return decoder
  }
}

extension SafetensorsTensor {
  /// The rows of a matrix in bfloat16, where they are mapped; nil for another type, and where the
  /// file does not have them at even addresses.
  fileprivate var bfloat16Rows: BFloat16Rows.Stretch? {
    guard dtype == .bf16, shape.count == 2, let base = bytes.baseAddress,
      Int(bitPattern: base) % MemoryLayout<UInt16>.alignment == 0
    else { return nil }
    return BFloat16Rows.Stretch(
      rows: shape[0], words: base.assumingMemoryBound(to: UInt16.self), owner: owner,
      isMapped: true)
  }
}
