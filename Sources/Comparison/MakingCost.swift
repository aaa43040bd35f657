import Storage

/// What it took to make a model: the runs that a recipe names, and their sums.
public struct MakingCost: Sendable {
  public let runs: [RunCost]

  /// Tokens that runs sampled; nil where no run samples, or one of them doesn't tell.
  public var sampledTokens: Double? { sum(where: \.kind.samples, \.sampledTokens) }
  /// Tokens of rows that were trained on; nil where no run trains, or one of them doesn't tell.
  public var trainedTokens: Double? { sum(where: \.kind.trains, \.trainedTokens) }
  public var operations: Double? { sum(where: { _ in true }, \.operations) }
  public var seconds: Double? { sum(where: { _ in true }, \.seconds) }

  /// How operations are counted.
  public static let formula =
    "FLOPs: 2 for each parameter and token sampled, 6 for each parameter and token trained; prompts, "
    + "attention over the context, a reference policy and evaluation are not counted. Hours: while "
    + "questions were under way, and of sampling, judging and updating while training."

  /// - Parameter place: The key of the list, for errors.
  /// - Throws: as `RunCost`.
  init(_ made: [ComparisonRecipe.Made], place: String) throws {
    runs = try made.enumerated().map { try RunCost($1, place: "'\(place).\($0)'") }
  }

  private func sum(
    where isCounted: (RunCost) -> Bool, _ value: (RunCost) -> Double?
  ) -> Double? {
    let counted = runs.filter(isCounted)
    if counted.isEmpty { return nil }
    var sum = 0.0
    for run in counted {
      guard let value = value(run) else { return nil }
      sum += value
    }
    return sum
  }
}

/// What one run took.
public struct RunCost: Sendable {
  public enum Kind: String, Sendable {
    case generation, fineTuning, reinforcement

    var samples: Bool { self != .fineTuning }
    var trains: Bool { self != .generation }
  }

  public let path: String
  public let kind: Kind
  /// Of the model that sampled or was trained.
  public let parameters: Int?
  public let sampledTokens: Double?
  /// Those of prompts too: every token of a row goes through the model and back.
  public let trainedTokens: Double?
  public let seconds: Double?
  /// What is to be known about these figures, a sentence each.
  public let remarks: [String]

  /// 2 N for each token sampled and 6 N for each token trained, with N parameters.
  public var operations: Double? {
    guard let parameters else { return nil }
    var perParameter = 0.0
    if kind.samples {
      guard let sampledTokens else { return nil }
      perParameter += 2 * sampledTokens
    }
    if kind.trains {
      guard let trainedTokens else { return nil }
      perParameter += 6 * trainedTokens
    }
    return perParameter * Double(parameters)
  }

  /// Reads what a run left.
  ///
  /// - Parameter place: What names the folder, for errors.
  /// - Throws: `ComparisonError` if it is the folder of no such run; `SampleError`, `FileError` for a
  ///   damaged one.
  init(_ made: ComparisonRecipe.Made, place: String) throws {
    let names: [String]
    do {
      names = try Storage.names(inFolder: made.run)
    } catch {
      throw ComparisonError(
        error.reason == .missing
          ? "\(place): \(made.run): there is no such folder." : "\(place): \(error)")
    }
    let figures: RunFigures
    if names.contains("metrics.jsonl") {
      figures = try TrainingFigures.read(made.run)
    } else if names.contains("identity.json") || names.contains(where: { $0.hasPrefix("shard-") }) {
      figures = try GenerationFigures.read(made.run)
    } else {
      throw ComparisonError(
        "\(place): \(made.run): it is no folder of a run of 'generate', 'fine-tune' or 'reinforce', "
          + "which tells what it took. Leave it out.")
    }
    path = made.run
    kind = figures.kind
    parameters = made.parameters ?? figures.parameters
    (sampledTokens, trainedTokens) = (figures.sampledTokens, figures.trainedTokens)
    (seconds, remarks) = (figures.seconds, figures.remarks)
  }
}

/// What a run's files tell.
struct RunFigures {
  let kind: RunCost.Kind
  var parameters: Int?
  var sampledTokens: Double?
  var trainedTokens: Double?
  var seconds: Double?
  var remarks: [String] = []
}

/// Where counts of a file are added up, each of which may be missing.
struct KnownSum {
  private(set) var value: Double? = 0

  /// A count that is missing, not finite or negative makes the sum unknown.
  mutating func add(_ count: Double?) {
    guard let count, count >= 0, count < 1e18, let sum = value else {
      value = nil
      return
    }
    value = sum + count
  }
}
