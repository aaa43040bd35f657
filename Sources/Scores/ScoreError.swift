import Storage

/// Why a figure can't be given: `'benchmark': what was found, and what to do.`
public struct ScoreError: Error, Equatable, CustomStringConvertible {
  public let description: String

  /// The benchmark's name goes first, in quotes, unless there is none to name.
  init(_ benchmark: String?, _ message: String) {
    description = benchmark.map { quoted($0) + ": " + message } ?? message
  }
}
