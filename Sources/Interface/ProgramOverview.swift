/// Something that one does with a program, and the commands for it.
public struct Purpose: Sendable {
  let words: String
  let commands: [String]

  /// - Parameters:
  ///   - words: A few, at most 30 characters.
  ///   - commands: Names of the program's commands, in the order in which they are run.
  public init(_ words: String, _ commands: String...) {
    (self.words, self.commands) = (words, commands)
  }
}

/// Commands that stand together in a program's page.
public struct CommandGroup: Sendable {
  let title: String
  let commands: [Command]

  public init(_ title: String, _ commands: Command...) { self.init(title, commands) }

  init(_ title: String, _ commands: [Command]) { (self.title, self.commands) = (title, commands) }
}

extension Program {
  /// What the program prints when it is given no word: its purposes, or its page if it has none.
  var overview: String {
    if purposes.isEmpty { return help }
    let rows = purposes.map { purpose in
      (purpose.words, purpose.commands.map { "\(name) \($0)" }.joined(separator: ", "))
    }
    return sections(
      wrapped(summary), list(rows),
      wrapped(
        "'\(name) help <command>' says more about one of them, and '\(name) help' lists all "
          + "commands."))
  }

  /// What is wrong with the purposes, a sentence each.
  var findingsAboutPurposes: [String] {
    purposes.flatMap { purpose -> [String] in
      let unknown = purpose.commands.filter { name in !commands.contains { $0.name == name } }
      var findings = unknown.map { "\(quoted(purpose.words)) names \(quoted($0)), no command." }
      if purpose.commands.isEmpty { findings.append("\(quoted(purpose.words)) names no command.") }
      if purpose.words.count > 30 { findings.append("\(quoted(purpose.words)) is over 30 wide.") }
      return findings
    }
  }
}
