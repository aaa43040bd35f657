import Foundation
import Models
import Storage

/// What a person names when a model is asked for.
enum ModelName {
  case folder(String)
  /// A file that ends in `.json`.
  case configuration(String)
  case known(KnownModel)

  /// What is there comes first; a name that nothing has is looked up among the known models.
  ///
  /// - Throws: `CommandError`.
  init(_ name: String) throws(CommandError) {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: name, isDirectory: &isFolder) {
      if isFolder.boolValue {
        self = .folder(name)
      } else if name.hasSuffix(".json") {
        self = .configuration(name)
      } else {
        throw CommandError("\(name): a file. Give the folder that it is in, or a config.json.")
      }
      return
    }
    do throws(UnknownModelError) {
      self = .known(try KnownModel.named(name))
    } catch {
      // Words that do not end in a question for a near name list all of them.
      let words = "\(error)"
      throw CommandError(
        words.hasSuffix("?")
          ? "\(name): there is no such file or folder. \(words)"
          : "\(name): there is no such file or folder, nor a known model of that name; "
            + "'distill inspect --models' lists these.")
    }
  }

  /// The model's configuration, without a look at its weights.
  ///
  /// - Throws: `CheckpointError` or `CommandError`.
  var configuration: ModelConfiguration {
    get throws {
      switch self {
      case .folder(let path): try Checkpoint.readConfiguration(in: path)
      case .configuration(let path): try Self.read(path)
      case .known(let model): model.configuration
      }
    }
  }

  /// Opens the folder of a model whose weights are needed.
  ///
  /// - Throws: `CheckpointError` or `CommandError`.
  static func checkpoint(at path: String) throws -> Checkpoint {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw CommandError("\(path): there is no such folder.")
    }
    guard isFolder.boolValue else {
      throw CommandError("\(path): a file. Give the folder that it is in.")
    }
    return try Checkpoint(at: path)
  }

  private static func read(_ path: String) throws(CommandError) -> ModelConfiguration {
    do {
      let file = try MappedFile(at: path)
      let json = try withExtendedLifetime(file) {
        try JSONValue(parsing: file.bytes, source: path, limits: JSONLimits(bytes: 4 << 20))
      }
      return try ModelConfiguration(json, source: path)
    } catch let error as ModelConfigurationError {
      throw CommandError(error.findings)
    } catch {
      throw CommandError("\(error)")
    }
  }
}
