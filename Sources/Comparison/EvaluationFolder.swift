import Evaluation
import Foundation
import Interface
import Storage

/// Finding what `distill evaluate` left of a model.
enum EvaluationFolder {
  static let fileName = "evaluation.json"

  /// Reads the folder of a model, or an output of an evaluation that holds one model.
  ///
  /// - Parameter place: What names the folder, for errors; nil for the command line.
  /// - Throws: `ComparisonError` where there is none, several or one that isn't finished;
  ///   `EvaluationError` and `SampleError` for a damaged one.
  static func evaluation(at path: String, place: String? = nil) throws -> ModelEvaluation {
    let start = place.map { "\($0): " } ?? ""
    let names: [String]
    do {
      names = try Storage.names(inFolder: path)
    } catch {
      guard error.reason == .missing else { throw ComparisonError("\(start)\(error)") }
      let url = URL(fileURLWithPath: path)
      let others = (try? Storage.names(inFolder: url.deletingLastPathComponent().path)) ?? []
      throw ComparisonError(
        "\(start)\(path): there is no such folder.\(hint(for: url.lastPathComponent, in: others))")
    }
    if names.contains(fileName) { return try ModelEvaluation(at: path) }
    let models = names.filter { isFile(path + "/" + $0 + "/" + fileName) }
    if let model = models.first, models.count == 1 {
      return try ModelEvaluation(at: path + "/" + model)
    }
    if !models.isEmpty {
      let several = models.map { quoted($0) }.joined(separator: ", ")
      throw ComparisonError(
        "\(start)\(path): it holds the evaluations of several models, \(several). Name the folder of "
          + "one.")
    }
    if isUnfinished(path, names) || names.contains(where: { isUnfinished(path + "/" + $0) }) {
      throw ComparisonError(
        "\(start)\(path): the evaluation isn't finished. Run 'distill evaluate' again; what was "
          + "sampled is kept.")
    }
    throw ComparisonError(
      "\(start)\(path): it is no evaluation of a model. Name a folder that 'distill evaluate' left."
    )
  }

  /// Whether there is a file, which need not be readable.
  private static func isFile(_ path: String) -> Bool {
    do {
      _ = try MappedFile(at: path)
      return true
    } catch {
      return error.reason != .missing && error.reason != .notFolder
    }
  }

  /// Whether a folder has samples of benchmarks and no figures of all yet.
  private static func isUnfinished(_ path: String, _ names: [String]? = nil) -> Bool {
    let names = names ?? (try? Storage.names(inFolder: path)) ?? []
    if names.contains(fileName) { return false }
    return names.contains { isFile(path + "/" + $0 + "/identity.json") }
  }
}
