/// The values written for one command, looked up by what declared them.
///
///     let threads = Option("threads", "count", help: "…", .wholeNumbers)
///     arguments[threads]  // Int?
public struct Arguments: Sendable {
  private var values: [String: [any Sendable]] = [:]
  private let declared: Set<String>

  /// The word given for it.
  public subscript(positional: Positional) -> String {
    // The parser lets no command run without its required words.
    written(for: positional).last as? String ?? ""
  }

  /// The word given for it, if any.
  public subscript(positional: OptionalPositional) -> String? {
    written(for: positional).last as? String
  }

  /// The value given for it, if any; the last one if there are several.
  public subscript<Value>(option: Option<Value>) -> Value? {
    written(for: option).last as? Value
  }

  /// All values given for it, in order.
  public subscript<Value>(option: RepeatedOption<Value>) -> [Value] {
    written(for: option).compactMap { $0 as? Value }
  }

  /// Whether it was given.
  public subscript(flag: Flag) -> Bool { !written(for: flag).isEmpty }

  private func written(for declaration: any Declaration) -> [any Sendable] {
    precondition(
      declared.contains(declaration.key), "The command does not declare '\(declaration.usage)'.")
    return values[declaration.key] ?? []
  }

  /// Matches `words` with `declarations`.
  ///
  /// - Throws: `UsageError` about the first word that does not fit.
  init(parsing words: some Sequence<String>, for declarations: [any Declaration]) throws {
    declared = Set(declarations.map(\.key))
    var expected = declarations.filter { !$0.isNamed }[...]
    var words = Array(words)[...]
    var optionsHaveEnded = false
    while let word = words.popFirst() {
      if word == "--", !optionsHaveEnded {
        optionsHaveEnded = true
      } else if looksLikeOption(word), !optionsHaveEnded {
        try take(word, followedBy: &words, among: declarations)
      } else if let positional = expected.popFirst() {
        values[positional.key] = [word]
      } else {
        throw UsageError("Unexpected argument \(quoted(word)).")
      }
    }
    for positional in expected {
      if case .positional(isRequired: true) = positional.form {
        throw UsageError("Missing argument '\(positional.usage)'.")
      }
    }
  }

  private mutating func take(
    _ word: String, followedBy words: inout ArraySlice<String>,
    among declarations: [any Declaration]
  ) throws {
    let (key, attached) = split(word)
    guard let declaration = declarations.first(where: { $0.isNamed && $0.key == key }) else {
      throw unknownOption(key, among: declarations)
    }
    switch declaration.form {
    case .positional: return
    case .flag:
      if let attached {
        throw UsageError("'\(key)' takes no value, but was given \(quoted(attached)).")
      }
      values[key] = [true]
    case .option(let isRepeated, let expectation, let parse):
      let value = try attached ?? detachedValue(of: declaration, from: &words)
      guard let parsed = parse(value) else {
        throw UsageError(
          "'\(declaration.usage)' must be \(expectation), but was given \(quoted(value)).")
      }
      values[key] = (isRepeated ? values[key] ?? [] : []) + [parsed]
    }
  }

  private func detachedValue(
    of option: any Declaration, from words: inout ArraySlice<String>
  ) throws -> String {
    guard let value = words.popFirst() else {
      throw UsageError("Missing value for '\(option.usage)'.")
    }
    // An option given without its value would otherwise swallow the next option in silence.
    guard !looksLikeOption(value) else {
      throw UsageError(
        "Missing value for '\(option.usage)'; if it is \(quoted(value)), "
          + "write \(quoted("\(option.key)=\(value)")).")
    }
    return value
  }
}

/// Whether a word is an option, not a value: it begins with a dash and is not a negative number.
/// A dash alone is a value, by custom the standard input; two are what ends the options.
func looksLikeOption(_ word: String) -> Bool {
  guard word.hasPrefix("-"), word != "-" else { return false }
  let isNumber = word.dropFirst().first.map { "0123456789.".contains($0) } ?? false
  return !(isNumber && Double(word) != nil)
}

/// An option's name with its dashes, and the value after its '=', if there is one.
func split(_ word: String) -> (key: String, value: String?) {
  guard let equals = word.firstIndex(of: "=") else { return (word, nil) }
  return (String(word[..<equals]), String(word[word.index(after: equals)...]))
}

func unknownOption(_ key: String, among declarations: [any Declaration]) -> UsageError {
  let known = declarations.filter(\.isNamed).map(\.key) + ["--help"]
  return UsageError("Unknown option \(quoted(key)).\(hint(for: key, in: known))")
}

extension Declaration {
  /// Whether it is given by its name, not by its place.
  var isNamed: Bool {
    if case .positional = form { false } else { true }
  }

  /// What tells it from every other declaration of a command.
  var key: String { isNamed ? "--\(name)" : "<\(name)>" }
}
