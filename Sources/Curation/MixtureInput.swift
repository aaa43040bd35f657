import Datasets
import Foundation
import Storage

/// A conversation that the set is mixed with, as it will be written.
struct MixtureConversation: Equatable, Sendable {
  var messages: [Message]
  var tools: [JSONValue]
  var place: String

  private static let reasoningKeys = ["reasoning_content", "thinking", "reasoning"]
  private static let closing = Array("</think>".utf8)

  /// - Throws: `CurationError` for a sample that has no turns, or nothing to be learned.
  init(
    _ sample: Sample, reasoning: CurationRecipe.MixtureSource.Reasoning
  ) throws(CurationError) {
    place = sample.place
    switch sample.body {
    case .conversation(let messages, let tools):
      self.messages = messages
      self.tools = tools
    case .completion(let prompt, let completion):
      messages = [Message("user", prompt), Message("assistant", completion)]
      tools = []
    case .text:
      throw CurationError(
        .input,
        "\(place): plain text has no turns, and can't stand among conversations. Train on it from a "
          + "source of its own.")
    }
    guard messages.contains(where: { $0.role == "assistant" }) else {
      throw CurationError(
        .input, "\(place): no turn is the assistant's, so that nothing would be learned.")
    }
    for i in messages.indices where messages[i].role == "assistant" {
      switch reasoning {
      case .asIs: break
      case .keep: Self.write(&messages[i])
      case .drop: Self.drop(&messages[i])
      }
    }
  }

  /// Puts reasoning that has a key of its own before the content.
  private static func write(_ message: inout Message) {
    let content = Array(message.content.utf8)
    var found: String?
    for name in reasoningKeys {
      if case .string(let text)? = message.extras.first(where: { $0.key == name })?.value {
        found = found ?? text
      }
    }
    // Content that has it already keeps its bytes; the key would say it a second time.
    guard let found else { return }
    message.extras.removeAll { reasoningKeys.contains($0.key) }
    if content.firstRange(of: closing) != nil { return }
    let reasoning = SampleWriting.trimmed(Array(found.utf8)[...])
    if reasoning.isEmpty { return }
    message.content = SampleWriting.completion(reasoning: reasoning, answer: content[...])
    message.hasContent = true
  }

  private static func drop(_ message: inout Message) {
    message.extras.removeAll { reasoningKeys.contains($0.key) }
    let content = Array(message.content.utf8)
    guard let start = content.lastRange(of: closing)?.upperBound else { return }
    message.content = String(decoding: SampleWriting.trimmed(content[start...]), as: UTF8.self)
  }

  /// What users ask, and what the assistant answers.
  var texts: (asked: String, answered: String) {
    func text(_ isAnswer: Bool) -> String {
      messages.filter { ($0.role == "assistant") == isAnswer && $0.role != "system" }
        .map(\.content).joined(separator: "\n\n")
    }
    return (text(false), text(true))
  }
}

extension Array where Element == UInt8 {
  fileprivate func lastRange(of mark: [UInt8]) -> Range<Int>? {
    guard count >= mark.count else { return nil }
    for start in stride(from: count - mark.count, through: 0, by: -1)
    where self[start] == mark[0] && self[start..<start + mark.count].elementsEqual(mark) {
      return start..<start + mark.count
    }
    return nil
  }
}
