import Problems
import Storage

/// A problem as one of its samples was asked it, to be read beside the answer: letters mean the options
/// in that order.
public struct ShownProblem: Sendable {
  /// With the options in the order of the sample.
  public let problem: Problem

  /// - Parameters:
  ///   - prompt: As `ProblemPrompt.json` has it.
  ///   - seed: That of the sampling.
  /// - Throws: `ProblemError` for a number of options that can't be.
  public init(
    _ problem: Problem, to sample: Int, prompt: JSONValue?, seed: UInt64
  ) throws(ProblemError) {
    var words = ProblemPrompt()
    if case .object(let object)? = prompt, object["optionOrder"] == .string("sample") {
      words.optionOrder = .sample
    }
    self.problem = try words.shown(problem, to: sample, seed: seed)
  }

  /// The options with their letters; empty for a problem without any.
  public var options: [String] {
    guard case .choices(let options, _) = problem.reference else { return [] }
    return zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ".unicodeScalars, options).map { "\($0)) \($1)" }
  }

  /// The question, and its options below it.
  public var text: String {
    options.isEmpty
      ? problem.question : problem.question + "\n\n" + options.joined(separator: "\n")
  }

  /// The right answer, with its letter if it has one; nil where tests decide, or there is none.
  public var reference: String? {
    switch problem.reference {
    case .answer(let text): text
    case .choices(_, let correct): options.indices.contains(correct) ? options[correct] : nil
    case .program: nil
    case .none(let text): text
    }
  }
}
