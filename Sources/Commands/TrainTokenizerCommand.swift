import Datasets
import Foundation
import Interface
import Storage
import Tokenizers

extension Command {
  /// `train-tokenizer`: learns a byte-pair encoding from text.
  static let trainTokenizer = Command(
    "train-tokenizer", summary: "Learns a tokenizer from text.",
    discussion: """
      Learns a byte-level byte-pair encoding and writes it as a folder with a tokenizer.json that \
      Hugging Face's library reads, and a tokenizer_config.json. Merges are those of its BpeTrainer \
      with the same settings. A corpus is a text file, or a file of samples in JSONL, of which \
      '--field' names the text. The same corpus and settings give the same bytes.
      """,
    example: """
      distill train-tokenizer my-tokenizer --corpus book.txt --size 8000
      distill train-tokenizer my-tokenizer --corpus traces.jsonl --field response
      distill train-tokenizer my-tokenizer --corpus book.txt --special "<end>" --eos "<end>"
      distill train-tokenizer my-tokenizer --corpus book.txt --special "<think>" --visible "<think>"
      """,
    takes: output, corpus, size, splitting, special, visible, eos, field, minimum,
    run: prepared { arguments, console in
      let paths = arguments[corpus]
      guard !paths.isEmpty else { throw UsageError("'--corpus <file>' is missing.") }
      let size = arguments[size] ?? 32_000
      let specials = arguments[special]
      if let eos = arguments[eos], !specials.contains(eos) {
        throw UsageError("'--eos' is \(quoted(eos)), which is not among the special tokens.")
      }
      let visibles = arguments[visible]
      for token in visibles where !specials.contains(token) {
        throw UsageError(
          "'--visible' is \(quoted(token)), which is not among the special tokens.")
      }
      var training = try TokenizerTraining(
        TokenizerTraining.Settings(
          splitting: arguments[splitting] ?? .llama3, vocabularySize: size,
          minimumFrequency: arguments[minimum] ?? 2, specialTokens: specials,
          visibleTokens: visibles))
      // Found out now what can't be written, not after the work.
      var folder = try AtomicFolder(at: arguments[output])
      try read(paths, field: arguments[field], into: &training, console)
      guard training.byteCount > 0 else { throw CommandError("The corpus holds no text.") }

      let line = ProgressLine(total: size, unit: "tokens", console: console)
      var done = 0
      let tokenizer = training.train { count in
        line.advance(by: count - done)
        done = count
      }
      line.finish()
      try folder.write(tokenizer.tokenizerJSON, as: "tokenizer.json")
      try folder.write(
        tokenizer.configurationJSON(roles: arguments[eos].map { ["eos_token": $0] } ?? [:]),
        as: "tokenizer_config.json")
      try folder.commit()
      if tokenizer.tokens.count < size {
        console.note(
          "Note: the corpus has pairs for \(tokenizer.tokens.count) tokens only, with at least "
            + "\(arguments[minimum] ?? 2) of each.")
      }
      console.print(
        "\(arguments[output]): \(countedText(tokenizer.tokens.count, "token")), learned from "
          + "\(byteText(training.byteCount)).")
    })

  private static let output = Positional("output", help: "A new folder.")
  private static let corpus = RepeatedOption(
    "corpus", "file", help: "A file to learn from; may be given several times.", .texts)
  private static let size = Option(
    "size", "tokens", help: "All tokens together; 32,000 without it.",
    .wholeNumbers(in: 1...1 << 21))
  private static let splitting = Option<TokenizerTraining.Splitting>(
    "splitting", "family", help: "How text is split: as gpt2, llama3 (without it) or qwen2 do.",
    Values("'gpt2', 'llama3' or 'qwen2'") { TokenizerTraining.Splitting(rawValue: $0) })
  private static let special = RepeatedOption(
    "special", "token", help: "A special token; they take the first ids, in their order.", .texts)
  private static let visible = RepeatedOption(
    "visible", "token",
    help: "Which special token is text and stays in what is decoded, such as <think>.", .texts)
  private static let eos = Option(
    "eos", "token", help: "Which special token ends a text.", .texts)
  private static let field = Option(
    "field", "key", help: "The corpus is JSONL; this key holds the text.", .texts)
  private static let minimum = Option(
    "minimum-frequency", "count", help: "Pairs that come less often are not merged; 2 without it.",
    .wholeNumbers(in: 0...Int.max))

  /// Counts the texts of all files, some megabytes at a time.
  private static func read(
    _ paths: [String], field: String?, into training: inout TokenizerTraining, _ console: Console
  ) throws {
    for path in paths {
      guard let field else {
        let text = try MappedFile(at: path).contents
        if let place = firstInvalid(text) {
          throw CommandError("\(path): byte \(place) is not UTF-8. Convert the file first.")
        }
        training.add([text])
        continue
      }
      let records = try RecordFile(at: path)
      let line = ProgressLine(total: records.count, unit: "samples", console: console)
      for start in stride(from: 0, to: records.count, by: 4096) {
        let range = start..<min(start + 4096, records.count)
        training.add(
          try range.map { i in
            guard case .string(let text)? = try records.record(i).object[field] else {
              throw CommandError("\(records.place(of: i)): \(quoted(field)) is missing or no text.")
            }
            return Array(text.utf8)
          })
        line.advance(by: range.count)
      }
      line.finish()
    }
  }

  /// Where bytes stop being UTF-8; nil if they do not.
  private static func firstInvalid(_ bytes: [UInt8]) -> Int? {
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var place = 0
    while true {
      switch decoder.decode(&iterator) {
      case .scalarValue(let scalar): place += UTF8.width(scalar)
      case .emptyInput: return nil
      case .error: return place
      }
    }
  }
}
