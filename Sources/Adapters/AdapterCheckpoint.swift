import Foundation
import Models
import Safetensors
import Storage
import Tensors

/// An adapter's folder as PEFT saves it: `adapter_config.json` and `adapter_model.safetensors`.
///
/// Opening one maps its tensors and holds all names, shapes, types and values against the
/// configuration and the model: a folder that does not fit is refused whole.
public struct AdapterCheckpoint: Sendable {
  static let configurationName = "adapter_config.json"
  static let weightsName = "adapter_model.safetensors"
  static let pickleName = "adapter_model.bin"

  /// The folder, as it was given.
  public let path: String
  public let configuration: AdapterConfiguration
  /// A and B of each linear layer with an adapter, in the order of the model.
  public let pairs: [AdapterPair]
  /// What is unusual but does no harm, in sentences.
  public let notes: [String]

  private let file: SafetensorsFile

  /// Opens an adapter for a model.
  ///
  /// - Throws: `AdapterError` with everything that does not fit; also for NaN and infinity.
  public init(at path: String, for model: ModelConfiguration) throws(AdapterError) {
    let configuration = try Self.readConfiguration(in: path)
    let source = path + "/" + Self.configurationName
    let layers = try configuration.adaptedLayers(of: model, source: source)
    file = try Self.openWeights(in: path)
    let match = AdapterMatch(layers, file, model, configuration)
    if !match.findings.isEmpty { throw AdapterError(match.findings) }

    self.path = path
    self.configuration = configuration
    pairs = match.pairs
    var notes = configuration.notes
    let unused = configuration.unusedNames(for: model)
    if let first = unused.first {
      let more = unused.count > 1 ? " and \(unused.count - 1) more" : ""
      notes.append("\(source): no module of the model is named \(quoted(first))\(more).")
    }
    let broken = pairs.flatMap { [$0.a, $0.b] }.filter { !$0.isFinite }.map(\.name)
    if let first = broken.first {
      let more = broken.count > 1 ? " and \(broken.count - 1) more tensors hold" : " holds"
      throw AdapterError(
        "\(file.path): '\(first)'\(more) NaN or infinity. The adapter is damaged, or its training "
          + "diverged; take an earlier one.")
    }
    if pairs.allSatisfy(\.b.isZero) {
      notes.append(
        "\(file.path): every B is zero, so that the adapter changes nothing. Was it saved before "
          + "it was trained?")
    }
    self.notes = notes
  }

  /// Checks that the file has not been cut short since it was opened, before a long read.
  ///
  /// - Throws: `AdapterError`.
  public func checkSize() throws(AdapterError) {
    do { try file.checkSize() } catch { throw AdapterError("\(error)") }
  }

  /// The configuration in a folder's `adapter_config.json`.
  ///
  /// - Throws: `AdapterError`.
  public static func readConfiguration(
    in path: String
  ) throws(AdapterError) -> AdapterConfiguration {
    let file = path + "/" + configurationName
    let json: JSONValue
    do {
      let mapped = try MappedFile(at: file)
      json = try withExtendedLifetime(mapped) {
        try JSONValue(parsing: mapped.bytes, source: file, limits: JSONLimits(bytes: 4 << 20))
      }
    } catch let error as FileError where error.reason == .missing || error.reason == .notFolder {
      throw AdapterError(reasonForNoAdapter(at: path))
    } catch {
      throw AdapterError("\(error)")
    }
    return try AdapterConfiguration(reading: json, source: file)
  }

  private static func reasonForNoAdapter(at path: String) -> String {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      return "\(path): there is no such folder."
    }
    guard isFolder.boolValue else { return "\(path): a file. Give the folder that it is in." }
    let names = (try? Storage.names(inFolder: path)) ?? []
    // PEFT saves adapters with names of their own in folders within; so does a trainer, by steps.
    if let inner = names.first(where: {
      FileManager.default.fileExists(atPath: "\(path)/\($0)/\(configurationName)")
    }) {
      return "\(path): no '\(configurationName)', but there is one in its folder \(quoted(inner)). "
        + "Give the folder of the adapter itself."
    }
    return "\(path): no '\(configurationName)'. An adapter is a folder with that file and "
      + "'\(weightsName)', as PEFT saves it."
  }

  private static func openWeights(in path: String) throws(AdapterError) -> SafetensorsFile {
    do {
      return try SafetensorsFile(at: path + "/" + weightsName)
    } catch {
      guard error.fileReason == .missing else { throw AdapterError("\(error)") }
      let names = (try? Storage.names(inFolder: path)) ?? []
      throw AdapterError(
        names.contains(pickleName)
          ? "\(path): there is only '\(pickleName)', a pickle, which may run code when it is read, "
            + "and is not read here. Save the adapter again with PEFT, as '\(weightsName)'."
          : "\(path): no '\(weightsName)' beside '\(configurationName)'. Fetch the whole adapter.")
    }
  }
}

/// A and B of one linear layer, where they are stored.
public struct AdapterPair: Sendable {
  public let layer: AdaptedLayer
  /// (rank, in)
  public let a: SafetensorsTensor
  /// (out, rank)
  public let b: SafetensorsTensor

  /// A as float32.
  public func readA() -> Tensor { a.floats }
  /// B as float32.
  public func readB() -> Tensor { b.floats }
}
