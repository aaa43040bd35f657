import Problems
import Teachers

/// What a run has of each problem: five bytes a problem, and more of those that are under way.
struct RunState {
  /// Where a sample stands that no round has counted yet.
  struct Uncounted {
    var sample: Int
    var range: Range<Int>
  }

  /// Samples from 0 on that are stored without a gap.
  private var stored: [UInt16]
  /// Samples from 0 on that rounds have counted.
  private var counted: [UInt16]
  private var flags: [UInt8]
  /// Samples behind a gap.
  private var beyond: [Int: Set<Int>] = [:]
  /// The last round of problems that want more.
  var rounds: [Int: RoundCounts] = [:]
  var uncounted: [Int: [Uncounted]] = [:]
  private(set) var doneCount = 0
  /// Problems whose question failed for good.
  private(set) var failedCount = 0

  private enum Flag {
    static let done: UInt8 = 1
    static let failed: UInt8 = 2
  }

  init(problems: Int) {
    stored = Array(repeating: 0, count: problems)
    counted = Array(repeating: 0, count: problems)
    flags = Array(repeating: 0, count: problems)
  }

  func isDone(_ problem: Int) -> Bool { flags[problem] & Flag.done != 0 }
  /// Whether its question failed for good.
  func isFailed(_ problem: Int) -> Bool { flags[problem] & Flag.failed != 0 && !isDone(problem) }

  private mutating func change(_ problem: Int, _ change: (inout UInt8) -> Void) {
    func count(_ sign: Int) {
      if isDone(problem) { doneCount += sign }
      if isFailed(problem) { failedCount += sign }
    }
    count(-1)
    change(&flags[problem])
    count(1)
  }

  mutating func setDone(_ problem: Int) {
    change(problem) { $0 |= Flag.done }
    rounds[problem] = nil
    uncounted[problem] = nil
  }

  /// After a recipe that wants more of it than the one before.
  mutating func setOpen(_ problem: Int) {
    change(problem) { $0 &= ~Flag.done }
  }

  mutating func setFailed(_ problem: Int) { change(problem) { $0 |= Flag.failed } }

  func isStored(_ problem: Int, _ sample: Int) -> Bool {
    sample < Int(stored[problem]) || beyond[problem]?.contains(sample) ?? false
  }

  func countedCount(_ problem: Int) -> Int { Int(counted[problem]) }

  mutating func setCounted(_ problem: Int, _ count: Int) {
    counted[problem] = UInt16(clamping: count)
  }

  /// Whether a sample is not there any more that a round has counted: somebody removed its line.
  func hasGap(_ problem: Int) -> Bool { stored[problem] < counted[problem] }

  /// Samples from 0 on that are stored without a gap.
  func storedCount(_ problem: Int) -> Int { Int(stored[problem]) }

  /// Notes that a sample is stored; false if it was before.
  mutating func store(_ problem: Int, _ sample: Int) -> Bool {
    if isStored(problem, sample) { return false }
    guard sample == Int(stored[problem]) else {
      beyond[problem, default: []].insert(sample)
      return true
    }
    stored[problem] += 1
    guard var rest = beyond[problem] else { return true }
    while rest.remove(Int(stored[problem])) != nil { stored[problem] += 1 }
    beyond[problem] = rest.isEmpty ? nil : rest
    return true
  }

  /// Samples below a number that are not stored, in ranges of at most `most`.
  func missing(_ problem: Int, upTo end: Int, most: Int) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for sample in storedCount(problem)..<max(end, storedCount(problem))
    where !isStored(problem, sample) {
      if let last = ranges.last, last.upperBound == sample, last.count < most {
        ranges[ranges.count - 1] = last.lowerBound..<sample + 1
      } else {
        ranges.append(sample..<sample + 1)
      }
    }
    return ranges
  }
}
