import Foundation
import Storage

/// A file of earlier answers that answers again: for tests, and for trying other rules without asking
/// anybody.
///
/// It takes a run's folder of samples, or a file in JSONL or of one JSON array, whose records have a
/// question (`question`, `problem`, `prompt`, or the last user's turn of `messages`) and an answer
/// (`answer`, `response`, `completion`, `generation`, `generations`, `message_content`, or the last
/// assistant's turn), its reasoning in `<think>` or a key of its own. Sample `i` of a question is the
/// `i`-th answer to it in the file.
///
/// The last user's turn is looked up, whatever white space is around it; where it is not found, once
/// more without its last paragraph, which is where prompts have their instruction.
public struct RecordedTeacher: Teacher {
  public let name: String
  public let identity: JSONValue
  public let concurrency = 16
  /// One, so that the answers there are come, also where more are asked for.
  public let samplesPerQuestion = 1

  private let path: String
  private let source: Source
  /// Where the answers to a question are, by the SHA-256 of its trimmed text, half of it.
  private let places: [Digest: [Place]]

  private enum Source: Sendable {
    case lines(SampleLines)
    case array([[TeacherAnswer]])
    case run(SampleFolder)
  }

  private struct Digest: Hashable {
    let words: [UInt64]

    init(_ text: ArraySlice<UInt8>) {
      var digest = SHA256.digest(of: text)[..<16]
      var words: [UInt64] = []
      while !digest.isEmpty {
        words.append(digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
        digest = digest.dropFirst(8)
      }
      self.words = words
    }
  }

  private struct Place: Sendable {
    var shard: Int
    var range: Range<Int>
    /// Which of the record's answers.
    var number: Int
  }

  /// - Parameter path: The file or folder.
  /// - Throws: `SampleError` for what can't be read, or a record without a question or an answer.
  public init(at path: String) throws(SampleError) {
    do {
      try self.init(reading: path)
    } catch let error as SampleError {
      throw error
    } catch {
      throw SampleError(error)
    }
  }

  private init(reading path: String) throws {
    self.path = path
    name = "the answers in \(path)"
    var places: [Digest: [Place]] = [:]
    func add(_ question: String, shard: Int, _ range: Range<Int>, count: Int) {
      let digest = Digest(Self.trimmed(Array(question.utf8)[...]))
      for number in 0..<count {
        places[digest, default: []].append(
          Place(shard: shard, range: range, number: number))
      }
    }
    if let names = try? names(inFolder: path), !names.isEmpty {
      let folder = try SampleFolder(at: path)
      var questions: [String: String] = [:]
      try folder.forEachProblem { json, place in
        let members = try JSONMembers(json, place: place)
        questions[try members.text("id")] = try members.text("question")
      }
      var numbered: [(question: String, sample: Int, place: SampleFolder.Place)] = []
      var hash = SHA256()
      try folder.forEachRecord { record, place in
        hash.update(Array(record.key.utf8))
        guard let question = questions[record.problem] else { return }
        numbered.append((question, record.sample, place))
      }
      for (question, _, place) in numbered.sorted(by: { $0.sample < $1.sample }) {
        add(question, shard: place.shard, place.offset..<place.offset + place.length, count: 1)
      }
      source = .run(folder)
      identity = Self.identity(hash)
    } else {
      let file = try MappedFile(at: path)
      var hash = SHA256()
      hash.update(file.bytes)
      identity = Self.identity(hash)
      let isArray = file.bytes.first { $0 > 32 } == UInt8(ascii: "[")
      if isArray {
        var all: [[TeacherAnswer]] = []
        let value = try withExtendedLifetime(file) {
          try JSONValue(parsing: file.bytes, source: path)
        }
        guard case .array(let values) = value else { throw SampleError(path, "it is no list.") }
        for (index, value) in values.enumerated() {
          let place = "\(path), element \(index + 1)"
          guard case .object(let object) = value else {
            throw SampleError(place, "an object must stand there.")
          }
          let recorded = try RecordedAnswers(object, place: place, model: Self.model(path))
          add(recorded.question, shard: 0, index..<index + 1, count: recorded.answers.count)
          all.append(recorded.answers)
        }
        source = .array(all)
      } else {
        let lines = try SampleLines(at: path)
        try lines.forEach(takesUnfinished: true) { line, range, number in
          guard line.contains(where: { $0 > 32 }) else { return }
          let recorded = try Self.recorded(line, path, "\(path):\(number)")
          add(recorded.question, shard: 0, range, count: recorded.answers.count)
        }
        source = .lines(lines)
      }
    }
    guard !places.isEmpty else { throw SampleError(path, "it holds no answers.") }
    self.places = places
  }

  private static func identity(_ hash: SHA256) -> JSONValue {
    .object(JSONObject(members: [("recorded", .string(hash.finalizedText()))]))
  }

  private static func model(_ path: String) -> String {
    path.utf8.split(separator: UInt8(ascii: "/")).last.map {
      String(decoding: Array($0), as: UTF8.self)
    } ?? path
  }

  private static func recorded(
    _ line: UnsafeRawBufferPointer, _ path: String, _ place: String
  ) throws -> RecordedAnswers {
    guard case .object(let object) = try JSONValue(parsing: line, source: place) else {
      throw SampleError(place, "an object must stand there.")
    }
    return try RecordedAnswers(object, place: place, model: model(path))
  }

  public func answers(
    to question: TeacherQuestion
  ) async throws(TeacherError) -> [TeacherAnswer] {
    guard let asked = question.messages.last(where: { $0.role == "user" }) else {
      throw TeacherError(
        .question, kind: "no question", "\(question.place): no user asks anything.")
    }
    guard let found = places(of: asked.content) else {
      throw TeacherError(
        .question, kind: "not recorded",
        "\(question.place): \(path) has no answer to this question. Take it out, or ask a teacher.")
    }
    guard question.samples.lowerBound >= 0, question.samples.upperBound <= found.count else {
      throw TeacherError(
        .question, kind: "too few recorded",
        "\(question.place): \(path) has \(found.count) answer\(found.count == 1 ? "" : "s") to this "
          + "question, and \(question.samples.upperBound) are asked for. Lower 'samplesPerProblem'."
      )
    }
    var answers: [TeacherAnswer] = []
    for place in found[question.samples] {
      do {
        answers.append(try answer(at: place))
      } catch {
        throw TeacherError(.job, kind: "unreadable", "\(error)")
      }
    }
    return answers
  }

  private func places(of text: String) -> [Place]? {
    let whole = Self.trimmed(Array(text.utf8)[...])
    if let found = places[Digest(whole)] { return found }
    guard let end = whole.lastRange(ofTwo: 0x0A) else { return nil }
    return places[Digest(Self.trimmed(whole[..<end]))]
  }

  private func answer(at place: Place) throws -> TeacherAnswer {
    switch source {
    case .run(let folder):
      return try folder.record(
        at: SampleFolder.Place(
          shard: place.shard, offset: place.range.lowerBound, length: place.range.count)
      ).answer
    case .array(let all): return all[place.range.lowerBound][place.number]
    case .lines(let lines):
      let name = "\(path), byte \(place.range.lowerBound)"
      let recorded = lines.withLine(place.range) { line in
        Result { try Self.recorded(line, path, name) }
      }
      guard let recorded = try recorded?.get(), recorded.answers.indices.contains(place.number)
      else { throw SampleError(name, "the file was changed.") }
      return recorded.answers[place.number]
    }
  }

  private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text = text.drop { $0 <= 32 }
    while let last = text.last, last <= 32 { text.removeLast() }
    return text
  }
}

extension ArraySlice where Element == UInt8 {
  /// Where the last pair of a byte begins.
  fileprivate func lastRange(ofTwo byte: UInt8) -> Int? {
    guard count >= 2 else { return nil }
    return indices.dropLast().last { self[$0] == byte && self[$0 + 1] == byte }
  }
}
