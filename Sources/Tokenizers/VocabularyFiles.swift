import Foundation
import Storage

/// Reads the older files: `vocab.json` with `merges.txt`, and tiktoken's `tokenizer.model`.
enum VocabularyFiles {
  /// What the older files leave to the program that reads them.
  enum Splitting {
    case gpt2, qwen2, llama3

    /// The splitting that a class of transformers does; nil if it is not known.
    init?(tokenizerClass: String?) {
      switch tokenizerClass {
      case "GPT2Tokenizer", "GPT2TokenizerFast": self = .gpt2
      case "Qwen2Tokenizer", "Qwen2TokenizerFast": self = .qwen2
      default: return nil
      }
    }

    var normalizer: Normalizer { Normalizer(steps: self == .qwen2 ? [.nfc] : []) }

    var preTokenizer: PreTokenizer {
      switch self {
      case .gpt2: PreTokenizer(patterns: [.gpt2])
      case .qwen2: PreTokenizer(patterns: [.cl100k(digits: 1)])
      case .llama3: PreTokenizer(patterns: [.cl100k(digits: 3)])
      }
    }
  }

  /// A byte-level encoding from `vocab.json`, an object of tokens and ids, and `merges.txt`, a pair
  /// of tokens in each line behind an optional line `#version`.
  static func read(
    vocabulary path: String, merges mergesPath: String, splitting: Splitting
  ) throws(TokenizerError) -> TokenizerDefinition {
    let vocabulary = try TokenizerFile.vocabulary(at: path)
    let file: MappedFile
    do { file = try MappedFile(at: mergesPath) } catch { throw TokenizerError(error) }
    let merges = try withExtendedLifetime(file) { () throws(TokenizerError) in
      try mergeTable(file.bytes, vocabulary, source: mergesPath)
    }
    let ids = (UInt8.min ... .max).map { byte in
      vocabulary.id(of: ByteCharacters.text(of: [byte]).utf8).map { Int32($0) } ?? -1
    }
    return TokenizerDefinition(
      model: BytePairModel(
        alphabet: .bytes(ids), vocabulary: vocabulary, wholePieces: nil, merges: merges),
      normalizer: splitting.normalizer, preTokenizer: splitting.preTokenizer)
  }

  private static func mergeTable(
    _ bytes: UnsafeRawBufferPointer, _ vocabulary: ByteTable, source: String
  ) throws(TokenizerError) -> MergeTable {
    let table = MergeTable(capacity: bytes.count / 10)
    var rank = 0
    for (number, line) in lines(of: bytes).enumerated() {
      if line.starts(with: "#version".utf8) || line.isEmpty { continue }
      guard let space = line.firstIndex(of: UInt8(ascii: " ")) else {
        throw TokenizerError("\(source):\(number + 1)", "no space between two tokens.")
      }
      let left = UnsafeRawBufferPointer(rebasing: line[..<space])
      let right = UnsafeRawBufferPointer(rebasing: line[(space + 1)...])
      guard let first = vocabulary.id(of: left), let second = vocabulary.id(of: right),
        let product = vocabulary.id(of: Array(left) + Array(right))
      else {
        throw TokenizerError(
          "\(source):\(number + 1)",
          "\(quoted(String(decoding: line, as: UTF8.self))) is not two tokens of the vocabulary "
            + "that make a third.")
      }
      table.insert(Int32(first), Int32(second), rank: rank, product: Int32(product))
      rank += 1
    }
    return table
  }

  /// An encoding in tiktoken's format: in each line the bytes of a token in base 64 and its rank,
  /// which is its id and says how early it is merged.
  ///
  /// Any two tokens that make up a third one merge, at the rank of the third.
  static func readTiktoken(
    _ bytes: UnsafeRawBufferPointer, source: String, splitting: Splitting
  ) throws(TokenizerError) -> TokenizerDefinition {
    let raw = ByteTable(capacity: bytes.count / 16)
    let vocabulary = ByteTable(capacity: bytes.count / 16)
    for (number, line) in lines(of: bytes).enumerated() where !line.isEmpty {
      guard let space = line.firstIndex(of: UInt8(ascii: " ")),
        let token = Data(base64Encoded: Data(line[..<space])), !token.isEmpty,
        let id = Int(String(decoding: line[(space + 1)...], as: UTF8.self)),
        (0..<TokenizerLimits.ids).contains(id)
      else {
        throw TokenizerError(
          "\(source):\(number + 1)",
          "not a token in base 64 and its rank. A SentencePiece model, which other checkpoints "
            + "keep under this name, is not supported: use its tokenizer.json.")
      }
      let text = Array(ByteCharacters.text(of: token).utf8)
      guard token.withUnsafeBytes({ raw.insert($0, id: id) }) == nil,
        text.withUnsafeBytes({ vocabulary.insert($0, id: id) }) == nil
      else {
        throw TokenizerError("\(source):\(number + 1)", "a token or rank that was there before.")
      }
    }
    var ids: [Int32] = []
    for byte in UInt8.min ... .max {
      guard let id = raw.id(of: [byte]) else {
        throw TokenizerError(source, "there is no token for the byte \(byte).")
      }
      ids.append(Int32(id))
    }
    return TokenizerDefinition(
      model: BytePairModel(
        alphabet: .bytes(ids), vocabulary: vocabulary, wholePieces: raw, merges: merges(of: raw)),
      normalizer: splitting.normalizer, preTokenizer: splitting.preTokenizer)
  }

  private static func merges(of tokens: ByteTable) -> MergeTable {
    let table = MergeTable(capacity: 2 * tokens.count)
    for id in 0..<tokens.idLimit {
      guard let token = tokens.bytes(of: id) else { continue }
      token.withUnsafeBytes { token in
        for cut in 1..<max(token.count, 1) {
          if let left = tokens.id(of: UnsafeRawBufferPointer(rebasing: token[..<cut])),
            let right = tokens.id(of: UnsafeRawBufferPointer(rebasing: token[cut...]))
          {
            table.insert(Int32(left), Int32(right), rank: id, product: Int32(id))
          }
        }
      }
    }
    return table
  }

  private static func lines(of bytes: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer] {
    bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { line in
      let line = UnsafeRawBufferPointer(rebasing: line)
      return line.last == 0x0D ? UnsafeRawBufferPointer(rebasing: line.dropLast()) : line
    }
  }
}
