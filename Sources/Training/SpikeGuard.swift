import Storage

/// Tells steps whose loss or gradient leaves what the last steps were like.
///
/// A value is a spike when it lies above the median of the window by more than `threshold` standard
/// deviations, which are estimated as 1.4826 times the median distance from the median, and by more
/// than a quarter of the median for a loss, three times the median for a gradient's norm: norms
/// have long tails, and clipping takes care of those. Medians don't move when single values are
/// wild, and a value that is a spike, or not finite, never enters the window.
public struct SpikeGuard: Equatable, Sendable {
  public struct Settings: Codable, Equatable, Sendable {
    /// The values a judgement rests on.
    public var window: Int
    /// The distance from the median that is too far, in standard deviations.
    public var threshold: Double
    /// Skipped steps in a row after which the run stops.
    public var mostSkips: Int

    public init(window: Int = 128, threshold: Double = 8, mostSkips: Int = 5) {
      self.window = window
      self.threshold = threshold
      self.mostSkips = mostSkips
    }

    /// Skips nothing but what is not finite.
    public static let finiteOnly = Settings(window: 4, threshold: .infinity)
  }

  /// Why a step was not taken.
  public enum Finding: String, Codable, Sendable {
    case lossNotFinite, gradientNotFinite, lossSpike, gradientSpike
    /// No token of the step is learned.
    case nothingToLearn

    /// As the rest of a sentence.
    public var words: String {
      switch self {
      case .lossNotFinite: "the loss was no finite number"
      case .gradientNotFinite: "the gradient was no finite number"
      case .lossSpike: "the loss was far above the last updates'"
      case .gradientSpike: "the gradient was far above the last updates'"
      case .nothingToLearn: "there was nothing to learn from"
      }
    }
  }

  public let settings: Settings
  /// Steps skipped in a row.
  public private(set) var skipsInARow = 0
  private var losses: [Double] = []
  private var norms: [Double] = []

  public init(_ settings: Settings = Settings()) { self.settings = settings }

  /// Whether so many steps were skipped in a row that it is no accident.
  public var isExhausted: Bool { skipsInARow >= settings.mostSkips }

  /// Looks at a step before its update; nil if it may be taken.
  public mutating func judge(loss: Double, gradientNorm: Double) -> Finding? {
    let finding: Finding? =
      !loss.isFinite
      ? .lossNotFinite
      : !gradientNorm.isFinite
        ? .gradientNotFinite
        : isSpike(loss, losses, least: 0.25)
          ? .lossSpike : isSpike(gradientNorm, norms, least: 3) ? .gradientSpike : nil
    if finding == nil { take(loss: loss, gradientNorm: gradientNorm) } else { skip() }
    return finding
  }

  /// Looks at a loss before there is a gradient; nil if the step may go on. Nothing is counted: `skip`
  /// or `take` follows.
  func finding(loss: Double) -> Finding? {
    !loss.isFinite ? .lossNotFinite : isSpike(loss, losses, least: 0.25) ? .lossSpike : nil
  }

  /// Counts a step that was not taken.
  mutating func skip() { skipsInARow += 1 }

  /// Learns what is usual from a step that was taken. A norm far above the last ones' is left out.
  mutating func take(loss: Double, gradientNorm: Double) {
    skipsInARow = 0
    Self.add(loss, to: &losses, settings.window)
    if !isSpike(gradientNorm, norms, least: 3) {
      Self.add(gradientNorm, to: &norms, settings.window)
    }
  }

  /// - Parameter least: What a spike lies above the median at least, as a share of that.
  private func isSpike(_ value: Double, _ window: [Double], least: Double) -> Bool {
    // Half a window is too little to know what is usual.
    if window.count < max(2, settings.window / 2) || settings.threshold == .infinity {
      return false
    }
    let median = Self.median(window)
    let deviation = 1.4826 * Self.median(window.map { abs($0 - median) })
    return value - median > max(settings.threshold * deviation, least * abs(median))
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  private static func add(_ value: Double, to window: inout [Double], _ size: Int) {
    window.append(value)
    if window.count > size { window.removeFirst(window.count - size) }
  }

  // MARK: - In a checkpoint

  var json: JSONValue {
    func list(_ values: [Double]) -> JSONValue {
      .array(values.compactMap { JSONNumber($0).map(JSONValue.number) })
    }
    return .object(
      JSONObject(members: [
        ("skipsInARow", .number(JSONNumber(skipsInARow))), ("losses", list(losses)),
        ("norms", list(norms)),
      ]))
  }

  /// nil if the value is not one that `json` gave.
  init?(_ settings: Settings, _ json: JSONValue?) {
    func list(_ json: JSONValue?) -> [Double]? {
      guard case .array(let values)? = json else { return nil }
      let numbers = values.compactMap { value -> Double? in
        guard case .number(let number) = value else { return nil }
        return number.double
      }
      return numbers.count == values.count ? numbers : nil
    }
    guard case .object(let object)? = json, case .number(let skips)? = object["skipsInARow"],
      let skips = skips.int, let losses = list(object["losses"]),
      let norms = list(object["norms"])
    else { return nil }
    self.settings = settings
    skipsInARow = skips
    self.losses = losses
    self.norms = norms
  }
}
