import Foundation

/// A kind of recipe: its name, what it is for, and a template that says what stands in it.
public struct RecipeKind: Sendable {
  public let name: String
  public let summary: String
  /// JSON5 with the reason beside each value; it decodes as its own type.
  public let template: String
  private let decode: @Sendable (Data, String, [String]) throws -> String

  /// A kind whose recipes decode as `type`.
  ///
  /// - Parameter check: Throws if a recipe that decodes cannot be meant all the same.
  public init<Recipe: Decodable & Sendable>(
    _ name: String, as type: Recipe.Type, summary: String, template: String,
    check: @escaping @Sendable (Recipe) throws -> Void = { _ in }
  ) {
    self.name = name
    self.summary = summary
    self.template = template
    decode = { data, file, overrides in
      let resolved = try decodeRecipe(type, from: data, file: file, overrides: overrides)
      try check(resolved.recipe)
      return resolved.resolvedJSON
    }
  }

  /// Decodes and checks a recipe of this kind.
  ///
  /// - Returns: The recipe as plain JSON; see `ResolvedRecipe`.
  /// - Throws: `RecipeError`, or what the kind's own check throws.
  @discardableResult
  public func check(_ data: Data, file: String, overrides: [String] = []) throws -> String {
    try decode(data, file, overrides)
  }

  /// Decodes and checks the template; a test calls it for every kind.
  public func checkTemplate() throws {
    try check(Data(template.utf8), file: "the template of '\(name)'")
  }
}

extension Command {
  /// `recipe`: prints the template of a kind, or lists the kinds.
  public static func recipe(kinds: [RecipeKind], program: String) -> Command {
    let kind = OptionalPositional("kind", help: "The kind of recipe; without it, a list of them.")
    let example = kinds.first.map {
      "\(program) recipe\n\(program) recipe \($0.name) > my-\($0.name).json5"
    }
    return Command(
      "recipe", summary: "Prints a recipe to start from.",
      discussion: """
        A recipe is a file in JSON5 that states everything about a run. The one that is printed \
        holds the recommended values, with a reason beside each.
        """,
      example: example ?? "\(program) recipe", takes: kind
    ) { arguments, console in
      guard let name = arguments[kind] else {
        return console.print(list(kinds.map { ($0.name, $0.summary) }))
      }
      guard let kind = kinds.first(where: { $0.name == name }) else {
        let near = hint(for: name, in: kinds.map(\.name))
        let all = near.isEmpty ? " There are \(listed(kinds.map(\.name)))." : near
        throw UsageError("Unknown kind of recipe \(quoted(name)).\(all)")
      }
      console.write(kind.template.hasSuffix("\n") ? kind.template : kind.template + "\n")
    }
  }
}
