/// Why a text is not the JSON that was asked for: `source:line:column: what was found.`
public struct JSONError: Error, Equatable, CustomStringConvertible {
  /// The name of the text, usually a file's path.
  public let source: String
  /// The line, from 1; lines end in a line feed.
  public let line: Int
  /// The column, from 1, counted in code points.
  public let column: Int
  /// What was found there and what to do, in full sentences.
  public let message: String

  public init(source: String, line: Int, column: Int, message: String) {
    self.source = source
    self.line = line
    self.column = column
    self.message = message
  }

  public var description: String { "\(source):\(line):\(column): \(message)" }
}

/// What a text may hold at most, so that a hostile one is refused instead of exhausting memory.
public struct JSONLimits: Equatable, Sendable {
  /// The deepest nesting of arrays and objects.
  ///
  /// A tree is compared and freed by recursion, so a limit far above the default needs a stack to
  /// match.
  public var depth: Int
  /// The longest text, in bytes. A tree may need twenty-five times as much memory while it grows.
  public var bytes: Int

  /// Whether half of a surrogate pair, which some programs write as an escape, is read as U+FFFD
  /// instead of being refused; `JSONTokens.replacedSurrogates` counts them.
  public var replacesLoneSurrogates: Bool

  public init(depth: Int = 128, bytes: Int = 256 << 20, replacesLoneSurrogates: Bool = false) {
    self.depth = depth
    self.bytes = bytes
    self.replacesLoneSurrogates = replacesLoneSurrogates
  }

  public static let `default` = JSONLimits()
}
