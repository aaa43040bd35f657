import Datasets
import Foundation
import Generation
import Interface
import Storage

/// Samples of many prompts, written as they end, and not made twice.
final class SamplingRun: @unchecked Sendable {
  private let model: TextModel
  private let prompts: [Prompt]
  private let samples: Int
  private let keepsProbabilities: Bool
  private let console: Console
  private let tokens: [[Int32]]
  /// What each prompt's samples depend on.
  private let keys: [String]
  private let journal: Journal?
  /// For each prompt, which samples there are already.
  private var done: [Set<Int>]

  // Shared with the engine's thread, under the condition's lock.
  private let condition = NSCondition()
  private var outstanding = 0
  private var unshown = 0
  private var failures = 0
  private var broken: FileError?

  /// - Throws: `CommandError` if `output` holds samples of another run; errors of prompts.
  init(
    _ model: TextModel, prompts: [Prompt], samples: Int, output: String?, keepsProbabilities: Bool,
    _ console: Console
  ) throws {
    self.model = model
    self.prompts = prompts
    self.samples = samples
    self.keepsProbabilities = keepsProbabilities
    self.console = console
    tokens = try prompts.map(model.tokens)
    let settings = Self.settings(model)
    keys = tokens.map { Self.key(settings, $0) }
    var done = [Set<Int>](repeating: [], count: prompts.count)
    let keys = keys
    journal = try output.map { path in
      try Journal(at: path) { line, number in
        let place = "\(path):\(number)"
        guard let record = try Self.record(line, place), keys.indices.contains(record.prompt),
          record.key == keys[record.prompt]
        else {
          throw CommandError(
            "\(place): it was made from another prompt, with other settings or by another model. "
              + "Name another file with '--output', or remove this one.")
        }
        done[record.prompt].insert(record.sample)
      }
    }
    self.done = done
  }

  func run(_ settings: EngineSettings) throws {
    let total = prompts.count * samples
    let before = done.reduce(0) { $0 + $1.count { $0 < samples } }
    console.note(model.settings)
    if before > 0 {
      console.note("\(countedText(before, "sample")) of \(groupedText(total)) are there already.")
    }
    if before == total { return }
    let engine = try model.engine(settings)
    let progress = ProgressLine(
      total: total, unit: "samples", console: console, startingAt: before)
    let clock = Date()
    let show = { [self] in
      let now = engine.statistics
      let rate = Double(now.tokens) / max(-clock.timeIntervalSinceNow, 1e-3)
      let new = condition.withLock {
        defer { unshown = 0 }
        return unshown
      }
      progress.advance(
        by: new,
        remark: "\(String(format: "%.0f", rate)) tokens/s, \(now.running) running, "
          + "\(now.waiting) waiting")
    }
    for (index, prompt) in prompts.enumerated() {
      for range in missing(index) {
        waitForRoom(below: 2 * settings.maxSequences, show)
        if condition.withLock({ broken != nil }) { break }
        submit(index, prompt, range, to: engine)
      }
    }
    waitForRoom(below: 1, show)
    progress.finish()
    if let broken { throw broken }
    try journal?.synchronize()
    let statistics = engine.statistics
    let seconds = -clock.timeIntervalSinceNow
    console.note(
      "\(countedText(statistics.tokens, "token")) of \(countedText(total - before - failures, "sample")) "
        + "in \(durationText(seconds: seconds)), "
        + "\(String(format: "%.1f", Double(statistics.tokens) / max(seconds, 1e-9))) tokens/s.")
    if failures > 0 {
      throw CommandError(
        "\(countedText(failures, "sample")) of \(groupedText(total)) could not be made.")
    }
  }

  /// The samples of a prompt that are not there, in stretches.
  private func missing(_ prompt: Int) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for sample in 0..<samples where !done[prompt].contains(sample) {
      if let last = ranges.last, last.upperBound == sample {
        ranges[ranges.count - 1] = last.lowerBound..<sample + 1
      } else {
        ranges.append(sample..<sample + 1)
      }
    }
    return ranges
  }

  /// Waits until fewer samples than a limit are on their way; long ones are shown meanwhile.
  private func waitForRoom(below limit: Int, _ show: () -> Void) {
    while true {
      let isFull = condition.withLock {
        if outstanding >= limit { _ = condition.wait(until: Date(timeIntervalSinceNow: 0.25)) }
        return outstanding >= limit
      }
      show()
      if !isFull { return }
    }
  }

  private func submit(
    _ index: Int, _ prompt: Prompt, _ range: Range<Int>, to engine: GenerationEngine
  ) {
    var request = model.request
    request.prompt = tokens[index]
    request.samples = range
    condition.withLock { outstanding += range.count }
    do {
      _ = try engine.submit(request) { [self] event in
        guard case .finished(let completion) = event else { return }
        finish(completion, index, prompt)
      }
    } catch {
      console.note("Error: \(prompt.place): \(error)")
      condition.withLock {
        outstanding -= range.count
        failures += range.count
        condition.signal()
      }
    }
  }

  private func finish(_ completion: Completion, _ index: Int, _ prompt: Prompt) {
    defer {
      condition.withLock {
        outstanding -= 1
        unshown += 1
        condition.signal()
      }
    }
    if case .failed(let error) = completion.finishReason {
      console.note("Error: \(prompt.place), sample \(completion.sample): \(error)")
      condition.withLock { failures += 1 }
      return
    }
    let line = record(completion, index, prompt)
    let bytes = line.serialized()
    guard let journal else { return console.print(String(decoding: bytes, as: UTF8.self)) }
    do throws(FileError) {
      try journal.append(bytes)
    } catch {
      condition.withLock { if broken == nil { broken = error } }
    }
  }

  // MARK: - Records

  private func record(_ completion: Completion, _ index: Int, _ prompt: Prompt) -> JSONValue {
    var members: [(String, JSONValue)] = [("prompt_index", .count(index))]
    if let id = prompt.id { members.append(("id", id)) }
    switch prompt.body {
    case .text(let text): members.append(("prompt", .string(text)))
    case .conversation(let messages): members.append(("messages", .array(messages.map(\.json))))
    }
    members += [
      ("sample", .count(completion.sample)), ("completion", .string(completion.text)),
      ("finish_reason", .string(completion.finishReason.name)),
      ("prompt_tokens", .count(completion.promptTokens)),
      ("completion_tokens", .count(completion.tokens.count)),
      ("seed", .number(JSONNumber(text: "\(model.request.seed)"))), ("key", .string(keys[index])),
    ]
    if keepsProbabilities {
      members += [
        ("token_ids", .array(completion.tokens.map { .count(Int($0)) })),
        (
          "log_probabilities",
          .array(completion.logProbabilities.map { .number(JSONNumber(text: "\($0)")) })
        ),
      ]
    }
    return .members(members)
  }

  private static func record(
    _ line: [UInt8], _ place: String
  ) throws -> (prompt: Int, sample: Int, key: String)? {
    let json = try line.withUnsafeBytes { try JSONValue(parsing: $0, source: place) }
    guard case .object(let object) = json, case .number(let prompt)? = object["prompt_index"],
      case .number(let sample)? = object["sample"], case .string(let key)? = object["key"],
      let prompt = prompt.int, let sample = sample.int
    else { return nil }
    return (prompt, sample, key)
  }

  /// All that a sample depends on besides its prompt and number.
  private static func settings(_ model: TextModel) -> [UInt8] {
    let request = model.request
    let sampling = request.sampling
    let words: [String] = [
      "distill sample 1", model.weights.rawValue, "\(sampling.temperature)", "\(sampling.topP)",
      "\(sampling.topK)", "\(sampling.minP)", "\(sampling.repetitionPenalty)", "\(request.seed)",
      "\(request.maxNewTokens)", "\(request.forcedPrefix)", "\(request.stopTokens.sorted())",
      request.stopStrings.map { "\($0.utf8.count):\($0)" }.joined(),
      request.thinkingBudget.map { "\($0.tokens) \($0.closing)" } ?? "",
    ]
    return words.flatMap { Array("\($0.utf8.count):\($0)\n".utf8) }
      + Array(model.checkpoint.fingerprint.utf8)
  }

  private static func key(_ settings: [UInt8], _ tokens: [Int32]) -> String {
    var hash = SHA256()
    hash.update(settings)
    tokens.withUnsafeBytes { hash.update($0) }
    return String(hash.finalizedText().prefix(16))
  }
}
