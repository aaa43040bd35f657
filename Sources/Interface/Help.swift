extension Program {
  /// The page of `--help`.
  var help: String {
    let width = commands.map(\.name.count).max() ?? 0
    return sections(
      wrapped(summary),
      "Usage: \(name) <command> [<argument> …]",
      groups.map { group in
        "\(group.title):\n" + list(group.commands.map { ($0.name, $0.summary) }, width: width)
      }.joined(separator: "\n\n"),
      "Every command accepts:\n"
        + list(globals.map { ($0.usage, $0.help) } + [("--help", "Print the command's page.")]),
      "Exit status:\n"
        + list([
          ("0", "Done."), ("1", "The run failed; the last lines say why."),
          ("64", "The command line was not understood."),
          ("75", "Stopped and saved; the same command goes on."),
        ]),
      wrapped(
        "See '\(name) help <command>' for one of them; '\(name) --version' prints the version."))
  }

  /// The page of `help <command>`.
  func help(for command: Command) -> String {
    let positionals = command.declarations.filter { !$0.isNamed }
    let named = command.declarations.filter(\.isNamed)
    return sections(
      wrapped(command.summary),
      wrapped(command.discussion),
      usage(of: command),
      positionals.isEmpty
        ? "" : "Arguments:\n" + list(positionals.map { ($0.usage, $0.help) }),
      named.isEmpty ? "" : "Options:\n" + list(named.map { ($0.usage, $0.help) }),
      globals.isEmpty
        ? "" : "Every command accepts:\n" + list(globals.map { ($0.usage, $0.help) }),
      (command.examples.count == 1 ? "Example:\n" : "Examples:\n")
        + command.examples.map { "  \($0)" }.joined(separator: "\n"))
  }

  /// The usage line of a command, broken between its arguments if it is long.
  func usage(of command: Command) -> String {
    let pieces =
      command.declarations.filter { !$0.isNamed } + command.declarations.filter(\.isNamed)
    let start = "Usage: \(name) \(command.name)"
    return filled(
      [start] + pieces.map(\.usageInLine), hanging: min(start.count + 1, pageWidth / 2))
  }
}

extension Declaration {
  fileprivate var usageInLine: String {
    switch form {
    case .positional(isRequired: true): usage
    case .positional(isRequired: false), .flag: "[\(usage)]"
    case .option(let isRepeated, _, _): isRepeated ? "[\(usage)] …" : "[\(usage)]"
    }
  }
}

/// Help is as wide as the narrowest terminal in use, whatever it is printed to.
private let pageWidth = 80

func sections(_ texts: String...) -> String {
  texts.filter { !$0.isEmpty }.joined(separator: "\n\n")
}

/// A list with what is written on the left and what it does on the right.
///
/// - Parameter width: Of what is on the left, where several lists are to be alike.
func list(_ rows: [(String, String)], width: Int? = nil) -> String {
  let width = width ?? rows.map(\.0.count).filter { $0 <= 30 }.max() ?? 0
  return
    rows
    .map { left, right in
      let blanks = String(repeating: " ", count: max(0, width - left.count))
      return filled(
        ["  \(left)\(blanks) "] + right.split(separator: " ").map(String.init),
        hanging: width + 4)
    }
    .joined(separator: "\n")
}

/// Paragraphs, each broken between words to the width of the page.
func wrapped(_ text: String) -> String {
  text.split(separator: "\n", omittingEmptySubsequences: false)
    .map { filled($0.split(separator: " ").map(String.init), hanging: 0) }
    .joined(separator: "\n")
}

/// The pieces with a blank between them, on lines no wider than the page where that is
/// possible; lines after the first begin with `hanging` blanks.
private func filled(_ pieces: [String], hanging: Int) -> String {
  var lines: [String] = []
  for piece in pieces {
    if let line = lines.last, line.count + 1 + piece.count <= pageWidth {
      lines[lines.count - 1] = "\(line) \(piece)"
    } else {
      lines.append(lines.isEmpty ? piece : String(repeating: " ", count: hanging) + piece)
    }
  }
  return lines.map(withoutTrailingBlanks).joined(separator: "\n")
}
