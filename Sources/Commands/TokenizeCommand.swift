import Foundation
import Interface
import Storage
import Tokenizers

extension Command {
  /// `tokenize`: the tokens of a text, or the text of tokens.
  static let tokenize = Command(
    "tokenize", summary: "Shows the tokens of a text.",
    discussion: """
      Prints the ids of a text and what each stands for, between bars, with line breaks as ↵, and \
      how many tokens, characters and bytes there are. Special tokens that are written out in the \
      text are text, as in a user's message, unless '--special' is given. Of texts with more than \
      1,000 tokens only the counts are printed, unless '--all' is given.
      """,
    example: """
      distill tokenize Checkpoints/qwen2.5-0.5b "Let me think."
      distill tokenize Checkpoints/qwen2.5-0.5b --file traces.txt
      distill tokenize Checkpoints/qwen2.5-0.5b --ids 10061,752,1744,13
      """,
    takes: checkpoint, text, file, ids, special, addSpecial, all, json,
    run: prepared { arguments, console in
      let tokenizer = try Tokenizer(at: arguments[checkpoint])
      let given = try input(arguments, tokenizer)
      let report = TokenReport(
        tokenizer, ids: given.ids, text: given.text, showsText: arguments[ids] != nil,
        limit: arguments[all] ? .max : 1000)
      console.print(arguments[json] ? report.json.printed : report.text)
    })

  private static let checkpoint = Positional(
    "checkpoint", help: "A folder with a tokenizer.")
  private static let text = OptionalPositional(
    "text", help: "The text; '-' for what comes on standard input.")
  private static let file = Option("file", "path", help: "A file with the text.", .texts)
  private static let ids = Option(
    "ids", "list", help: "Ids instead of text, such as 1,2,3.", .texts)
  private static let special = Flag(
    "special", help: "Read special tokens in the text as such.")
  private static let addSpecial = Flag(
    "add-special", help: "Put the tokenizer's own tokens around the text.")
  private static let all = Flag("all", help: "Print all tokens of a long text.")
  private static let json = Flag("json", help: "Print ids and counts as JSON.")

  private static func input(
    _ arguments: Arguments, _ tokenizer: Tokenizer
  ) throws -> (ids: [Int32], text: [UInt8]) {
    let sources = [arguments[text], arguments[file], arguments[ids]].compactMap { $0 }
    guard sources.count == 1 else {
      throw UsageError("Give a text, '--file' or '--ids', one of them.")
    }
    if let list = arguments[ids] {
      let ids = try list.split(separator: ",", omittingEmptySubsequences: false).map { part in
        let digits = part.trimmingCharacters(in: .whitespaces)
        guard let id = Int32(digits), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
          tokenizer.token(id) != nil
        else {
          throw CommandError("\(quoted(String(part))) is not the id of a token.")
        }
        return id
      }
      return (ids, tokenizer.decodedBytes(ids))
    }
    let bytes: [UInt8]
    if let path = arguments[file] {
      bytes = try MappedFile(at: path).contents
    } else if arguments[text] == "-" {
      bytes = Array(FileHandle.standardInput.readDataToEndOfFile())
    } else {
      bytes = Array((arguments[text] ?? "").utf8)
    }
    let literal = arguments[special] ? [] : [0..<bytes.count]
    return (
      tokenizer.encode(bytes, literal: literal, addingSpecialTokens: arguments[addSpecial]), bytes
    )
  }
}

/// The tokens of a text, for people and programs.
struct TokenReport {
  private let tokenizer: Tokenizer
  private let ids: [Int32]
  private let bytes: [UInt8]
  private let showsText: Bool
  private let limit: Int

  /// - Parameters:
  ///   - showsText: Whether the text is not known to who asks.
  ///   - limit: Of more tokens only the counts are shown.
  init(_ tokenizer: Tokenizer, ids: [Int32], text: [UInt8], showsText: Bool, limit: Int) {
    self.tokenizer = tokenizer
    self.ids = ids
    bytes = text
    self.showsText = showsText
    self.limit = limit
  }

  private var characters: Int { String(decoding: bytes, as: UTF8.self).unicodeScalars.count }

  var text: String {
    var lines: [String] = []
    if ids.count <= limit, !ids.isEmpty {
      var table = Table(.right("id"), .left("text"), .left(""))
      for id in ids {
        table.append("\(id)", "|\(piece(id))|", tokenizer.isSpecial(id) ? "special" : "")
      }
      lines = table.lines + [""]
    }
    if showsText { lines += [tokenizer.decode(ids), ""] }
    let perToken = ids.isEmpty ? "" : String(format: ", %.2f bytes a token", ratio)
    lines.append(
      "\(countedText(ids.count, "token")), \(countedText(characters, "character")), "
        + "\(countedText(bytes.count, "byte"))\(perToken).")
    if ids.count > limit { lines.append("'--all' prints the tokens as well.") }
    return lines.joined(separator: "\n")
  }

  private var ratio: Double { Double(bytes.count) / Double(max(ids.count, 1)) }

  /// What a token stands for; bytes that are no text by themselves as <0xE6>.
  private func piece(_ id: Int32) -> String {
    let bytes = tokenizer.decodedBytes([id])
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.utf8.elementsEqual(bytes) else {
      return bytes.map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return "<0x\(digits.count == 1 ? "0" : "")\(digits)>"
      }.joined()
    }
    return text.replacingOccurrences(of: "\n", with: "↵").replacingOccurrences(of: "\t", with: "⇥")
  }

  var json: JSONValue {
    .members([
      ("ids", .array(ids.map { .count(Int($0)) })),
      ("pieces", .array(ids.map { .text(tokenizer.decode([$0])) })),
      ("text", .text(String(decoding: bytes, as: UTF8.self))), ("tokens", .count(ids.count)),
      ("characters", .count(characters)), ("bytes", .count(bytes.count)),
    ])
  }
}
