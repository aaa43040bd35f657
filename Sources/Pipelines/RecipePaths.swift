import Storage

/// Where in a recipe a path stands, as in `data.sources[].path`.
public struct RecipeKey: Sendable, ExpressibleByStringLiteral {
  public let text: String
  /// Whether what it names must be there. Where not, it may also be something other than a path,
  /// such as the name of a template, and counts if there is a file of that name.
  public let isRequired: Bool
  /// Whether of a folder only the files count, and not the folders in it.
  let isShallow: Bool

  public init(stringLiteral text: String) { self.init(text) }

  public init(_ text: String, isRequired: Bool = true, isShallow: Bool = false) {
    self.text = text
    self.isRequired = isRequired
    self.isShallow = isShallow
  }

  /// A key whose value counts if there is a file or folder of that name.
  public static func ifThere(_ text: String) -> RecipeKey { RecipeKey(text, isRequired: false) }

  /// A key of a run's folder of which only the files are read: its recipe and its figures.
  public static func filesOf(_ text: String) -> RecipeKey { RecipeKey(text, isShallow: true) }

  /// The texts that stand there in a recipe, each with its whole key, as in `data.sources[1].path`.
  func texts(in recipe: JSONValue) -> [(key: String, text: String)] {
    var places: [(key: String, value: JSONValue)] = [("", recipe)]
    for part in text.split(separator: ".") {
      let isList = part.hasSuffix("[]")
      let name = String(isList ? part.dropLast(2) : part)
      places = places.flatMap { key, value -> [(key: String, value: JSONValue)] in
        guard case .object(let object) = value, let member = object[name] else { return [] }
        let whole = key.isEmpty ? name : key + "." + name
        guard isList else { return [(whole, member)] }
        guard case .array(let elements) = member else { return [] }
        return elements.enumerated().map { ("\(whole)[\($0)]", $1) }
      }
    }
    return places.compactMap { key, value in
      guard case .string(let text) = value, !text.isEmpty else { return nil }
      return (key, text)
    }
  }
}
