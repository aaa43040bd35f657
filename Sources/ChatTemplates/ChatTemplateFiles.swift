import Foundation
import Storage

extension ChatTemplate {
  /// The templates that a checkpoint brings, by name; the one without a name is `default`.
  ///
  /// As in transformers, files win over the configuration: if `chat_template.jinja` or
  /// `additional_chat_templates/*.jinja` are there, `chat_template` in `tokenizer_config.json` is
  /// not read. That is a template, or a list of `{"name": …, "template": …}`.
  ///
  /// - Parameter folder: The checkpoint's path.
  /// - Returns: An empty dictionary if the checkpoint brings none.
  /// - Throws: `ChatTemplateError` for a template that is none, `JSONError` or `FileError` for
  ///   files that cannot be read, `ChatTemplateFileError` for a `chat_template` of another form.
  public static func templates(
    in folder: String, limits: TemplateLimits = .default
  ) throws -> [String: ChatTemplate] {
    var templates: [String: ChatTemplate] = [:]
    func add(_ source: [UInt8], _ name: String, from file: String) throws {
      templates[name] = try ChatTemplate(source, name: file, limits: limits)
    }
    if let source = try bytes(at: "\(folder)/chat_template.jinja") {
      try add(source, "default", from: "\(folder)/chat_template.jinja")
    }
    let additional = "\(folder)/additional_chat_templates"
    for file in try namesIfFolder(additional) where file.hasSuffix(".jinja") {
      guard let source = try bytes(at: "\(additional)/\(file)") else { continue }
      try add(source, String(file.dropLast(6)), from: "\(additional)/\(file)")
    }
    guard templates.isEmpty else { return templates }

    let path = "\(folder)/tokenizer_config.json"
    guard let text = try bytes(at: path) else { return [:] }
    guard case .object(let configuration) = try JSONValue(parsing: text, source: path) else {
      throw ChatTemplateFileError("\(path): the file is not a JSON object.")
    }
    switch configuration["chat_template"] {
    case nil, .some(.null): break
    case .string(let template)?: try add(Array(template.utf8), "default", from: path)
    case .array(let list)?:
      for (i, each) in list.enumerated() {
        guard case .object(let object) = each, case .string(let name)? = object["name"],
          case .string(let template)? = object["template"]
        else {
          throw ChatTemplateFileError(
            "\(path): 'chat_template[\(i)]' must have a 'name' and a 'template', both text.")
        }
        try add(Array(template.utf8), name, from: "\(path), template \(quoted(name))")
      }
    default:
      throw ChatTemplateFileError(
        "\(path): 'chat_template' must be a text, or a list of templates with names.")
    }
    return templates
  }

  /// A file's bytes; nil if there is no such file.
  private static func bytes(at path: String) throws -> [UInt8]? {
    do throws(FileError) {
      let file = try MappedFile(at: path)
      return withExtendedLifetime(file) { Array(file.bytes) }
    } catch {
      switch error.reason {
      case .missing: return nil
      case .empty: return []
      default: throw error
      }
    }
  }

  private static func namesIfFolder(_ path: String) throws -> [String] {
    do throws(FileError) {
      return try names(inFolder: path)
    } catch {
      if error.reason == .missing || error.reason == .notFolder { return [] }
      throw error
    }
  }
}

/// Why a checkpoint's templates were not found where they must be.
public struct ChatTemplateFileError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
