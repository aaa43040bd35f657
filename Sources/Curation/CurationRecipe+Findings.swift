import Foundation

extension CurationRecipe {
  /// What cannot be meant although it can be read, a sentence each.
  public var findings: [String] {
    var found: [String] = []
    func check(_ holds: Bool, _ words: @autoclosure () -> String) {
      if !holds { found.append("The recipe: \(words())") }
    }
    func isShare(_ value: Double) -> Bool { value >= 0 && value <= 1 }
    check(!samples.isEmpty, "it has no 'samples', the runs whose samples are curated.")
    check(!keep.isEmpty, "'keep' names no outcome, so that no sample would be kept.")
    check(!output.isEmpty, "'output' is empty.")
    for (i, run) in samples.enumerated() {
      let name = "'samples.\(i)"
      check(
        run.weight == nil || run.count == nil,
        "\(name)' has both 'weight' and 'count'. Leave one.")
      check(Self.isCount(run.count), "\(name).count' must lie between 1 and 10¹².")
      check(run.weight.map(Self.isWeight) ?? true, "\(name).weight' must lie between 10⁻⁹ and 10⁹.")
    }
    for (i, source) in mixture.enumerated() {
      let name = "'mixture.\(i)"
      let asked = [source.count != nil, source.weight != nil, source.share != nil]
      check(
        asked.count { $0 } <= 1, "\(name)' has more than one of 'count', 'weight' and 'share'.")
      check(Self.isCount(source.count), "\(name).count' must lie between 1 and 10¹².")
      check(
        source.weight.map(Self.isWeight) ?? true, "\(name).weight' must lie between 10⁻⁹ and 10⁹.")
      check(
        source.share.map { $0 > 0 && $0 < 1 } ?? true,
        "\(name).share' must lie between 0 and 1.")
    }
    check(
      mixture.reduce(0) { $0 + ($1.share ?? 0) } < 1,
      "the shares of 'mixture' add up to 1 or more, so that nothing is left for the samples.")
    let weights = samples.contains { $0.weight != nil } || mixture.contains { $0.weight != nil }
    let isPlain =
      samples.contains { $0.weight == nil && $0.count == nil }
      || mixture.contains { $0.weight == nil && $0.count == nil && $0.share == nil }
    check(
      total == nil || !weights || !isPlain,
      "with 'total', a source with a 'weight' stands beside one that asks for nothing. Give every "
        + "source a 'weight', 'count' or 'share', or none a weight.")
    check(Self.isCount(total), "'total' must lie between 1 and 10¹².")
    check(
      readability.paragraphBytes >= 1 && readability.paragraphWords > 0,
      "'readability.paragraphWords' and 'readability.paragraphBytes' must be above 0.")
    check(readability.loopRepeats >= 2, "'readability.loopRepeats' must be 2 at least.")
    check(readability.sentenceTimes >= 1, "'readability.sentenceTimes' must be 1 at least.")
    for (name, share) in [
      ("readability.languageShare", readability.languageShare),
      ("readability.sentenceShare", readability.sentenceShare),
      ("readability.phraseShare", readability.phraseShare),
      ("readability.repeatedShare", readability.repeatedShare),
      ("language.share", language?.share ?? 0), ("passRate.min", passRate?.min ?? 0),
      ("passRate.max", passRate?.max ?? 1),
    ] { check(isShare(share), "'\(name)' is \(share); it is a share, from 0 to 1.") }
    if let near = duplicates.near {
      check(
        near > 0.5 && near <= 1,
        "'duplicates.near' is \(near); it must be above 0.5, and at most 1.")
    }
    check(length.minTokens ?? 0 >= 0, "'length.minTokens' must not be negative.")
    check(
      length.maxTokens ?? .max >= max(1, length.minTokens ?? 1),
      "'length.maxTokens' must be 1 at least, and no less than 'length.minTokens'.")
    check(perProblem.most ?? 1 >= 1, "'perProblem.most' must be 1 at least.")
    if let passRate {
      check(passRate.min <= passRate.max, "'passRate.min' is above 'passRate.max'.")
      check(passRate.fewest >= 1, "'passRate.fewest' must be 1 at least.")
    }
    if let judge {
      check(judge.temperature >= 0, "'judge.temperature' must not be negative.")
      check(judge.topP > 0 && judge.topP <= 1, "'judge.topP' must be above 0 and at most 1.")
      check(judge.maxTokens >= 1, "'judge.maxTokens' must be 1 at least.")
      check((0...100).contains(judge.retries), "'judge.retries' must lie between 0 and 100.")
      check(
        (0...10_000).contains(judge.agreement),
        "'judge.agreement' must lie between 0 and 10,000.")
    }
    if let decontaminate {
      check(!decontaminate.sets.isEmpty, "'decontaminate.sets' is empty.")
    }
    if let prices {
      check(
        prices.prompt >= 0 && prices.completion >= 0, "'prices' must not be negative.")
    }
    return found
  }

  /// Sums of weights and products with counts stay finite.
  private static func isWeight(_ weight: Double) -> Bool { weight >= 1e-9 && weight <= 1e9 }

  /// More than anybody has; products with it stay within `Int`.
  static let mostSamples = 1_000_000_000_000

  private static func isCount(_ count: Int?) -> Bool { (1...mostSamples).contains(count ?? 1) }
}
