import Dispatch
import Foundation
import Problems
import Storage

/// Asks the user's own program for rewards, in the lines that `RewardSettings.UserProgram` tells of.
final class RewardProgram {
  /// How often it is started again without a whole batch in between.
  static let mostRestarts = 3
  /// Bytes of a line that it may write.
  static let longestLine = 1 << 16

  private let settings: RewardSettings.UserProgram
  private var process: RewardProcess?
  /// The line that is not over.
  private var pending: [UInt8] = []
  /// Numbers are given once in a run.
  private var nextID = 0
  private var failuresInARow = 0

  init(_ settings: RewardSettings.UserProgram) { self.settings = settings }

  deinit { process?.end(waitingSeconds: 2) }

  /// What errors call it.
  static func name(of command: [String]) -> String { quoted(command.joined(separator: " ")) }

  private var name: String { Self.name(of: settings.command) }

  /// What is known of a batch.
  private struct Batch {
    let firstID: Int
    var outcomes: [RewardOutcome?]
    var answered = 0
  }

  /// The program's rewards, in the order of the answers.
  ///
  /// - Throws: `RewardError` if it can't be started, fails again and again, or is stopped.
  func outcomes(
    of answers: [SampledAnswer], isStopped: () -> Bool
  ) throws(RewardError) -> [RewardOutcome] {
    guard !answers.isEmpty else { return [] }
    var batch = Batch(
      firstID: nextID, outcomes: [RewardOutcome?](repeating: nil, count: answers.count))
    nextID += answers.count
    if process?.hasEnded ?? false { discard() }
    // One that ended between batches, unseen so far, is started again and asked once more.
    var mayBeAskedAgain = process != nil
    while true {
      let problem = try ask(answers, &batch, isStopped)
      guard let problem else {
        failuresInARow = 0
        return batch.outcomes.map { $0 ?? .failed("\(name) gave no reward.") }
      }
      if problem.isEnd, batch.answered == 0, mayBeAskedAgain {
        mayBeAskedAgain = false
        discard()
        continue
      }
      failuresInARow += 1
      process?.end(waitingSeconds: 0)
      let errors = process?.lastErrors ?? []
      discard()
      if failuresInARow > Self.mostRestarts {
        throw RewardError(
          .program,
          "The reward 'program': \(name) failed \(failuresInARow) times in a row, at last since it "
            + "\(problem.words). Run it on its own with a line of an answer, and mend it."
            + Self.told(errors))
      }
      let failure = "The reward 'program': \(name) \(problem.words)." + Self.told(errors)
      return batch.outcomes.map { $0 ?? .failed(failure) }
    }
  }

  /// Why a batch was not done: `it …`.
  private struct Fault {
    var words: String
    /// The program ended, or can't be heard any more.
    var isEnd = false
  }

  /// Sends lines and takes replies at the same time, so that neither waits for the other.
  private func ask(
    _ answers: [SampledAnswer], _ batch: inout Batch, _ isStopped: () -> Bool
  ) throws(RewardError) -> Fault? {
    let process: RewardProcess
    if let running = self.process {
      process = running
    } else {
      process = try RewardProcess(settings.command)
      self.process = process
    }
    var next = 0
    var line: ArraySlice<UInt8> = []
    var deadline = DispatchTime.now() + settings.timeoutSeconds
    while true {
      if isStopped() {
        process.end(waitingSeconds: 0)
        discard()
        throw .stopped
      }
      if line.isEmpty, next < answers.count, !process.inputIsClosed {
        line = Self.line(of: answers[next], id: batch.firstID + next)[...]
        next += 1
      }
      var fault: String?
      let before = batch.answered
      let isAlive = process.step(writing: &line, waiting: 100) { bytes in
        fault = fault ?? self.take(bytes, &batch)
      }
      if let fault { return Fault(words: fault) }
      if batch.answered == answers.count { return nil }
      if batch.answered > before { deadline = DispatchTime.now() + settings.timeoutSeconds }
      if process.outputIsClosed || (!isAlive && process.hasEnded) {
        return ended(process)
      }
      if DispatchTime.now() > deadline {
        return Fault(
          words:
            "gave no reply for \(Self.written(settings.timeoutSeconds)) seconds, and was ended; "
            + "it must answer each line as it comes, and flush its output")
      }
    }
  }

  private func ended(_ process: RewardProcess) -> Fault {
    let words = process.end(waitingSeconds: 1)?.description ?? "closed its output, and was ended"
    let isHalf = !pending.isEmpty
    return Fault(words: isHalf ? "\(words), in the middle of a line" : words, isEnd: true)
  }

  private func discard() {
    process?.end(waitingSeconds: 0)
    process = nil
    pending = []
  }

  private static func written(_ seconds: Double) -> String {
    Int(exactly: seconds).map { "\($0)" } ?? "\(seconds)"
  }

  // MARK: Lines

  private static func line(of answer: SampledAnswer, id: Int) -> [UInt8] {
    let parts = AnswerParts(answer.text)
    func text(_ bytes: ArraySlice<UInt8>) -> JSONValue {
      .string(String(decoding: bytes, as: UTF8.self))
    }
    let reference: String? =
      switch answer.problem.reference {
      case .answer(let text): text
      case .choices(let options, let correct):
        options.indices.contains(correct) ? options[correct] : nil
      case .program: nil
      case .none(let text): text
      }
    let object = JSONObject(members: [
      ("id", .number(JSONNumber(id))), ("question", .string(answer.problem.question)),
      ("prompt", .string(answer.prompt)), ("answer", .string(answer.text)),
      ("reasoning", parts.thinking.map { text(trimmed($0)) } ?? .null),
      ("content", text(parts.content)), ("reference", reference.map { .string($0) } ?? .null),
      ("problem", .string(answer.problem.id)), ("tokens", .number(JSONNumber(answer.tokenCount))),
      ("cut", .bool(answer.isCut)),
    ])
    return Array(JSONValue.object(object).serialized()) + [0x0A]
  }

  /// Reads the lines that are whole; returns what is wrong with the first that is no reply.
  private func take(_ bytes: UnsafeRawBufferPointer, _ batch: inout Batch) -> String? {
    var rest = bytes[...]
    while let end = rest.firstIndex(of: 0x0A) {
      pending += rest[..<end]
      rest = rest[(end + 1)...]
      if pending.count > Self.longestLine { break }
      if let fault = read(pending, &batch) { return fault }
      pending = []
    }
    pending += rest
    guard pending.count > Self.longestLine else { return nil }
    return "wrote a line of more than \(Self.longestLine) bytes"
  }

  private func read(_ line: [UInt8], _ batch: inout Batch) -> String? {
    if trimmed(line[...]).isEmpty { return nil }
    let shown = quoted(String(decoding: line, as: UTF8.self), longest: 200)
    let value = try? JSONValue(
      parsing: line, source: "", limits: JSONLimits(depth: 16, bytes: Self.longestLine))
    guard case .object(let reply)? = value else {
      return
        "wrote \(shown), and a reply is a line '{\"id\": …, \"reward\": …}'; what else it says "
        + "belongs to standard error"
    }
    guard case .number(let number)? = reply["id"], let id = number.int else {
      return "wrote \(shown), which has no whole number 'id'"
    }
    guard id >= batch.firstID, id - batch.firstID < batch.outcomes.count else {
      return "wrote \(shown), and no answer that it was asked for has this 'id'"
    }
    guard batch.outcomes[id - batch.firstID] == nil else {
      return "wrote \(shown), and had replied to this 'id' before"
    }
    let outcome: RewardOutcome
    switch (reply["error"] ?? .null, reply["reward"]) {
    case (.string(let error), _):
      outcome = .failed("The reward 'program' has none for this answer: \(quoted(error)).")
    case (.null, .null?): outcome = .failed("The reward 'program' has none for this answer.")
    case (.null, .number(let number)?):
      guard let reward = number.double else {
        return "wrote \(shown), whose 'reward' is too large"
      }
      outcome = .value(reward, nil)
    default: return "wrote \(shown), which has neither a number 'reward' nor a text 'error'"
    }
    batch.outcomes[id - batch.firstID] = outcome
    batch.answered += 1
    return nil
  }

  /// The end of standard error, for people: lines stay lines, and nothing changes the terminal.
  private static func told(_ errors: [UInt8]) -> String {
    let text = String(decoding: trimmed(errors[...]), as: UTF8.self)
    guard !text.isEmpty else { return "" }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isPlain = scalar == "\n" || scalar == "\t" || !quoted("\(scalar)").contains("\\u")
      shown.append(isPlain ? scalar : "\u{FFFD}")
    }
    return " It wrote to standard error:\n\(String(shown))"
  }
}
