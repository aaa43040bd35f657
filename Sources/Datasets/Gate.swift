import Foundation
import Interface
import Storage
import Tokenizers

/// A check of the gate, by the name with which a recipe leaves it out.
public enum GateCheck: String, Choice {
  /// Some token is learned.
  case learnsSomething
  /// The beginning of sequence is there as often as the tokenizer writes it.
  case beginsOnce
  /// The tokens that end turns are learned.
  case learnsToStop
  /// The ids before the answer are those that will ask for it.
  case samePrompt
  /// The reasoning is among the learned tokens.
  case learnsReasoning
}

/// What must hold of every document before a model is trained on it.
///
/// Each of these mistakes trains without a word and spoils the model (a list from the issue trackers
/// of other trainers): the gate looks at the finished ids, whatever made them.
struct Gate: Sendable {
  let rendering: Rendering
  let vocabularyRows: Int?
  private let skipped: Set<GateCheck>
  private let bos: Int32?

  init(_ rendering: Rendering, vocabularyRows: Int?, skipping skipped: [GateCheck] = []) {
    self.rendering = rendering
    self.vocabularyRows = vocabularyRows
    self.skipped = Set(skipped)
    bos = rendering.tokenizer.id(role: "bos_token")
  }

  /// What is wrong with a document, in a sentence without the place.
  struct Finding: Equatable {
    /// The check that found it; nil for what no model can be trained on at all.
    let check: GateCheck?
    let sentence: String

    init(_ check: GateCheck?, _ sentence: String) {
      self.check = check
      self.sentence = sentence
    }
  }

  /// What is wrong with a sample's documents, but for what the recipe leaves unchecked.
  func findings(_ documents: [RenderedDocument], of sample: Sample) -> [Finding] {
    let found =
      documents.flatMap { findings($0) }
      + promptFindings(documents, of: sample).map { Finding(.samePrompt, $0) }
      + reasoningFindings(documents, of: sample).map { Finding(.learnsReasoning, $0) }
    return found.filter { $0.check.map { !skipped.contains($0) } ?? true }
  }

  private func findings(_ document: RenderedDocument) -> [Finding] {
    let ids = document.ids
    var findings: [Finding] = []
    if document.supervisedCount == 0 {
      findings.append(Finding(.learnsSomething, "no token of it is learned."))
    }
    findings += beginningFindings(ids).map { Finding(.beginsOnce, $0) }
    findings += endFindings(document).map { Finding(.learnsToStop, $0) }
    if let vocabularyRows, let id = ids.max(), Int(id) >= vocabularyRows {
      findings.append(
        Finding(
          nil,
          "it holds the token \(id) (\(quoted(rendering.tokenizer.token(id) ?? ""))), but the "
            + "embedding has \(vocabularyRows) rows."))
    }
    return findings
  }

  private func beginningFindings(_ ids: [Int32]) -> [String] {
    var findings: [String] = []
    if let bos {
      let name = quoted(rendering.tokenizer.token(bos) ?? "")
      let isDoubled = ids.count > 1 && ids[0] == bos && ids[1] == bos
      if isDoubled {
        findings.append(
          "it begins with \(name) twice; the template and the tokenizer both add it.")
      } else if rendering.tokenizer.prefix.contains(bos), ids.first != bos {
        findings.append("it does not begin with \(name), as the tokenizer has texts begin.")
      }
    }
    return findings
  }

  private func endFindings(_ document: RenderedDocument) -> [String] {
    let ids = document.ids
    let ends = document.turnEnds.contains {
      $0 > 0 && $0 <= ids.count && document.supervised[$0 - 1]
        && rendering.endTokens.contains(ids[$0 - 1])
    }
    let endsInside = ids.indices.contains {
      document.supervised[$0] && rendering.endTokens.contains(ids[$0])
    }
    if !ends && !endsInside {
      return ["no token that ends a turn is learned: the model would not learn to stop."]
    }
    if let open = document.turnEnds.first(where: {
      $0 < 1 || $0 > ids.count || !document.supervised[$0 - 1]
    }) {
      return ["the turn that ends at token \(open) has its end outside the loss."]
    }
    return []
  }

  /// The ids before the last answer must be the ones that will ask for it.
  private func promptFindings(
    _ documents: [RenderedDocument], of sample: Sample
  ) -> [String] {
    guard case .conversation(let messages, let tools) = sample.body, let last = documents.last,
      let turn = messages.lastIndex(where: { $0.role == "assistant" })
    else { return [] }
    let prompt: [Int32]
    do {
      prompt = try rendering.prompt(
        Array(messages[..<turn]), tools: tools, place: sample.place)
    } catch {
      return [error.message]
    }
    let isPrompted =
      last.ids.starts(with: prompt)
      && (rendering.supervision == .everything
        || last.ids.count > prompt.count && last.supervised[prompt.count])
    return isPrompted
      ? [] : ["its prompt differs from the one that generation will give the model."]
  }

  /// The reasoning of learned turns must be in the labels.
  private func reasoningFindings(
    _ documents: [RenderedDocument], of sample: Sample
  ) -> [String] {
    guard case .conversation(let messages, _) = sample.body else { return [] }
    let turns = messages.filter { $0.role == "assistant" }
    let learned = rendering.supervision == .last ? Array(turns.suffix(1)) : turns
    var labels: [UInt8]?
    for message in learned {
      guard let reasoning = message.reasoning else { continue }
      let text =
        labels
        ?? documents.flatMap { document in
          rendering.tokenizer.decode(
            zip(document.ids, document.supervised).filter(\.1).map(\.0)
          ).utf8
        }
      labels = text
      if text.firstRange(of: reasoning) != nil { continue }
      // Tokenizers normalize, so that the same text may come back as other bytes.
      if Self.normalized(text).firstRange(of: Self.normalized(reasoning)) == nil {
        return ["its reasoning is in the sample, and not among the learned tokens."]
      }
    }
    return []
  }

  private static func normalized(_ text: [UInt8]) -> [UInt8] {
    Array(String(decoding: text, as: UTF8.self).precomposedStringWithCanonicalMapping.utf8)
  }
}
