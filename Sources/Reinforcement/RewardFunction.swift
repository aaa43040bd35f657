import Storage

/// A reward written in Swift, beside those that a recipe names or in their place.
///
///     let brief = RewardFunction("brevity", weight: 0.005, version: "1") { answer in
///       -Double(answer.tokenCount)
///     }
///     let prepared = try PreparedGRPO(recipe, functions: [brief], memory: memory)
///
/// An answer's reward is the sum of weight times value, those of the recipe first. A run goes on to
/// the bit if the value depends on the answer alone.
public struct RewardFunction: Sendable {
  /// By which figures and reports call it; none of a recipe's rewards is called so.
  public let name: String
  public let weight: Double
  /// A run that began with a function of another version does not go on with this one.
  public let version: String
  /// What an answer is worth before the weight; called from many threads at once. Where it throws,
  /// or gives no finite number, the answer has no reward and is left out, which is never a wrong one.
  public let value: @Sendable (SampledAnswer) throws -> Double

  public init(
    _ name: String, weight: Double, version: String,
    value: @escaping @Sendable (SampledAnswer) throws -> Double
  ) {
    (self.name, self.weight, self.version, self.value) = (name, weight, version, value)
  }

  /// What makes one run's rewards another's.
  var identity: String { "\(quoted(name)) \(quoted(version)) times \(weight)" }

  func outcome(of answer: SampledAnswer) -> RewardOutcome {
    do {
      let value = try value(answer)
      return value.isFinite
        ? .value(value, nil)
        : .failed("The reward \(quoted(name)) gave \(value), which is no finite number.")
    } catch {
      return .failed("The reward \(quoted(name)) failed: \(error)")
    }
  }

  /// What cannot be meant, a sentence each.
  static func findings(_ functions: [RewardFunction]) -> [String] {
    // Names that are the same to Swift, whatever their bytes, would share one value.
    var names = Set(RewardSettings.names)
    return functions.flatMap { function -> [String] in
      var found: [String] = []
      let place = "The reward \(quoted(function.name))"
      if function.name.utf8.isEmpty {
        found.append("A reward written in Swift has no name. Give it one.")
      } else if !names.insert(function.name).inserted {
        found.append("\(place) has another's name. Give it one of its own.")
      }
      if function.weight == 0 || !(function.weight.magnitude <= RewardSettings.greatestWeight) {
        found.append(
          "\(place) has the weight \(function.weight); it must lie between -10⁶ and 10⁶, and not "
            + "be 0.")
      }
      return found
    }
  }
}
