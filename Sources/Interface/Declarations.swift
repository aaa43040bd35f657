/// Something a command takes on its command line: `Positional`, `OptionalPositional`,
/// `Option`, `RepeatedOption` or `Flag`.
public protocol Declaration: Sendable {
  /// The name, without dashes or brackets.
  var name: String { get }
  /// What it is for, in one sentence.
  var help: String { get }
  /// How it is written, such as `--seed <number>`.
  var usage: String { get }
  /// How the words of a command line are matched with it.
  var form: Form { get }
}

/// How the words of a command line are matched with a declaration.
public enum Form: Sendable {
  /// A word at its place in the line.
  case positional(isRequired: Bool)
  /// `--name value` or `--name=value`. `parse` returns nil for a value that is not what
  /// `expectation` says, which completes the sentence "'--name' must be …".
  case option(
    isRepeated: Bool, expectation: String, parse: @Sendable (String) -> (any Sendable)?)
  /// `--name`.
  case flag
}

/// A required value, given by position.
public struct Positional: Declaration {
  public let name: String
  public let help: String
  public var usage: String { "<\(name)>" }
  public var form: Form { .positional(isRequired: true) }

  public init(_ name: String, help: String) {
    self.name = name
    self.help = help
  }
}

/// A value given by position that may be left out; it stands after the required ones.
public struct OptionalPositional: Declaration {
  public let name: String
  public let help: String
  public var usage: String { "<\(name)>" }
  public var form: Form { .positional(isRequired: false) }

  public init(_ name: String, help: String) {
    self.name = name
    self.help = help
  }
}

/// A value given by name, such as `--threads 8` or `--threads=8`. The last one given wins.
public struct Option<Value: Sendable>: Declaration {
  public let name: String
  public let valueName: String
  public let help: String
  let values: Values<Value>
  public var usage: String { "--\(name) <\(valueName)>" }
  public var form: Form {
    .option(isRepeated: false, expectation: values.expectation, parse: values.parse)
  }

  public init(_ name: String, _ valueName: String, help: String, _ values: Values<Value>) {
    self.name = name
    self.valueName = valueName
    self.help = help
    self.values = values
  }
}

/// A value given by name any number of times, such as `--set a=1 --set b=2`; all are kept.
public struct RepeatedOption<Value: Sendable>: Declaration {
  public let name: String
  public let valueName: String
  public let help: String
  let values: Values<Value>
  public var usage: String { "--\(name) <\(valueName)>" }
  public var form: Form {
    .option(isRepeated: true, expectation: values.expectation, parse: values.parse)
  }

  public init(_ name: String, _ valueName: String, help: String, _ values: Values<Value>) {
    self.name = name
    self.valueName = valueName
    self.help = help
    self.values = values
  }
}

/// A switch that is on when written, such as `--resume`.
public struct Flag: Declaration {
  public let name: String
  public let help: String
  public var usage: String { "--\(name)" }
  public var form: Form { .flag }

  public init(_ name: String, help: String) {
    self.name = name
    self.help = help
  }
}

/// The values that an option takes, and the words for them.
public struct Values<Value: Sendable>: Sendable {
  let expectation: String
  let parse: @Sendable (String) -> Value?

  /// Values read by `parse`, which returns nil for a text that is none; `expectation`
  /// completes the sentence "'--name <value>' must be …".
  public init(_ expectation: String, parse: @escaping @Sendable (String) -> Value?) {
    self.expectation = expectation
    self.parse = parse
  }
}

extension Values where Value == String {
  /// Any text.
  public static var texts: Values { Values("a text") { $0 } }
}

extension Values where Value == Int {
  /// Whole numbers.
  public static var wholeNumbers: Values { Values("a whole number") { Int($0) } }

  /// Whole numbers in a range.
  public static func wholeNumbers(in range: ClosedRange<Int>) -> Values {
    Values("a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
      Int(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }
}

extension Values where Value == Double {
  /// Finite numbers.
  public static var numbers: Values {
    Values("a number") { text in Double(text).flatMap { $0.isFinite ? $0 : nil } }
  }
}

extension Values where Value: Choice {
  /// The cases of an enum, by their raw values.
  public static var choices: Values {
    Values(listed(Value.allCases.map(\.rawValue), last: "or")) { Value(rawValue: $0) }
  }
}
