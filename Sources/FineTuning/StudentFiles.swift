import Datasets
import Foundation
import Storage
import Training

/// What stands beside the weights of a finished student: how to generate with it, and where it
/// comes from.
struct StudentFiles {
  private let recipe: FineTuningRecipe
  private let text: TextCheckpoint
  private let order: TrainingOrder
  private let sourceNames: [String]
  private let loop: TrainingLoop
  private let form: TrainingForm
  private let evaluation: Double?

  init(
    _ recipe: FineTuningRecipe, _ text: TextCheckpoint, _ order: TrainingOrder,
    _ sourceNames: [String], _ loop: TrainingLoop, _ form: TrainingForm, evaluation: Double?
  ) {
    self.recipe = recipe
    self.text = text
    self.order = order
    self.sourceNames = sourceNames
    self.loop = loop
    self.form = form
    self.evaluation = evaluation
  }

  /// The files by their names.
  ///
  /// - Throws: `FileError` if the recipe's own template can't be read any more.
  func contents() throws(FileError) -> [String: Data] {
    var files = [
      "generation_config.json": JSONValue.object(generation).serialized(pretty: true)
        + Data("\n".utf8),
      "README.md": Data(readme.utf8),
    ]
    // Whoever uses the student is to ask it as it was trained.
    if let name = recipe.data.chatTemplate, FileManager.default.fileExists(atPath: name) {
      files["chat_template.jinja"] = Data(try MappedFile(at: name).contents)
    }
    return files
  }

  /// The base's own settings, with the stop tokens that were trained.
  private var generation: JSONObject {
    let ids = text.endTokens.sorted().map { JSONValue.int(Int($0)) }
    let eos = ids.count == 1 ? ids[0] : JSONValue.array(ids)
    var members = text.generation?.members ?? []
    members.removeAll { ["eos_token_id", "transformers_version"].contains($0.key) }
    members.append(("eos_token_id", eos))
    return JSONObject(members: members)
  }

  private var trained: String {
    if form == TrainingForm() { return "all parameters" }
    if form.lowRank == nil { return "all parameters (\(form.words))" }
    return "\(form.words); these are the adapters, which 'distill merge' merges with it"
  }

  private var readme: String {
    let base = recipe.student.split(separator: "/").last.map(String.init) ?? recipe.student
    let result = evaluation.map { String(format: "%.4f", $0) }
    return """
      # A student of \(base)

      Fine-tuned with Distill from '\(recipe.student)', \(trained), with \(recipe.precision) products.

      | | |
      |---|---|
      | steps | \(loop.stepCount) of \(recipe.rowsPerStep) rows, \(recipe.epochs) epochs |
      | documents | \(order.documents.count), and \(order.heldOut.count) held out |
      | tokens of an epoch | \(order.tokensPerEpoch) |
      | sources | \(sourceNames.joined(separator: ", ")) |
      | context | \(recipe.data.contextLength) tokens |
      | learning rate | \(recipe.optimizer.learningRate), \(recipe.optimizer.schedule.rawValue) |
      | lowest loss on what was held out | \(result ?? "not taken") |

      The run's folder, '\(recipe.run)', holds the whole recipe, the hashes of the data, and what \
      was measured.

      """
  }
}
