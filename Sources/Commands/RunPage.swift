import Foundation
import Reports
import Storage

/// The page about the runs of one kind of training.
struct RunPage: Sendable {
  /// The key that a recipe of the kind has, and others have not.
  let recipeKey: String
  /// Writes the page of a run's folder to a file.
  let write: @Sendable (_ folder: String, _ path: String) throws -> Void

  /// Runs of `distill fine-tune`.
  static let fineTuning = RunPage(recipeKey: "student") { folder, path in
    try RunReport(of: folder).write(to: path)
  }

  /// The page for a run's folder; that of fine-tuning where the recipe does not say.
  static func page(for folder: String, of kinds: [RunPage]) -> RunPage {
    guard let file = try? MappedFile(at: folder + "/recipe.json"),
      case .object(let recipe)? = withExtendedLifetime(
        file, { try? JSONValue(parsing: file.bytes, source: "recipe.json") })
    else { return .fineTuning }
    return kinds.first { recipe[$0.recipeKey] != nil } ?? .fineTuning
  }
}
