import Foundation

/// A program made of subcommands.
public struct Program: Sendable {
  let name: String
  let version: String
  let summary: String
  let globals: [any Declaration]
  let purposes: [Purpose]
  let groups: [CommandGroup]
  var commands: [Command] { groups.flatMap(\.commands) }

  /// A program.
  ///
  /// - Parameter globals: Options and flags that every command accepts, also before its name.
  public init(
    _ name: String, version: String, summary: String, globals: [any Declaration] = [],
    commands: [Command]
  ) {
    self.init(
      name, version: version, summary: summary, globals: globals, purposes: [],
      groups: [CommandGroup("Commands", commands)])
  }

  /// A program of many commands.
  ///
  /// - Parameters:
  ///   - globals: Options and flags that every command accepts, also before its name.
  ///   - purposes: What one does with it: what it prints when it is given no word.
  public init(
    _ name: String, version: String, summary: String, globals: [any Declaration] = [],
    purposes: [Purpose], groups: [CommandGroup]
  ) {
    self.name = name
    self.version = version
    self.summary = summary
    self.globals = globals
    self.purposes = purposes
    self.groups = groups
  }

  /// Runs the subcommand that `words` name; everything it prints goes through `console`.
  ///
  ///     exit(program.run(Array(CommandLine.arguments.dropFirst()), on: .standard()))
  ///
  /// - Returns: The status to exit with: 0 when done, 1 for a run that failed, 64 for a command
  ///   line that was not understood, or that of an `ErrorWithStatus`.
  public func run(_ words: [String], on console: Console) -> Int32 {
    var status: Int32 = 0
    do {
      try dispatch(words, on: console)
    } catch let misuse as Misuse {
      console.note("Error: \(misuse.error)\n\(misuse.advice)")
      status = 64
    } catch {
      console.note(sentences(about: error))
      status = (error as? any ErrorWithStatus)?.exitStatus ?? 1
    }
    console.show(status: nil)
    if status == 0, let failure = console.failure {
      console.note("Error: The output could not be written: \(failure).")
      status = 1
    }
    return status
  }

  /// A usage error, and what to print below it.
  private struct Misuse: Error {
    let error: UsageError
    let advice: String
  }

  private func dispatch(_ words: [String], on console: Console) throws {
    var rest = words[...]
    let leading: [String]
    do {
      leading = try leadingGlobals(of: &rest)
      switch rest.first {
      case nil where leading.isEmpty: return console.print(overview)
      case "--help", "-h": return console.print(help)
      case nil: throw UsageError("Missing command.")
      case "--version": return console.print("\(name) \(version)")
      case "help": return try printHelp(on: rest.dropFirst(), console)
      case let word?: if looksLikeOption(word) { throw unknownOption(split(word).key) }
      }
    } catch let error as UsageError {
      throw Misuse(error: error, advice: "See '\(name) --help'.")
    }

    guard let word = rest.popFirst() else { return console.print(help) }
    guard let command = command(named: word) else { throw unknownCommand(word) }
    let options = rest.prefix { $0 != "--" }
    if options.contains("--help") || options.contains("-h") {
      return console.print(help(for: command))
    }
    do {
      let arguments = try Arguments(
        parsing: leading + rest, for: command.declarations + globals)
      try command.run(arguments, console)
    } catch let error as UsageError {
      throw Misuse(
        error: error,
        advice: "\(usage(of: command))\nSee '\(name) help \(command.name)'.")
    }
  }

  /// Takes the global options that stand before the command's name off `words`.
  private func leadingGlobals(of words: inout ArraySlice<String>) throws -> [String] {
    var taken: [String] = []
    while let word = words.first {
      let (key, value) = split(word)
      guard let global = globals.first(where: { $0.key == key }) else { break }
      taken.append(word)
      words.removeFirst()
      guard case .option = global.form, value == nil, let next = words.first else { continue }
      taken.append(next)
      words.removeFirst()
    }
    return taken
  }

  private func printHelp(on words: ArraySlice<String>, _ console: Console) throws {
    guard let word = words.first, word != "help", !looksLikeOption(word) else {
      return console.print(help)
    }
    guard let command = command(named: word) else { throw unknownCommand(word) }
    console.print(help(for: command))
  }

  private func command(named name: String) -> Command? { commands.first { $0.name == name } }

  private func unknownCommand(_ word: String) -> Misuse {
    let near = hint(for: word, in: commands.map(\.name) + ["help"])
    return Misuse(
      error: UsageError("Unknown command \(quoted(word)).\(near)"),
      advice: near.isEmpty ? "\n\(help)" : "See '\(name) --help'.")
  }

  private func unknownOption(_ key: String) -> UsageError {
    let known = globals.map(\.key) + ["--help", "--version"]
    return UsageError("Unknown option \(quoted(key)).\(hint(for: key, in: known))")
  }
}

/// An error's own words, each line of them marked as an error.
private func sentences(about error: any Error) -> String {
  // What Foundation throws describes itself as a dump of its fields.
  let words = error is CocoaError ? error.localizedDescription : "\(error)"
  return words.split(separator: "\n").map { "Error: \($0)" }.joined(separator: "\n")
}
