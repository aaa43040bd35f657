import Foundation
import Tensors
import Tokenizers

/// One timed piece of a tokenizer's work.
public struct TokenizerTiming: Sendable {
  public let name: String
  public let threads: Int
  /// What was read or written, in bytes of text.
  public let bytes: Int
  public let tokens: Int
  public let seconds: Double

  public var bytesPerSecond: Double { Double(bytes) / seconds }
  public var tokensPerSecond: Double { Double(tokens) / seconds }
}

/// Reading a tokenizer, encoding, decoding, and texts made to be slow.
public enum TokenizerBenchmark {
  /// - Parameters:
  ///   - path: A folder with a tokenizer.
  ///   - text: What is encoded; nil for text made of the tokenizer's own tokens.
  ///   - report: Called with each measurement as it is made.
  /// - Throws: `TokenizerError`.
  public static func run(at path: String, text: [UInt8]?, report: (TokenizerTiming) -> Void) throws
  {
    let start = Stopwatch.now
    let tokenizer = try Tokenizer(at: path)
    report(
      TokenizerTiming(
        name: "read the tokenizer", threads: 1, bytes: 0, tokens: tokenizer.count,
        seconds: Stopwatch.now - start))

    let text = text ?? made(by: tokenizer)
    report(encoding("encode, the first time", tokenizer, text))
    let timings = (0..<5).map { _ in encoding("encode", tokenizer, text) }
    report(timings.sorted { $0.seconds < $1.seconds }[2])
    report(inParallel(tokenizer, text))
    report(decoding(tokenizer, text))
    for (name, text) in hostile {
      let half = encoding(name, tokenizer, Array(text.prefix(text.count / 2)))
      report(half)
      report(encoding(name + ", twice as long", tokenizer, text))
    }
  }

  private static func encoding(
    _ name: String, _ tokenizer: Tokenizer, _ text: [UInt8]
  ) -> TokenizerTiming {
    let start = Stopwatch.now
    let ids = tokenizer.encode(text)
    return TokenizerTiming(
      name: name, threads: 1, bytes: text.count, tokens: ids.count, seconds: Stopwatch.now - start)
  }

  /// Pieces of 64 KiB as documents, cut behind a line where there is one.
  private static func inParallel(_ tokenizer: Tokenizer, _ text: [UInt8]) -> TokenizerTiming {
    var documents: [String] = []
    var rest = text[...]
    while !rest.isEmpty {
      let part = rest.prefix(1 << 16)
      let end = part.count < 1 << 16 ? part.endIndex : part.lastIndex(of: 0x0A).map { $0 + 1 }
      let document = rest[..<(end ?? part.endIndex)]
      documents.append(String(decoding: document, as: UTF8.self))
      rest = rest[document.endIndex...]
    }
    _ = tokenizer.encode(documents)
    let start = Stopwatch.now
    let ids = tokenizer.encode(documents)
    return TokenizerTiming(
      name: "encode documents of 64 KiB", threads: ThreadPool.shared.threads, bytes: text.count,
      tokens: ids.reduce(0) { $0 + $1.count }, seconds: Stopwatch.now - start)
  }

  private static func decoding(_ tokenizer: Tokenizer, _ text: [UInt8]) -> TokenizerTiming {
    let ids = tokenizer.encode(text)
    let start = Stopwatch.now
    let decoded = tokenizer.decode(ids)
    return TokenizerTiming(
      name: "decode", threads: 1, bytes: decoded.utf8.count, tokens: ids.count,
      seconds: Stopwatch.now - start)
  }

  /// Two megabytes of tokens, the nth of which comes 1/n as often as the first (Zipf's law).
  private static func made(by tokenizer: Tokenizer) -> [UInt8] {
    let stream = RandomStream(seed: 1, "benchmark text")
    var text: [UInt8] = []
    var i = 0
    while text.count < 2 << 20, i < 8 << 20 {
      let uniform = Double(stream[i] >> 11) * 0x1p-53
      let rank = exp(uniform * log(Double(tokenizer.idLimit)))
      let id = Int32(rank) - 1
      if !tokenizer.isSpecial(id) { text += tokenizer.decodedBytes([id]) }
      i += 1
    }
    return text
  }

  /// Texts on which a method of another order than n log n is seen.
  private static var hostile: [(name: String, text: [UInt8])] {
    let stream = RandomStream(seed: 2, "benchmark bytes")
    let marks: [[UInt8]] = ["\u{301}", "\u{327}", "\u{323}"].map { Array($0.utf8) }
    return [
      ("one letter", [UInt8](repeating: UInt8(ascii: "a"), count: 4 << 20)),
      ("spaces", [UInt8](repeating: UInt8(ascii: " "), count: 4 << 20)),
      ("combining marks", (0..<2 << 20).flatMap { marks[Int(stream[$0] % 3)] }),
      ("random bytes", (0..<4 << 20).map { UInt8(truncatingIfNeeded: stream[$0]) }),
    ]
  }
}
