import Foundation
import Interface
import Models
import Storage

/// Files that are carried along beside weights: the tokenizer's, how to generate, a licence.
///
/// They come from the folder of a model, and from that of an adapter, if there is one, whose
/// tokenizer, chat template and generation settings come in place of the model's: they are those
/// that the adapter was trained with. What is wholly the adapter's is not mixed with the model's:
/// a template of the model in a file of its own would be preferred to one of the adapter within
/// `tokenizer_config.json`.
struct CarriedFiles {
  /// The files in order of their names, with where they are.
  let files: [(name: String, path: String)]
  /// What is left behind and might be missed, in sentences.
  let notes: [String]

  /// - Parameter origins: The model's folder, then the adapter's, as far as there are such.
  /// - Throws: `FileError`.
  init(from origins: [String]) throws {
    var files: [String: String] = [:]
    var notes: [String] = []
    for origin in origins {
      // Folders, such as one of licences, are left behind.
      let names = try Storage.names(inFolder: origin).filter {
        Checkpoint.isCarried($0) && !isFolder(origin + "/" + $0)
      }
      if !files.isEmpty { Self.remove(replacedBy: names, in: origin, from: &files) }
      for name in names {
        let path = origin + "/" + name
        guard let older = files[name], Self.isLegal(name) else {
          files[name] = path
          continue
        }
        if FileManager.default.contents(atPath: older)
          != FileManager.default.contents(atPath: path)
        {
          notes.append(
            "\(path): differs from the model's own, which is the one that is carried along.")
        }
      }
    }
    self.files = files.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { ($0.key, $0.value) }
    self.notes = notes
  }

  private static func isLegal(_ name: String) -> Bool {
    ["LICENSE", "NOTICE"].contains { name.uppercased().hasPrefix($0) }
  }

  private static func isTemplate(_ name: String) -> Bool {
    name.hasSuffix(".jinja") || name == "chat_template.json"
  }

  /// Takes out what newer files stand for as a whole: a tokenizer for all files of another, a chat
  /// template for all other templates.
  private static func remove(
    replacedBy names: [String], in origin: String, from files: inout [String: String]
  ) {
    let settings = "tokenizer_config.json"
    let hasTemplate =
      names.contains(where: isTemplate)
      || (names.contains(settings) && hasChatTemplate(origin + "/" + settings))
    let hasTokenizer =
      !Set(names).isDisjoint(with: ["tokenizer.json", "tokenizer.model", "vocab.json"])
    files = files.filter { name, _ in
      if isTemplate(name) { return !hasTemplate }
      return !hasTokenizer || isLegal(name) || name == "generation_config.json"
        // Without settings of its own, a tokenizer keeps those of the model, and their template.
        || (name == settings && !names.contains(settings))
    }
  }

  /// Whether a `tokenizer_config.json` has a template in it.
  private static func hasChatTemplate(_ path: String) -> Bool {
    guard let file = try? MappedFile(at: path),
      case .object(let object)? = try? withExtendedLifetime(
        file,
        {
          try JSONValue(parsing: file.bytes, source: path, limits: JSONLimits(bytes: 16 << 20))
        }),
      let template = object["chat_template"]
    else { return false }
    return template != .null
  }
}

/// Whether a folder, or a link to one, has this path; a link to nothing is an error later.
private func isFolder(_ path: String) -> Bool {
  var isFolder: ObjCBool = false
  return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
}
