import Foundation

/// Why a recipe could not be used: everything that is wrong with it.
public struct RecipeError: Error, Equatable, CustomStringConvertible {
  /// One sentence for each mistake, with its place.
  public let findings: [String]

  /// The findings, a line each.
  public var description: String { findings.joined(separator: "\n") }

  public init(findings: [String]) { self.findings = findings }
}

/// A recipe ready to be used, and as it is to be kept beside the results.
public struct ResolvedRecipe<Recipe> {
  /// What the run uses. It was decoded from `resolvedJSON`, so the two agree.
  public let recipe: Recipe
  /// The recipe with the overrides applied, as plain JSON with sorted keys; the same content
  /// gives the same text.
  public let resolvedJSON: String
  /// The overrides, as they were written.
  public let overrides: [String]
}

extension ResolvedRecipe: Sendable where Recipe: Sendable {}

/// A string-valued setting whose error names the values it may have.
public protocol Choice: RawRepresentable<String>, CaseIterable, Codable, Sendable {}

extension Choice {
  public init(from decoder: any Decoder) throws {
    let word = try decoder.singleValueContainer().decode(String.self)
    guard let choice = Self(rawValue: word) else {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "must be \(Self.wording); it is \(quoted(word))"))
    }
    self = choice
  }

  static var wording: String { listed(allCases.map(\.rawValue), last: "or") }
}

/// The longest recipe that is read, in bytes.
private let sizeLimit = 1 << 20

/// The most mistakes that are told at once.
private let findingLimit = 20

/// Decodes a recipe from JSON5.
///
/// Every key of the file must be one that `Recipe` decodes, and is written once; every key that
/// `Recipe` decodes must be there, unless it is optional. Whole numbers may be written as `1e6`.
/// For a value that a type's own `init(from:)` refuses by `DecodingError.dataCorrupted`, the
/// debug description is the rest of a sentence that begins with the key, as in "must be even".
///
/// - Parameters:
///   - file: The name of the file, for the errors.
///   - overrides: Replacements `key=value` applied in order; see `RepeatedOption.recipeOverrides`.
/// - Throws: `RecipeError`, with all that is wrong.
public func decodeRecipe<Recipe: Decodable>(
  _ type: Recipe.Type, from data: Data, file: String, overrides: [String] = []
) throws(RecipeError) -> ResolvedRecipe<Recipe> {
  guard data.count <= sizeLimit else {
    throw RecipeError(findings: [
      "\(printable(file)): the file has \(data.count) bytes; a recipe has at most \(sizeLimit)."
    ])
  }
  let text = RecipeText(utf8: Array(data))
  var scanner = JSON5Scanner(text)
  var findings: [Finding]
  do {
    var value = try scanner.document()
    findings = scanner.findings
    for (number, override) in overrides.enumerated() {
      findings += value.apply(override, number: number)
    }
    let json = value.json
    let result = Result { try JSONDecoder().decode(type, from: Data(json.utf8)) }
    findings += mistakes(in: value, decodedAs: type, result)
    if findings.isEmpty {
      return ResolvedRecipe(
        recipe: try result.get(), resolvedJSON: json, overrides: overrides)
    }
  } catch {
    findings = [error as? Finding ?? Finding(place: Place(offset: 0), words: "\(error)")]
  }
  throw RecipeError(findings: sentences(findings, text: text, file: file, overrides: overrides))
}

/// Decodes the recipe in a file, as `decodeRecipe` does.
public func readRecipe<Recipe: Decodable>(
  _ type: Recipe.Type, at path: String, overrides: [String] = []
) throws(RecipeError) -> ResolvedRecipe<Recipe> {
  let data: Data
  switch recipeData(at: path) {
  case .success(let read): data = read
  case .failure(let error): throw error
  }
  return try decodeRecipe(type, from: data, file: path, overrides: overrides)
}

private func sentences(
  _ findings: [Finding], text: RecipeText, file: String, overrides: [String]
) -> [String] {
  let sorted = findings.sorted { $0.place < $1.place }
  var sentences = sorted.prefix(findingLimit).map { finding in
    if let number = finding.place.override {
      return "--set \(quoted(withoutSecret(overrides[number]))): \(finding.words)"
    }
    let (line, column) = text.position(of: finding.place.offset)
    return "\(printable(file)):\(line):\(column): \(finding.words)"
  }
  if sorted.count > findingLimit {
    sentences.append("\(printable(file)): \(sorted.count - findingLimit) more mistakes.")
  }
  return sentences
}

/// The bytes of a recipe file, if it is one: neither a folder nor a pipe, and not too long.
private func recipeData(at path: String) -> Result<Data, RecipeError> {
  func refused(_ words: String) -> Result<Data, RecipeError> {
    .failure(RecipeError(findings: ["\(printable(path)): \(words)"]))
  }
  // Without O_NONBLOCK, a named pipe would be waited for.
  let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  guard descriptor >= 0 else {
    let code = errno
    guard code == ENOENT else {
      return refused("the file cannot be read: \(String(cString: strerror(code))).")
    }
    let url = URL(fileURLWithPath: path)
    let folder = url.deletingLastPathComponent().path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return refused("there is no such file.\(hint(for: url.lastPathComponent, in: names.sorted()))")
  }
  let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  var status = stat()
  guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
    return refused("this is not a file; it must be a recipe.")
  }
  guard status.st_size <= sizeLimit else {
    return refused("the file has \(status.st_size) bytes; a recipe has at most \(sizeLimit).")
  }
  do {
    return .success(try file.read(upToCount: sizeLimit + 1) ?? Data())
  } catch {
    return refused("the file cannot be read: \(error.localizedDescription)")
  }
}
