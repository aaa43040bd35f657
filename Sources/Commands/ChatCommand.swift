import Foundation
import Generation
import Interface

extension Command {
  /// `chat`: a conversation with a model in the terminal.
  static let chat = Command(
    "chat", summary: "Talks with a model in the terminal.",
    discussion: """
      Each line is a turn; the answer is printed as it comes, its thinking dimmed. Ctrl-C stops the \
      answer, and nothing else. A checkpoint without a chat template continues each line as text.

      These lines are commands: '/reset' begins a new conversation, '/system <text>' one with a \
      system turn, '/thinking' shows what the last answer was thought out from, '/save <file>' \
      writes the conversation as a sample that training reads, '/exit' ends.

      Lines may also come from a pipe; then only the answers are printed.
      """,
    example: """
      distill chat Checkpoints/qwen2.5-0.5b
      distill chat Checkpoints/qwen2.5-0.5b --hide-thinking --temperature 0.6 --top-p 0.95
      """,
    takes: [checkpoint, system, hideThinking] + SamplingOptions.all,
    run: prepared { arguments, console in
      let model = try TextModel(arguments, at: arguments[checkpoint])
      let session = ChatSession(
        model, engine: try model.engine(chatSettings(arguments)), system: arguments[system],
        hidesThinking: arguments[hideThinking], console)
      let isInteractive = isatty(STDIN_FILENO) == 1
      // Behind a pipe nobody could end the program otherwise.
      let interrupts = isInteractive ? Interrupts { session.interrupt() } : nil
      defer { interrupts?.end() }
      session.run(isInteractive: isInteractive) { readLine() }
    })

  private static let checkpoint = Positional("checkpoint", help: "A model's folder.")
  private static let system = Option(
    "system", "text", help: "What the system turn says.", .texts)
  private static let hideThinking = Flag(
    "hide-thinking", help: "Say only how long the model thought.")

  private static func chatSettings(_ arguments: Arguments) -> EngineSettings {
    EngineSettings(maxSequences: 1, cacheBytes: arguments[SamplingOptions.cacheMemory]?.bytes)
  }
}

/// Ctrl-C, given to a function instead of ending the process.
private final class Interrupts {
  private let source: any DispatchSourceSignal

  init(_ handler: @escaping @Sendable () -> Void) {
    signal(SIGINT, SIG_IGN)
    source = DispatchSource.makeSignalSource(
      signal: SIGINT, queue: DispatchQueue(label: "distill.interrupts"))
    source.setEventHandler(handler: handler)
    source.resume()
  }

  func end() {
    source.cancel()
    signal(SIGINT, SIG_DFL)
  }
}
