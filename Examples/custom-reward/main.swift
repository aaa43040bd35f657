// Reinforces a model by a reward of one's own, written in Swift, beside those of a recipe: right
// answers in the right form are worth something, and of right ones every token costs a little. From
// the root of the package, in a minute or two:
//
//   swift run -c release custom-reward
//   swift run -c release custom-reward Recipes/tiny/4-reinforce-base.json5 runs/thrifty 150
//
// The arguments are a recipe of the kind 'reinforce', the folder of the run, and the number of steps;
// those at the end may be left out. Ctrl-C saves, and the same command goes on.
import Foundation
import Interface
import Problems
import Reinforcement
import Storage
import Training

let judge = AnswerJudge()

/// Among right answers the shorter is the better. Wrong ones pay nothing: where they did, the model
/// learned short wrong answers.
let thrift = RewardFunction("thrift", weight: 0.004, version: "1") { answer in
  let isRight = judge.verdict(of: answer.text, on: answer.problem).outcome == .correct
  return isRight ? -Double(answer.tokenCount) : 0
}

func show(_ event: GRPOEvent) {
  func text(_ value: Double?, _ format: String) -> String { String(format: format, value ?? .nan) }
  switch event {
  case .step(let figures):
    print(
      "step \(figures.step): reward \(text(figures.reward.mean, "%.3f")), right "
        + "\(text(figures.rewards["accuracy"].map { 100 * $0.mean }, "%.1f")) %, "
        + "\(text(figures.length.mean, "%.1f")) tokens an answer")
  case .evaluation(let figures):
    print(
      "held out, after step \(figures.step): right \(text(100 * figures.accuracy, "%.1f")) "
        + "± \(text(100 * figures.interval, "%.1f")) %, "
        + "\(text(figures.length, "%.1f")) tokens an answer")
  case .note(let text): print(text)
  case .began, .sampling, .finding, .saved: break
  }
  fflush(nil)  // so that a pipe shows it as it happens, too
}

func main() throws {
  let arguments = CommandLine.arguments
  let path = arguments.count > 1 ? arguments[1] : "Recipes/tiny/4-reinforce-base.json5"
  let folder = arguments.count > 2 ? arguments[2] : "runs/custom-reward"
  let steps = arguments.count > 3 ? arguments[3] : "60"

  // The recipe's own rewards stay. Held-out problems are asked before the first step and after the last.
  let resolved = try readRecipe(
    GRPORecipe.self, at: path,
    overrides: ["run=\(folder)", "steps=\(steps)", "evaluation.everySteps=\(steps)"])
  let prepared = try PreparedGRPO(
    resolved.recipe, functions: [thrift],
    memory: Int(clamping: ProcessInfo.processInfo.physicalMemory))
  try prepared.checkFits()
  print(prepared.summary)

  let json = try Array(resolved.resolvedJSON.utf8).withUnsafeBytes {
    try JSONValue(parsing: $0, source: path)
  }
  let directory = try RunDirectory(
    at: folder, prepared.identity(version: "custom-reward 1", resolvedRecipe: json))
  let stop = StopSignal()
  let run = try GRPORun(
    prepared, in: directory, sandbox: nil, isStopped: { stop.isRaised }, report: show)
  switch try run.run() {
  case .finished(let policy): print("The policy is in \(policy).")
  case .stopped(let step): print("Stopped after step \(step); the same command goes on.")
  }
}

do {
  try main()
} catch {
  FileHandle.standardError.write(Data("Error: \(error)\n".utf8))
  exit(1)
}
