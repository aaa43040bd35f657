import Foundation
import Models
import Safetensors
import Storage
import Tensors

/// Why a training checkpoint can't be written or read, in a sentence.
public struct TrainingCheckpointError: Error, Equatable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    /// It is not what was written: changed, cut short, or a file is missing.
    case damaged
    /// It is of another model.
    case otherModel
    /// It holds weights or moments in another form than the run keeps them in.
    case otherForm
    /// There is no room on the disk.
    case diskFull
    case other
  }

  public let reason: Reason
  public let description: String

  init(_ reason: Reason, _ path: String, _ message: String) {
    self.reason = reason
    description = "\(path): \(message)"
  }
}

/// Everything that training needs to go on, to the bit: a folder.
///
/// `weights`, `first-moments` and `second-moments`, each `.safetensors` with the names of the
/// parameters; `state.json`, where the run stands; and `manifest.json` with the size and the SHA-256
/// of every other file. The folder appears under its name only when all that is on the disk.
///
/// All is in the form that the run keeps it in: weights in float32 or bfloat16, moments in float32,
/// or codes of 8 bits and beside them, in float32, a scale for each 256 of these, whose name ends in
/// `.scales`.
public enum TrainingCheckpoint {
  static let fileNames = [
    "weights.safetensors", "first-moments.safetensors", "second-moments.safetensors", "state.json",
  ]
  static let manifestName = "manifest.json"

  /// Writes where a loop stands.
  ///
  /// - Parameters:
  ///   - path: The folder, which must not exist.
  ///   - state: What else the run keeps; it is given back by `load`.
  /// - Returns: The bytes that were written.
  /// - Throws: `TrainingCheckpointError`.
  public static func save(
    _ loop: TrainingLoop, state: JSONObject, to path: String
  ) throws(TrainingCheckpointError) -> Int {
    do {
      var folder = try AtomicFolder(at: path)
      let parameters = loop.decoder.parameters
      for parameter in parameters where !parameter.isFinite {
        throw TrainingCheckpointError(
          .other, path, "\(quoted(parameter.name)) holds NaN or infinity, so this is not kept.")
      }
      for (name, tensors) in contents(of: loop) {
        try SafetensorsFile.write(tensors.map(\.source), to: folder.partialPath + "/" + name)
      }
      let all = JSONObject(members: [
        ("step", .number(JSONNumber(loop.stepCount))),
        ("updates", .number(JSONNumber(loop.optimizer.step))), ("guard", loop.spikes.json),
        ("run", .object(state)),
      ])
      try folder.write(JSONValue.object(all).serialized(pretty: true), as: "state.json")
      let (manifest, bytes) = try manifest(of: folder.partialPath)
      try folder.write(manifest.serialized(pretty: true), as: manifestName)
      try folder.commit()
      return bytes
    } catch let error as TrainingCheckpointError {
      throw error
    } catch let error as FileError where error.reason == .noSpace {
      throw TrainingCheckpointError(.diskFull, path, "\(error)")
    } catch let error as SafetensorsError where error.fileReason == .noSpace {
      throw TrainingCheckpointError(.diskFull, path, "\(error)")
    } catch {
      throw TrainingCheckpointError(.other, path, "\(error)")
    }
  }

  /// Reads weights, moments and state into a loop whose model has the same parameters.
  ///
  /// All is checked before the first weight changes.
  ///
  /// - Returns: The state that was given to `save`.
  /// - Throws: `TrainingCheckpointError`.
  public static func load(
    into loop: TrainingLoop, from path: String
  ) throws(TrainingCheckpointError) -> JSONObject {
    try check(path)
    do {
      let state = try object(path + "/state.json")
      guard case .number(let step)? = state["step"], let step = step.int, step >= 0,
        case .number(let updates)? = state["updates"], let updates = updates.int, updates >= 0,
        case .object(let run)? = state["run"],
        let spikes = SpikeGuard(loop.spikes.settings, state["guard"])
      else { throw damaged(path + "/state.json", "it lacks what it must say.") }
      var copies: [(from: SafetensorsTensor, to: StoredTensor)] = []
      for (name, targets) in contents(of: loop) {
        let file = try SafetensorsFile(at: path + "/" + name)
        copies += try matches(of: file, with: targets)
      }
      for (from, to) in copies { from.withUnsafeBytes { to.copy(from: $0) } }
      loop.stepCount = step
      loop.optimizer.step = updates
      loop.spikes = spikes
      return run
    } catch let error as TrainingCheckpointError {
      throw error
    } catch {
      throw damaged(path, "\(error)")
    }
  }

  /// What each of the files of tensors holds.
  private static func contents(
    of loop: TrainingLoop
  ) -> [(name: String, tensors: [StoredTensor])] {
    let parameters = loop.decoder.parameters
    func moments(_ moments: [Moment]) -> [StoredTensor] {
      zip(moments, parameters).flatMap { StoredTensor.tensors(of: $0, $1) }
    }
    let optimizer = loop.optimizer
    return Array(
      zip(
        fileNames,
        [parameters.map(StoredTensor.init), moments(optimizer.first), moments(optimizer.second)]))
  }

  /// Each tensor of a file with where it goes.
  private static func matches(
    of file: SafetensorsFile, with targets: [StoredTensor]
  ) throws -> [(from: SafetensorsTensor, to: StoredTensor)] {
    // Scales come and go with the form; what else there is tells the model.
    func names(_ names: [String]) -> Set<String> {
      Set(names.filter { !$0.hasSuffix(StoredTensor.scalesSuffix) })
    }
    guard names(file.tensorNames) == names(targets.map(\.name)) else { throw otherModel(file.path) }
    let found = try targets.map { target in
      guard let tensor = file[target.name] else {
        throw otherForm(file.path, target, "has no scales")
      }
      guard tensor.shape == target.shape else { throw otherModel(file.path) }
      guard tensor.dtype == target.dtype else {
        throw otherForm(file.path, target, "is in \(tensor.dtype.rawValue)")
      }
      return (from: tensor, to: target)
    }
    guard file.tensors.count == targets.count else { throw otherModel(file.path) }
    return found
  }

  /// Reads every byte and compares it with the manifest.
  ///
  /// - Throws: `TrainingCheckpointError` with the reason `damaged`.
  public static func check(_ path: String) throws(TrainingCheckpointError) {
    do {
      let manifest = try object(path + "/" + manifestName)
      let (found, _) = try Self.manifest(of: path)
      guard JSONValue.object(manifest) == found else {
        let wrong = fileNames.filter { name in
          guard case .object(let found) = found else { return true }
          return manifest[name] != found[name]
        }
        throw damaged(path, "\(wrong.map { quoted($0) }.joined(separator: ", ")) changed.")
      }
    } catch let error as TrainingCheckpointError {
      throw error
    } catch {
      throw damaged(path, "\(error)")
    }
  }

  /// What a run said of itself when it was saved, without the weights.
  ///
  /// - Throws: `TrainingCheckpointError`.
  public static func state(of path: String) throws(TrainingCheckpointError) -> JSONObject {
    do {
      guard case .object(let run)? = try object(path + "/state.json")["run"] else {
        throw damaged(path + "/state.json", "it lacks what it must say.")
      }
      return run
    } catch let error as TrainingCheckpointError {
      throw error
    } catch {
      throw damaged(path, "\(error)")
    }
  }

  /// Sizes and hashes, the files at the same time.
  static func manifest(of path: String) throws -> (JSONValue, bytes: Int) {
    var entries = [Result<(hash: String, bytes: Int), any Error>?](
      repeating: nil, count: fileNames.count)
    entries.withUnsafeMutableBufferPointer { entries in
      nonisolated(unsafe) let entries = entries
      ThreadPool.shared.run(fileNames.count) { index, _ in
        entries[index] = Result {
          let file = try MappedFile(at: path + "/" + fileNames[index])
          return withExtendedLifetime(file) {
            var hash = SHA256()
            hash.update(file.bytes)
            return (hash.finalizedText(), file.bytes.count)
          }
        }
      }
    }
    var members: [(key: String, value: JSONValue)] = []
    var bytes = 0
    for (name, entry) in zip(fileNames, entries) {
      guard let (hash, size) = try entry?.get() else { continue }
      bytes += size
      members.append(
        (
          name,
          .object(
            JSONObject(members: [
              ("bytes", .number(JSONNumber(size))), ("sha256", .string(hash)),
            ]))
        ))
    }
    return (.object(JSONObject(members: members)), bytes)
  }

  private static func object(_ path: String) throws -> JSONObject {
    let file = try MappedFile(at: path)
    let json = try withExtendedLifetime(file) {
      try JSONValue(parsing: file.bytes, source: path, limits: JSONLimits(bytes: 64 << 20))
    }
    guard case .object(let object) = json else { throw damaged(path, "not a JSON object.") }
    return object
  }

  private static func damaged(_ path: String, _ message: String) -> TrainingCheckpointError {
    TrainingCheckpointError(.damaged, path, "\(message) The checkpoint is damaged.")
  }

  private static func otherForm(
    _ path: String, _ target: StoredTensor, _ found: String
  ) -> TrainingCheckpointError {
    TrainingCheckpointError(
      .otherForm, path,
      "\(quoted(target.name)) \(found), where this run keeps \(target.dtype.rawValue). Go on in the "
        + "form in which the run began, or begin anew in another folder.")
  }

  private static func otherModel(_ path: String) -> TrainingCheckpointError {
    TrainingCheckpointError(.otherModel, path, "it holds the tensors of another model.")
  }
}
