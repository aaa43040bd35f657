extension Program {
  /// What is wrong with how the program is declared, a sentence each; a test of the executable
  /// asserts that there is none.
  ///
  /// Names must be unique and plainly written, every declaration has its help, summaries fit
  /// into the list of commands, and every example would be accepted by its own command.
  public var findings: [String] {
    var findings = repeated(commands.map(\.name)).map { "Two commands are named '\($0)'." }
    findings += findingsAboutPurposes
    findings += mistakes(in: globals, of: "The program")
    for global in globals where !global.isNamed {
      findings.append("The program's '\(global.usage)' is not an option.")
    }
    for command in commands {
      let owner = "Command '\(command.name)'"
      if !isPlain(command.name) || command.name == "help" {
        findings.append("\(owner) needs another name.")
      }
      if command.summary.count > 60 { findings.append("\(owner): the summary is over 60 wide.") }
      for text in [command.summary, command.discussion] where text.last != "." {
        findings.append("\(owner): \(quoted(text)) is not a sentence.")
      }
      findings += mistakes(in: command.declarations, of: owner)
      findings += repeated((command.declarations + globals).map(\.key)).map {
        "\(owner) declares '\($0)' twice."
      }
      let positionals = command.declarations.filter { !$0.isNamed }
      for (one, next) in zip(positionals, positionals.dropFirst()) {
        if case .positional(isRequired: false) = one.form,
          case .positional(isRequired: true) = next.form
        {
          findings.append("\(owner): '\(next.usage)' stands after the optional '\(one.usage)'.")
        }
      }
      if command.examples.isEmpty { findings.append("\(owner) has no example.") }
      for example in command.examples {
        do {
          try check(example, of: command)
        } catch {
          findings.append("\(owner): the example \(quoted(example)) is refused. \(error)")
        }
      }
    }
    return findings
  }

  private func mistakes(in declarations: [any Declaration], of owner: String) -> [String] {
    declarations.flatMap { declaration -> [String] in
      var findings: [String] = []
      if !isPlain(declaration.name) || ["help", "version"].contains(declaration.name) {
        findings.append("\(owner): '\(declaration.usage)' needs another name.")
      }
      if declaration.help.last != "." {
        findings.append("\(owner): the help of '\(declaration.usage)' is not a sentence.")
      }
      return findings
    }
  }

  private func check(_ example: String, of command: Command) throws {
    let words = shellWords(example)
    guard words.starts(with: [name, command.name]) else {
      throw UsageError("It must begin with '\(name) \(command.name)'.")
    }
    _ = try Arguments(parsing: words.dropFirst(2), for: command.declarations + globals)
  }
}

/// Whether a name is made of small letters, digits and inner dashes.
private func isPlain(_ name: String) -> Bool {
  !name.isEmpty && name.first != "-" && name.last != "-"
    && name.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
}

private func repeated(_ names: [String]) -> [String] {
  var seen: Set<String> = []
  return names.filter { !seen.insert($0).inserted }
}

/// The words of a command line as a shell would pass them: split at blanks outside quotes, up
/// to a pipe or a redirection.
private func shellWords(_ line: String) -> [String] {
  var words: [String] = []
  var word: String?
  var quote: Character?
  for character in line {
    if let open = quote {
      if character == open { quote = nil } else { word = (word ?? "") + String(character) }
    } else if character == "'" || character == "\"" {
      quote = character
      word = word ?? ""
    } else if character == " " || "|><#;".contains(character) {
      if let complete = word { words.append(complete) }
      word = nil
      if character != " " { return words }
    } else {
      word = (word ?? "") + String(character)
    }
  }
  if let complete = word { words.append(complete) }
  return words
}
