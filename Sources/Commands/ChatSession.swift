import Datasets
import Foundation
import Generation
import Interface
import Storage
import Tokenizers

/// A conversation: lines in, answers out.
final class ChatSession: @unchecked Sendable {
  private let model: TextModel
  private let engine: GenerationEngine
  private let console: Console
  private let hidesThinking: Bool
  private var isInteractive = false
  private var messages: [Message] = []
  private var lastThinking = ""
  /// Answers asked for so far: each draws random numbers of its own.
  private var answers: UInt64 = 0

  private let lock = NSLock()
  private var cancel: (@Sendable () -> Void)?

  init(
    _ model: TextModel, engine: GenerationEngine, system: String?, hidesThinking: Bool,
    _ console: Console
  ) {
    self.model = model
    self.engine = engine
    self.hidesThinking = hidesThinking
    self.console = console
    messages = system.map { [Message("system", $0)] } ?? []
  }

  /// Answers lines until there are no more.
  func run(isInteractive: Bool, next: () -> String?) {
    self.isInteractive = isInteractive
    if isInteractive {
      console.note(model.settings)
      console.note("'/help' lists the commands; Ctrl-C stops an answer, '/exit' ends.")
    }
    if model.text.template == nil {
      console.note(
        "Note: \(model.checkpoint.path) has no chat template; each line is continued as text.")
    }
    while let line = nextLine(next) {
      let text = line.trimmingCharacters(in: .whitespaces)
      if text.isEmpty { continue }
      if text == "/exit" || text == "/quit" { return }
      if text.hasPrefix("/") {
        command(text)
      } else {
        answer(line)
      }
    }
    if isInteractive { console.print() }
  }

  /// Stops the answer that is being given, if one is.
  func interrupt() {
    let cancel = lock.withLock { self.cancel }
    if let cancel {
      cancel()
    } else if isInteractive {
      console.note("\n'/exit' ends.")
      console.write("> ")
    }
  }

  private func nextLine(_ next: () -> String?) -> String? {
    if isInteractive { console.write("> ") }
    return next()
  }

  // MARK: - Commands

  private func command(_ line: String) {
    let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
    let argument = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
    switch parts[0] {
    case "/reset":
      messages.removeAll { $0.role != "system" }
      console.note("A new conversation.")
    case "/system":
      messages = argument.isEmpty ? [] : [Message("system", argument)]
      console.note(
        argument.isEmpty
          ? "A new conversation without a system turn."
          : "A new conversation with this system turn.")
    case "/thinking":
      console.print(lastThinking.isEmpty ? "The last answer has no thinking." : lastThinking)
    case "/save":
      save(argument)
    case "/help":
      console.note(
        """
        /reset           a new conversation
        /system <text>   a new conversation with a system turn
        /thinking        what the last answer was thought out from
        /save <file>     write the conversation as a sample
        /exit            end
        """)
    default:
      console.note("Error: \(quoted(parts[0])) is no command; '/help' lists them.")
    }
  }

  private func save(_ path: String) {
    guard !path.isEmpty else {
      return console.note("Error: '/save' needs the name of a file.")
    }
    guard messages.contains(where: { $0.role == "assistant" }) else {
      return console.note(
        model.text.template == nil
          ? "Error: Without a chat template there is no conversation to save."
          : "Error: Nothing was said yet.")
    }
    let sample = JSONValue.members([("messages", .array(messages.map(\.json)))])
    do {
      try AtomicFile.write(sample.serialized() + Data([0x0A]), to: path)
      console.note("Saved \(countedText(messages.count, "turn")) in \(path).")
    } catch {
      console.note("Error: \(error)")
    }
  }

  // MARK: - Answers

  private func answer(_ line: String) {
    let hasTemplate = model.text.template != nil
    let turns = messages + [Message("user", line)]
    do {
      var request = model.request
      request.seed &+= answers
      answers += 1
      request.prompt = try model.tokens(
        of: Prompt(hasTemplate ? .conversation(turns) : .text(line), place: "the conversation"))
      guard let completion = try generate(request) else { return }
      if case .failed(let error) = completion.finishReason { throw error }
      if hasTemplate { messages = turns + [Message("assistant", completion.text)] }
      switch completion.finishReason {
      case .length:
        console.note(
          "The answer was cut at \(countedText(completion.tokens.count, "token")); "
            + "'--max-new-tokens' allows more.")
      case .cancelled: console.note("Stopped.")
      default: break
      }
    } catch {
      console.note(
        "Error: \(error)\(messages.isEmpty ? "" : " '/reset' begins a new conversation.")")
    }
  }

  /// Prints an answer as it comes.
  private func generate(_ request: GenerationRequest) throws -> Completion? {
    let events = EventQueue()
    let cancel = try engine.submit(request) { events.put($0) }
    lock.withLock { self.cancel = cancel }
    defer { lock.withLock { self.cancel = nil } }
    let tokenizer = model.text.tokenizer
    let context = tokenizer.decode(Array((request.prompt + request.forcedPrefix).suffix(16)))
    var printer = ThinkingPrinter(
      startsInside: context.trimmingCharacters(in: .whitespacesAndNewlines).hasSuffix("<think>"),
      hides: hidesThinking, dims: console.outputIsTerminal)
    if !request.forcedPrefix.isEmpty, !printer.isInside {
      console.write(printer.append(tokenizer.decode(request.forcedPrefix), tokens: 0))
    }
    while true {
      switch events.take() {
      case .token(_, _, let text, _): console.write(printer.append(text, tokens: 1))
      case .finished(let completion):
        console.write(printer.finish() + "\n")
        lastThinking = printer.thinking.trimmingCharacters(in: .whitespacesAndNewlines)
        return completion
      }
    }
  }
}

/// Events from the engine's thread, for the one that prints.
private final class EventQueue: @unchecked Sendable {
  private let lock = NSLock()
  private let semaphore = DispatchSemaphore(value: 0)
  private var events: [GenerationEvent] = []

  func put(_ event: GenerationEvent) {
    lock.withLock { events.append(event) }
    semaphore.signal()
  }

  func take() -> GenerationEvent {
    semaphore.wait()
    return lock.withLock { events.removeFirst() }
  }
}
