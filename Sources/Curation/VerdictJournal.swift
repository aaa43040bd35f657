import Foundation
import Problems
import Storage
import Teachers

/// Verdicts of the rules, kept beside the output so that no answer is judged twice.
///
/// A line holds the verdict and a digest of what it depends on: the sample's key, the problem and
/// the rules' version. A damaged line is passed over: its answer is judged again. Failures of
/// judging are not kept.
final class VerdictJournal {
  private let journal: Journal
  /// What was there when the journal was opened, mapped; nil for an empty file.
  private let file: MappedFile?
  /// Digests and places of those lines, by digest. 32 bytes each.
  private var places: [(key: Digest, start: Int, count: Int)] = []

  /// Opens the journal of a working folder, or begins it.
  ///
  /// - Throws: `FileError`.
  init(in folder: String) throws {
    let path = folder + "/verdicts.jsonl"
    var places: [(key: Digest, start: Int, count: Int)] = []
    var offset = 0
    journal = try Journal(at: path) { line, number in
      let start = offset
      offset += line.count + 1
      guard let object = try? JournalLine.decoded(line, place: "\(path):\(number)"),
        case .string(let text)? = object["key"], let key = Digest(hex: text)
      else { return }
      places.append((key, start, line.count))
    }
    // The last line of a key counts.
    places.sort { $0.key == $1.key ? $0.start > $1.start : $0.key < $1.key }
    self.places = places
    file = places.isEmpty ? nil : try MappedFile(at: path)
  }

  /// What a verdict is known by.
  static func key(_ sample: String, _ problem: Digest, version: String) -> Digest {
    Digest(of: [sample, problem.hex, version])
  }

  /// The verdict that was kept under a key.
  func verdict(_ key: Digest) -> AnswerVerdict? {
    var low = 0
    var high = places.count
    while low < high {
      let middle = (low + high) / 2
      if places[middle].key < key { low = middle + 1 } else { high = middle }
    }
    guard low < places.count, places[low].key == key, let file,
      places[low].start + places[low].count <= file.bytes.count
    else { return nil }
    let (_, start, count) = places[low]
    return withExtendedLifetime(file) {
      let line = UnsafeRawBufferPointer(rebasing: file.bytes[start..<start + count])
      guard let object = try? JournalLine.decoded(line, place: journal.path) else { return nil }
      return AnswerVerdict(object)
    }
  }

  /// Keeps a verdict, unless it is a failure.
  ///
  /// - Throws: `FileError`.
  func append(_ verdict: AnswerVerdict, _ key: Digest) throws(FileError) {
    if verdict.outcome == .infrastructure { return }
    try journal.append(
      JournalLine.encoded(
        JSONObject(
          members: [("key", .string(key.hex)), ("outcome", .string(verdict.outcome.rawValue))]
            + (verdict.answer.map { [("answer", .string(Self.shortened($0)))] } ?? [])
            + [("reason", .string(verdict.reason)), ("version", .string(verdict.version))])))
  }

  /// An answer that is a whole program is kept in its beginning.
  private static func shortened(_ answer: String) -> String {
    String(String.UnicodeScalarView(answer.unicodeScalars.prefix(500)))
  }

  func synchronize() throws(FileError) { try journal.synchronize() }
}

extension AnswerVerdict {
  fileprivate init?(_ object: JSONObject) {
    guard case .string(let word)? = object["outcome"], let outcome = Outcome(rawValue: word),
      case .string(let reason)? = object["reason"], case .string(let version)? = object["version"]
    else { return nil }
    var answer: String?
    if case .string(let text)? = object["answer"] { answer = text }
    self.init(outcome: outcome, answer: answer, reason: reason, version: version)
  }
}

extension Digest {
  /// 32 hexadecimal digits.
  var hex: String {
    func digits(_ word: UInt64) -> String {
      let text = String(word, radix: 16)
      return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
    return digits(high) + digits(low)
  }

  init?(hex: String) {
    let digits = Array(hex.utf8)
    guard digits.count == 32,
      let high = UInt64(String(decoding: digits[..<16], as: UTF8.self), radix: 16),
      let low = UInt64(String(decoding: digits[16...], as: UTF8.self), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }
}
