import Foundation
import Problems
import Reinforcement

/// A folder of a run, in a temporary place, with files as a run writes them.
final class MadeFolder {
  let path: String
  private var lines: [String] = []

  init() throws {
    path = NSTemporaryDirectory() + "distill-objective-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, as name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
  }

  /// Adds a line to the metrics, as `kind` with the members of a value.
  func add(_ kind: String, _ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let members = String(decoding: try encoder.encode(value), as: UTF8.self).dropFirst()
    lines.append("{\"kind\":\"\(kind)\",\(members)")
  }

  /// Adds a line as it is.
  func add(line: String) { lines.append(line) }

  /// Writes the metrics so far, and what stands behind their last line.
  func writeMetrics(behind: String = "") throws {
    try write(lines.map { $0 + "\n" }.joined() + behind, as: "metrics.jsonl")
  }

  struct Finding: Encodable {
    let step: Int
    let text: String
  }
}

/// Answers of a step as a run keeps them: four questions, four answers each.
func madeCompletions(step: Int, text: (Int, Int) -> String) -> [CompletionRecord] {
  var records: [CompletionRecord] = []
  for question in 0..<4 {
    for sample in 0..<4 {
      let isRight = (question + sample) % 3 == 0
      let hasFailed = question == 3 && sample == 3
      let problem = Problem(
        id: "train.jsonl#\(question)", question: "What is \(question) + 1?",
        reference: .answer("\(question + 1)"), source: "train.jsonl",
        place: "train.jsonl:\(question)")
      let answer = SampledAnswer(
        problem: problem, prompt: "What is \(question) + 1? Think first.", sample: sample,
        text: text(question, sample), tokenCount: 100 * question + sample, isCut: sample == 2)
      let rewarded = RewardedAnswer(
        parts: [
          .init(
            name: "accuracy", value: isRight ? 1 : 0,
            reason: isRight ? nil : "The answer '7' is not '\(question + 1)'."),
          .init(name: "format", value: sample == 2 ? 0 : 1),
        ], total: hasFailed ? nil : (isRight ? 1 : 0) + (sample == 2 ? 0 : 0.5),
        failure: hasFailed ? "The sandbox did not start." : nil)
      records.append(
        CompletionRecord(
          step: step, question: question, answer: answer, rewarded: rewarded,
          advantage: hasFailed ? nil : isRight ? 1.25 : -0.75,
          finishReason: sample == 2 ? "length" : "stop"))
    }
  }
  return records
}
