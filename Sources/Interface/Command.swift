/// One subcommand of a program: what it takes, and what it does.
public struct Command: Sendable {
  public let name: String
  public let summary: String
  let discussion: String
  let examples: [String]
  let declarations: [any Declaration]
  let run: @Sendable (Arguments, Console) throws -> Void

  /// A command.
  ///
  /// - Parameters:
  ///   - summary: One sentence of at most 60 characters, for the list of commands.
  ///   - discussion: One sentence or more, for the command's own page; an empty line begins a
  ///     new paragraph.
  ///   - example: One command line or more, each on a line of its own, beginning with the
  ///     program's name. `Program.findings` checks that they would be accepted.
  ///   - declarations: What it takes, in the order of its page.
  ///   - run: What it does. A `UsageError` ends the program with 64, any other error with 1;
  ///     what is to be seen goes through the console, as it happens.
  public init(
    _ name: String, summary: String, discussion: String, example: String,
    takes declarations: any Declaration...,
    run: @escaping @Sendable (Arguments, Console) throws -> Void
  ) {
    self.init(
      name, summary: summary, discussion: discussion, example: example, takes: declarations,
      run: run)
  }

  /// A command whose declarations are a list, some of which several commands share.
  public init(
    _ name: String, summary: String, discussion: String, example: String,
    takes declarations: [any Declaration],
    run: @escaping @Sendable (Arguments, Console) throws -> Void
  ) {
    self.name = name
    self.summary = summary
    self.discussion = discussion
    self.examples = example.split(separator: "\n").map(String.init)
    self.declarations = declarations
    self.run = run
  }
}

/// A mistake in how a command line was written.
public struct UsageError: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
