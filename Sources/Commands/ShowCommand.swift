import Datasets
import Foundation
import Interface
import Storage
import Tokenizers

extension Command {
  /// `show`: one sample as the tokens that a model is trained on.
  static let show = Command(
    "show", summary: "Shows a sample as it will be trained on.",
    discussion: """
      Prints what a sample of a data recipe becomes: the text of its tokens, special tokens among \
      them, and which of them are learned. On a terminal learned text is green and special tokens \
      are bold; elsewhere, or with NO_COLOR set, learned text stands between ⟦ and ⟧. A line break \
      that belongs to the text is shown as ↵.
      """,
    example: """
      distill show my-data.json5 --sample 12
      distill show my-data.json5 --sample 12 --tokens
      """,
    takes: recipe, sampleNumber, tokens, set, json,
    run: prepared { arguments, console in
      let recipe = try dataRecipe(at: arguments[recipe], overrides: arguments[set])
      let preparation = try Preparation(recipe)
      let number = arguments[sampleNumber] ?? 1
      guard number <= preparation.count else {
        throw CommandError(
          "There is no sample \(number): the recipe's sources hold \(preparation.count).")
      }
      let (found, documents) = try preparation.documents(of: number - 1)
      let tokenizer = preparation.checkpoint.tokenizer
      if arguments[json] {
        return console.print(json(found, documents).printed)
      }
      let isColored =
        console.outputIsTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
      for (i, document) in documents.enumerated() {
        let part = documents.count > 1 ? ", document \(i + 1) of \(documents.count)" : ""
        console.print(
          "Sample \(number) of \(preparation.count), \(found.place)\(part): "
            + "\(document.ids.count) tokens, \(document.supervisedCount) learned.")
        if document.ids.count > recipe.contextLength {
          console.print(
            "It is longer than 'contextLength', \(recipe.contextLength): see 'longerDocuments'.")
        }
        let view = DocumentView(document, tokenizer, isColored: isColored)
        console.print("\n" + (arguments[tokens] ? view.table : view.text) + "\n")
      }
    })

  private static let recipe = Positional(
    "recipe", help: "A recipe of the kind 'data' or 'fine-tune'.")
  private static let sampleNumber = Option(
    "sample", "number", help: "Which sample, from 1 over all sources; without it the first.",
    .wholeNumbers(in: 1...Int.max))
  private static let tokens = Flag("tokens", help: "Print a table of tokens.")
  private static let set = RepeatedOption.recipeOverrides
  private static let json = Flag("json", help: "Print ids and mask as JSON.")

  private static func json(_ sample: Sample, _ documents: [RenderedDocument]) -> JSONValue {
    .array(
      documents.map { document in
        .members([
          ("place", .text(sample.place)),
          ("ids", .array(document.ids.map { .count(Int($0)) })),
          ("supervised", .array(document.supervised.map { .bool($0) })),
        ])
      })
  }
}

/// A document for people: as text with its mask, or token by token.
struct DocumentView {
  private let document: RenderedDocument
  private let tokenizer: Tokenizer
  private let isColored: Bool

  init(_ document: RenderedDocument, _ tokenizer: Tokenizer, isColored: Bool) {
    self.document = document
    self.tokenizer = tokenizer
    self.isColored = isColored
  }

  /// The text, run by run: tokens of one kind are decoded together, so that characters which are
  /// several tokens stay whole.
  var text: String {
    var result = ""
    var isLearned = false
    var i = 0
    while i < document.ids.count {
      let learned = document.supervised[i]
      let special = isMark(i)
      var end = i + 1
      while end < document.ids.count, document.supervised[end] == learned, !special, !isMark(end) {
        end += 1
      }
      if learned != isLearned, !isColored { result += learned ? "⟦" : "⟧" }
      isLearned = learned
      result += styled(shown(tokenizer.decode(Array(document.ids[i..<end]))), learned, special)
      i = end
    }
    return result + (isLearned && !isColored ? "⟧" : "")
  }

  var table: String {
    var table = Table(.right("token"), .right("id"), .left("learned"), .left("text"))
    for (i, id) in document.ids.enumerated() {
      let text = tokenizer.decode([id]).replacingOccurrences(of: "\n", with: "↵")
      table.append("\(i + 1)", "\(id)", document.supervised[i] ? "yes" : "", "|\(text)|")
    }
    return table.description
  }

  private func isMark(_ i: Int) -> Bool {
    tokenizer.addedTokens.contains { $0.id == document.ids[i] }
  }

  private func shown(_ text: String) -> String {
    String(
      text.unicodeScalars.flatMap { scalar -> [Character] in
        switch scalar {
        case "\n": ["↵", "\n"]
        case "\t": ["\t"]
        case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": ["�"]
        default: [Character(scalar)]
        }
      })
  }

  private func styled(_ text: String, _ learned: Bool, _ special: Bool) -> String {
    guard isColored else { return text }
    let codes = [special ? "1" : nil, learned ? "32" : nil].compactMap { $0 }
    if codes.isEmpty { return text }
    // Each line by itself: pagers forget a colour at a line's end.
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.isEmpty ? "" : "\u{1B}[\(codes.joined(separator: ";"))m\(line)\u{1B}[0m"
    }.joined(separator: "\n")
  }
}
