/// What a template may use at most, so that a hostile one is refused instead of served.
public struct TemplateLimits: Equatable, Sendable {
  /// The work of one rendering: a step of evaluation is one operation, as are 16 bytes made or
  /// copied; an element of a list is four.
  public var operations: Int
  /// The longest text, in bytes: of the output, and of any text on the way to it.
  public var output: Int
  /// The deepest nesting of blocks and brackets in the template, of macro calls, and of lists and
  /// dictionaries in one another.
  public var depth: Int
  /// The most elements that `range` gives.
  public var range: Int
  /// The longest template, in bytes.
  public var template: Int

  public init(
    operations: Int = 10_000_000, output: Int = 16 << 20, depth: Int = 128, range: Int = 100_000,
    template: Int = 1 << 20
  ) {
    self.operations = operations
    self.output = output
    self.depth = depth
    self.range = range
    self.template = template
  }

  public static let `default` = TemplateLimits()
}
