import Foundation
import Interface

/// Reads a recipe of a kind; where it is a whole one of another kind, that is said instead of what
/// each of its keys is not.
///
/// - Throws: `RecipeError`, `CommandError`.
func readRecipe<Recipe: Decodable>(
  _ type: Recipe.Type, of kind: RecipeKind, at path: String, overrides: [String] = []
) throws -> ResolvedRecipe<Recipe> {
  do {
    return try readRecipe(type, at: path, overrides: overrides)
  } catch {
    if let other = kindOfRecipe(at: path, but: kind) {
      throw CommandError(
        "\(path): a recipe of the kind '\(other.name)', where one of the kind '\(kind.name)' is "
          + "needed.")
    }
    throw error
  }
}

/// The kind of which a file is a whole recipe, if it is not the one that was expected.
private func kindOfRecipe(at path: String, but expected: RecipeKind) -> RecipeKind? {
  // What is no file may never end.
  let attributes = try? FileManager.default.attributesOfItem(atPath: path)
  guard attributes?[.type] as? FileAttributeType == .typeRegular,
    let data = FileManager.default.contents(atPath: path)
  else { return nil }
  return Program.recipeKinds.first { kind in
    kind.name != expected.name && (try? kind.check(data, file: path)) != nil
  }
}
