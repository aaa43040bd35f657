import Datasets
import Interface
import Verification

/// What decides in which order a problem's options are shown.
public enum OptionOrder: String, Choice {
  /// One order for all samples of a problem.
  case item
  /// An order of its own for each sample, which the seed, the problem's id and the sample's number
  /// fix.
  case sample
}

extension Problem {
  /// The problem as one of its samples is asked, and must be judged: with the options in an order of
  /// the sample's own. A problem without options stays as it is.
  ///
  /// - Parameters:
  ///   - sample: The number of the sample, from 0.
  ///   - seed: That of the run.
  /// - Throws: `ProblemError` for a number of options that can't be, or a right one that isn't there.
  public func shown(to sample: Int, seed: UInt64) throws(ProblemError) -> Problem {
    guard case .choices(let options, let correct) = reference else { return self }
    do throws(MultipleChoiceError) {
      // GPQA's order for all samples is that of sample 0 with the seed 0. The same shuffle a second
      // time would favour the order of the file, so samples are counted from 1 here.
      let order = try ChoiceOrder(
        of: options.count, correct: correct, item: id, sample: sample &+ 1, seed: seed)
      var shown = self
      shown.reference = .choices(try order.arranged(options), correct: order.correct)
      return shown
    } catch {
      throw ProblemError(place, "\(error)")
    }
  }
}

extension ProblemPrompt {
  /// Whether samples of the problem are asked in different words.
  public func isOrderedBySample(_ problem: Problem) -> Bool {
    if case .choices = problem.reference { optionOrder == .sample } else { false }
  }

  /// The problem as a sample is asked it, and must be judged.
  ///
  /// - Throws: `ProblemError` for a number of choices that can't be.
  public func shown(
    _ problem: Problem, to sample: Int, seed: UInt64
  ) throws(ProblemError) -> Problem {
    isOrderedBySample(problem) ? try problem.shown(to: sample, seed: seed) : problem
  }

  /// The turns that ask a sample of a problem.
  ///
  /// - Throws: `ProblemError` for a number of choices that can't be.
  public func messages(
    for problem: Problem, sample: Int, seed: UInt64
  ) throws(ProblemError) -> [Message] {
    try messages(shown: try shown(problem, to: sample, seed: seed))
  }
}
