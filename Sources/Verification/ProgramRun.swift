import Foundation
import Sandbox
import Storage

/// One program on one task.
struct ProgramRun {
  let sandbox: Sandbox
  let program: String
  let task: ProgramTask
  /// Whether nobody waits for the verdict any more.
  var isStopped: @Sendable () -> Bool = { false }

  func verdict() -> ProgramVerdict {
    switch task.tests {
    case .standardInput(let tests): inputVerdict(tests)
    case .function(let name, let tests): callVerdict(name, tests)
    case .assertions(let tests): assertionVerdict(tests)
    }
  }

  func verdict(
    _ outcome: ProgramVerdict.Outcome, test: Int? = nil, _ reason: String
  ) -> ProgramVerdict {
    ProgramVerdict(
      outcome, failingTest: test, tests: task.count, isUnsafe: sandbox.isolation == .none,
      reason: reason)
  }

  var pass: ProgramVerdict {
    verdict(
      .pass, task.count == 1 ? "The test was passed." : "All \(task.count) tests were passed.")
  }

  /// What a run that should still have gone on, or ended well, says of the program.
  func verdict(
    ending outcome: BoxOutcome, _ limits: BoxLimits = BoxLimits(), test: Int
  ) -> ProgramVerdict {
    switch outcome.ending {
    case .exited(let status):
      let last = Self.lastLine(of: outcome.errorOutput)
      if status != 0, Self.isMemoryError(last) {
        return verdict(.memoryLimit, test: test, "The program ran out of memory.")
      }
      let said = status == 0 || last.isEmpty ? "" : ": " + ProgramExcerpt.of(last)
      return verdict(.runtimeError, test: test, "The program ended with status \(status)\(said).")
    case .signalled(let signal):
      return verdict(.runtimeError, test: test, "The program was ended by signal \(signal).")
    case .timeLimit:
      return verdict(.timeLimit, test: test, late)
    case .memoryLimit:
      return verdict(
        .memoryLimit, test: test,
        "The program took more memory than \(limits.memoryBytes >> 20) MiB.")
    case .outputLimit:
      return verdict(
        .outputLimit, test: test,
        "The program printed more than \(limits.outputBytes >> 10) KiB.")
    case .infrastructure(let reason):
      return verdict(.infrastructure, reason)
    }
  }

  var stopped: ProgramVerdict { verdict(.infrastructure, "Judging was stopped.") }

  var late: String { "The program took longer than \(Self.text(task.secondsPerTest)) s." }

  static func text(_ seconds: Double) -> String {
    Int(exactly: seconds).map(String.init) ?? "\(seconds)"
  }

  static func isMemoryError(_ line: String) -> Bool {
    line == "MemoryError" || line.hasPrefix("MemoryError:")
  }

  static func lastLine(of text: [UInt8]) -> String {
    let lines = text.suffix(4096).split { $0 == 0x0A || $0 == 0x0D }
    return String(decoding: lines.last.map(Array.init) ?? [], as: UTF8.self)
  }

  /// Waits for a box that should be ending by itself, but not for long.
  static func end(_ box: RunningBox) -> BoxOutcome {
    let ended = DispatchSemaphore(value: 0)
    let timer = Thread {
      if ended.wait(timeout: .now() + secondsToEnd) == .timedOut { box.kill() }
    }
    timer.start()
    let outcome = box.wait()
    ended.signal()
    return outcome
  }

  private static let secondsToEnd = 1.0
}

extension ProgramRun {
  // MARK: Standard input

  fileprivate func inputVerdict(_ tests: [ProgramTask.InputTest]) -> ProgramVerdict {
    var files = [task.fileName: Array(program.utf8)]
    let arguments: [String]
    if let command = task.command {
      arguments = command.map { $0 == "{program}" ? task.fileName : $0 }
    } else {
      files[ProgramDrivers.fileName] = Array(ProgramDrivers.script.utf8)
      arguments = [ProgramJudge.python, ProgramDrivers.fileName, task.fileName]
    }
    let deadline = ProgramChannel.seconds() + task.secondsInAll
    for (number, test) in tests.enumerated() {
      if isStopped() { return stopped }
      let left = deadline - ProgramChannel.seconds()
      guard left > 0 else {
        return verdict(.timeLimit, test: number + 1, "The tests together took too long.")
      }
      var limits = BoxLimits(wallSeconds: min(left, task.secondsPerTest))
      // A right output may be long.
      limits.outputBytes = max(limits.outputBytes, 2 * test.output.utf8.count)
      let outcome = sandbox.run(
        BoxedProgram(
          arguments: arguments, files: files, input: Array(test.input.utf8), limits: limits))
      guard outcome.ending == .exited(0) else {
        return verdict(ending: outcome, limits, test: number + 1)
      }
      if let fault = ProgramOutput.fault(in: outcome.output, expected: test.output) {
        return verdict(.wrong, test: number + 1, fault)
      }
    }
    return pass
  }

  // MARK: Functions

  /// The longest answer, in bytes.
  private static let longestAnswer = 16 << 20

  fileprivate func callVerdict(_ name: String, _ tests: [ProgramTask.CallTest]) -> ProgramVerdict {
    guard let (channel, other) = ProgramChannel.make() else {
      return verdict(.infrastructure, "A pair of sockets could not be made.")
    }
    let box = sandbox.start(
      BoxedProgram(
        arguments: [ProgramJudge.python, ProgramDrivers.fileName],
        files: [
          ProgramDrivers.fileName: Array(ProgramDrivers.calls.utf8),
          task.fileName: Array(program.utf8),
        ],
        channel: other, limits: BoxLimits(wallSeconds: task.secondsInAll)))
    close(other)
    defer {
      box.kill()
      _ = box.wait()
    }
    let question = JSONValue.object(
      JSONObject(members: [("function", .string(name)), ("file", .string(task.fileName))]))
    switch answer(to: question, 1, channel, box) {
    case .failure(let failed): return failed.verdict
    case .success(let answer):
      guard answer["ready"] == .bool(true) else {
        return verdict(
          .runtimeError, test: 1, "The program defines no function \(ProgramExcerpt.of(name)).")
      }
    }
    for (index, test) in tests.enumerated() {
      if isStopped() { return stopped }
      let number = index + 1
      switch answer(to: .array(test.arguments), number, channel, box) {
      case .failure(let failed): return failed.verdict
      case .success(let answer):
        if let failed = fault(in: answer, number, expected: test.result) { return failed }
      }
    }
    return pass
  }

  private struct Failed: Error {
    let verdict: ProgramVerdict
  }

  /// Asks, and waits for one line that answers.
  private func answer(
    to question: JSONValue, _ number: Int, _ channel: ProgramChannel, _ box: RunningBox
  ) -> Result<JSONObject, Failed> {
    func failed(_ outcome: ProgramVerdict.Outcome, _ reason: String) -> Result<JSONObject, Failed> {
      .failure(Failed(verdict: verdict(outcome, test: number, reason)))
    }
    guard !channel.hasMore() else {
      return failed(.wrong, "The program answered before it was asked.")
    }
    let deadline = ProgramChannel.seconds() + task.secondsPerTest
    let line =
      channel.send(Array(question.serialized()), until: deadline)
      ?? channel.line(atMost: Self.longestAnswer, until: deadline)
    switch line {
    case .closed:
      return .failure(Failed(verdict: verdict(ending: Self.end(box), test: number)))
    case .late: return failed(.timeLimit, late)
    case .tooLong: return failed(.wrong, "The program's answer is too long.")
    case .text(let text):
      let value = try? JSONValue(
        parsing: Data(text), source: "", limits: JSONLimits(bytes: Self.longestAnswer))
      guard case .object(let answer) = value else {
        return failed(.wrong, "The program's answer is not JSON.")
      }
      return .success(answer)
    }
  }

  private func fault(
    in answer: JSONObject, _ number: Int, expected: JSONValue
  ) -> ProgramVerdict? {
    guard case .number(let place) = answer["number"], place.int == number else {
      return verdict(.wrong, test: number, "The program answered another question.")
    }
    if case .string(let error) = answer["error"] {
      if Self.isMemoryError(error) {
        return verdict(.memoryLimit, test: number, "The program ran out of memory.")
      }
      return verdict(
        .runtimeError, test: number, "The program failed with \(ProgramExcerpt.of(error)).")
    }
    if case .string(let type) = answer["unfit"] {
      return verdict(
        .wrong, test: number, "The result is of type \(ProgramExcerpt.of(type)), which is no JSON.")
    }
    guard let found = answer["value"] else {
      return verdict(.wrong, test: number, "The program's answer holds no value.")
    }
    guard ProgramValue.areEqual(expected, found) else {
      return verdict(
        .wrong, test: number,
        "The result is \(ProgramExcerpt.of(found.serialized())), where "
          + "\(ProgramExcerpt.of(expected.serialized())) was expected.")
    }
    return nil
  }
}
