import Foundation
import Interface
import Storage

/// One recipe of a folder, decoded: what it reads, and what it makes.
public struct Stage: Sendable {
  public let file: StageFile
  public let kind: StageKind
  /// The recipe as it is meant, all in plain JSON.
  public let recipe: JSONValue
  /// What it reads, in the order of the recipe.
  let inputs: [StagePath]
  public let output: StagePath

  public var name: String { file.name }
}

/// A path that stands in a recipe.
public struct StagePath: Equatable, Sendable {
  /// Where it stands, as in `data.sources[1].path`.
  public let key: String
  /// The path, from the current folder.
  public let path: String
  /// The same without links and dots, by which paths are compared.
  let canonical: String
  let isRequired: Bool
  /// Whether of a folder only the files count, and not the folders in it.
  let isShallow: Bool

  /// - Parameter base: The folder that relative paths start from; empty for the current one.
  init(
    key: String, text: String, isRequired: Bool = true, isShallow: Bool = false, base: String
  ) {
    self.key = key
    self.isShallow = isShallow
    self.isRequired = isRequired
    path = joined(base, text)
    canonical = canonicalPath(path)
  }

  var exists: Bool { fileStatus(path) != nil }

  /// Whether one is the other, or holds it.
  func overlaps(_ other: StagePath) -> Bool { isInside(other) || other.isInside(self) }

  /// Whether this is the other, or something in it.
  func isInside(_ other: StagePath) -> Bool {
    let own = Array(canonical.utf8), outer = Array(other.canonical.utf8)
    guard own.starts(with: outer) else { return false }
    return own.count == outer.count || outer.last == UInt8(ascii: "/")
      || own[outer.count] == UInt8(ascii: "/")
  }
}

extension Stage {
  /// Reads a recipe, whatever its kind is.
  ///
  /// - Parameter base: The folder that relative paths in it start from; empty for the current one.
  /// - Throws: `PipelineError` if it decodes as no kind, or as several, or cannot be meant.
  init(_ file: StageFile, kinds: [StageKind], base: String) throws(PipelineError) {
    let data = try Self.contents(file.path)
    let (kind, json) = try Self.decoded(data, file, kinds)
    guard let value = try? JSONValue(parsing: Array(json.utf8), source: file.path) else {
      throw PipelineError("\(printable(file.path)): the recipe cannot be read.")
    }
    guard kind.command != nil else {
      throw PipelineError(
        "\(printable(file.path)): a recipe of the kind '\(kind.name)', which no stage of a whole run "
          + "is made by.")
    }
    self.file = file
    self.kind = kind
    recipe = value
    inputs = kind.reads.flatMap { key in
      key.texts(in: value).map {
        StagePath(
          key: $0.key, text: $0.text, isRequired: key.isRequired, isShallow: key.isShallow,
          base: base)
      }
    }
    guard let output = kind.writes.texts(in: value).first else {
      throw PipelineError("\(printable(file.path)): '\(kind.writes.text)' names no folder.")
    }
    // A slash at the end would make another name of what is moved aside.
    var text = output.text
    while text.utf8.count > 1, text.utf8.last == UInt8(ascii: "/") { text.removeLast() }
    self.output = StagePath(key: output.key, text: text, base: base)
  }

  private static func contents(_ path: String) throws(PipelineError) -> Data {
    do throws(FileError) {
      let file = try MappedFile(at: path)
      return withExtendedLifetime(file) { Data(file.bytes) }
    } catch {
      if error.reason == .empty { return Data() }
      throw PipelineError("\(error)")
    }
  }

  /// The one kind that a recipe decodes as, and the recipe in plain JSON.
  private static func decoded(
    _ data: Data, _ file: StageFile, _ kinds: [StageKind]
  ) throws(PipelineError) -> (StageKind, String) {
    var found: [(StageKind, Result<String, any Error>)] = []
    var mistakes: [(kind: StageKind, findings: [String])] = []
    for kind in kinds {
      let result = Result { try kind.resolved(data, file: file.path) }
      if case .failure(let error as RecipeError) = result {
        mistakes.append((kind, error.findings))
      } else {
        found.append((kind, result))
      }
    }
    if found.count > 1 {
      throw PipelineError(
        "\(printable(file.path)): a recipe of several kinds at once, "
          + "\(found.map { "'\($0.0.name)'" }.joined(separator: " and ")). Tell them apart by another "
          + "key.")
    }
    guard let (kind, result) = found.first else {
      // The name says what was meant, or else the kind of which the least is wrong.
      let word = file.name.drop { $0 != "-" }.dropFirst()
      let named = mistakes.first { word == $0.kind.name || word.hasPrefix($0.kind.name + "-") }
      let nearest = mistakes.min { $0.findings.count < $1.findings.count }
      throw PipelineError((named ?? nearest)?.findings ?? ["\(printable(file.path)): no recipe."])
    }
    switch result {
    case .success(let json): return (kind, json)
    case .failure(let error):
      throw PipelineError(
        "\(error)".split(separator: "\n").map { "\(printable(file.path)): \($0)" })
    }
  }
}

/// A path in a folder, unless it begins at the root.
func joined(_ base: String, _ path: String) -> String {
  if base.isEmpty || base == "." || path.hasPrefix("/") { return path }
  return base.hasSuffix("/") ? base + path : base + "/" + path
}

/// The whole path without links, dots and doubled slashes, also of what is not there yet.
func canonicalPath(_ path: String) -> String {
  let whole = joined(FileManager.default.currentDirectoryPath, path)
  var parts = whole.split(separator: "/").map(String.init)
  var rest: [String] = []
  var result: [String] = []
  while true {
    if let there = try? resolvedPath("/" + parts.joined(separator: "/")) {
      result = there.split(separator: "/").map(String.init)
      break
    }
    guard let last = parts.popLast() else { break }
    rest.append(last)
  }
  for part in rest.reversed() {
    if part == ".." { _ = result.popLast() } else if part != "." { result.append(part) }
  }
  return "/" + result.joined(separator: "/")
}

/// What the system says of a file or folder; nil where there is none.
func fileStatus(_ path: String) -> stat? {
  guard !path.utf8.contains(0) else { return nil }
  var status = stat()
  return stat(path, &status) == 0 ? status : nil
}
