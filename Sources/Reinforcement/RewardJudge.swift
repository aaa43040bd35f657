import Dispatch
import Foundation
import Storage
import Teachers

/// Asks a judge model how good answers are in one respect: a score of 0 to 10, as a value of 0 to 1.
///
/// The first reply is drawn at temperature 0. A reply that does not hold exactly one score is asked for
/// again, at temperature 0.6 and with another sample's number, so that it is another.
final class RewardJudge: Sendable {
  let kind: RewardJudgePrompt.Kind
  private let settings: RewardSettings.JudgeModel
  private let teacher: any Teacher
  private let journal: RewardJournal

  init(
    _ kind: RewardJudgePrompt.Kind, _ settings: RewardSettings.JudgeModel, teacher: any Teacher,
    journal: RewardJournal
  ) {
    (self.kind, self.settings) = (kind, settings)
    (self.teacher, self.journal) = (teacher, journal)
  }

  /// The model's rewards, in the order of the answers. Answers that read the same are asked about
  /// once.
  ///
  /// - Throws: `RewardError` if the model can't be asked at all or is stopped, `FileError`.
  func outcomes(
    of answers: [SampledAnswer], isStopped: @escaping @Sendable () -> Bool
  ) throws -> [RewardOutcome] {
    var items: [Item] = []
    var numbers: [String: Int] = [:]
    let places: [Int?] = answers.map { answer in
      guard let text = text(of: answer) else { return nil }
      let messages = RewardJudgePrompt.messages(kind, question: answer.prompt, text: text)
      // The dictionary's `String` takes two normal forms of a text for one: it gets a digest.
      let digest = RewardJudgePrompt.digest(of: messages.flatMap { [$0.role, $0.content] })
      if let known = numbers[digest] { return known }
      items.append(Item(messages: messages, digest: digest, place: answer.problem.place))
      numbers[digest] = items.count - 1
      return items.count - 1
    }
    let outcomes = try wait(for: items, isStopped)
    try journal.synchronize()
    return places.map { $0.map { outcomes[$0] } ?? silence }
  }

  private struct Item: Sendable {
    var messages: [TeacherQuestion.Message]
    var digest: String
    /// What errors call it.
    var place: String
  }

  /// What the model gets to see; nil where there is nothing.
  private func text(of answer: SampledAnswer) -> String? {
    let parts = AnswerParts(answer.text)
    switch kind {
    case .helpfulness:
      let content = parts.content
      return content.isEmpty ? nil : String(decoding: content, as: UTF8.self)
    case .harmlessness: return trimmed(parts.bytes[...]).isEmpty ? nil : answer.text
    }
  }

  /// To say nothing helps nobody, and hurts nobody.
  private var silence: RewardOutcome {
    switch kind {
    case .helpfulness: .value(0, "There is no answer.")
    case .harmlessness: .value(1, "There is no answer.")
    }
  }

  // MARK: Asking

  /// Asks about all items, so many at once as the teacher likes, and waits on this thread.
  private func wait(
    for items: [Item], _ isStopped: @escaping @Sendable () -> Bool
  ) throws -> [RewardOutcome] {
    guard !items.isEmpty else { return [] }
    let result = Result()
    let group = DispatchGroup()
    group.enter()
    let task = Task {
      do {
        result.set(.success(try await outcomes(of: items, isStopped)))
      } catch {
        result.set(.failure(error))
      }
      group.leave()
    }
    while group.wait(timeout: .now() + .milliseconds(100)) == .timedOut {
      if isStopped() {
        // A teacher ends what is under way when it is cancelled, or is not waited for.
        task.cancel()
        _ = group.wait(timeout: .now() + .milliseconds(500))
        try? journal.synchronize()
        throw RewardError.stopped
      }
    }
    if isStopped() { throw RewardError.stopped }
    do {
      return try result.value?.get() ?? []
    } catch let error as TeacherError {
      try? journal.synchronize()
      throw error.scope == .cancelled
        ? RewardError.stopped
        : RewardError(.judge, "The reward '\(kind.rawValue)': \(error.description)")
    }
  }

  /// Handed over by a task.
  private final class Result: @unchecked Sendable {
    private let lock = NSLock()
    private var result: Swift.Result<[RewardOutcome], any Error>?

    func set(_ result: Swift.Result<[RewardOutcome], any Error>) {
      lock.withLock { self.result = result }
    }

    var value: Swift.Result<[RewardOutcome], any Error>? { lock.withLock { result } }
  }

  private func outcomes(
    of items: [Item], _ isStopped: @escaping @Sendable () -> Bool
  ) async throws -> [RewardOutcome] {
    var outcomes = [RewardOutcome](
      repeating: .failed("The reward '\(kind.rawValue)' was not asked for."), count: items.count)
    try await withThrowingTaskGroup(of: (Int, RewardOutcome).self) { group in
      var next = 0
      func ask() {
        guard next < items.count, !isStopped() else { return }
        let number = next
        next += 1
        group.addTask { (number, try await self.outcome(of: items[number])) }
      }
      for _ in 0..<max(1, teacher.concurrency) { ask() }
      while let (number, outcome) = try await group.next() {
        outcomes[number] = outcome
        ask()
      }
    }
    return outcomes
  }

  /// The first of the model's replies that holds a score.
  private func outcome(of item: Item) async throws -> RewardOutcome {
    for attempt in 0..<settings.attempts {
      let choices = SamplingChoices(
        temperature: attempt == 0 ? 0 : 0.6, topP: attempt == 0 ? 1 : 0.95,
        maxTokens: settings.maxTokens)
      let key = key(item, choices, attempt)
      let score: Int?
      if let known = journal[key] {
        score = known.score
      } else {
        do throws(TeacherError) {
          let answers = try await teacher.answers(
            to: TeacherQuestion(
              item.messages, samples: attempt..<attempt + 1, settings: choices, place: item.place))
          guard let answer = answers.first else {
            return failed("\(item.place): the judge model gave no answer.")
          }
          score = RewardJudgePrompt.score(in: answer)
          try journal.keep(answer, score, of: kind, at: key, attempt)
        } catch {
          switch error.scope {
          case .question, .attempt: return failed(error.description)
          case .job, .cancelled: throw error
          }
        }
      }
      if let score {
        return .value(
          Double(score) / Double(RewardJudgePrompt.bestScore),
          "The judge model gives it \(score) of \(RewardJudgePrompt.bestScore).")
      }
    }
    return failed(
      "\(item.place): none of \(settings.attempts) replies of the judge model holds one score.")
  }

  private func failed(_ words: String) -> RewardOutcome {
    .failed("The reward '\(kind.rawValue)': \(words)")
  }

  private func key(_ item: Item, _ choices: SamplingChoices, _ attempt: Int) -> String {
    RewardJudgePrompt.digest(
      of: [
        "reward", kind.rawValue, RewardJudgePrompt.version,
        String(decoding: teacher.identity.serialized(), as: UTF8.self),
        "\(choices.temperature) \(choices.topP) \(choices.maxTokens) \(choices.seed)",
        "\(attempt)", item.digest,
      ])
  }
}

/// The replies of judge models, so that none is paid twice and a step that is made again gets the
/// rewards it had.
///
/// A line of `reward-judgements.jsonl` holds the reply, what was read from it, and the SHA-256 of all
/// it depends on: the model, the messages, the settings, the number of the attempt and the version of
/// the prompt. A line that is damaged is passed over: its reply is asked for again.
final class RewardJournal: @unchecked Sendable {
  /// What was read from a reply.
  struct Reply: Equatable {
    /// nil if it holds none.
    var score: Int?
  }

  private let journal: Journal
  private let lock = NSLock()
  private var replies: [String: Reply] = [:]

  /// - Throws: `FileError`, also where another process has it open.
  init(in folder: String) throws {
    let path = folder + "/reward-judgements.jsonl"
    var replies: [String: Reply] = [:]
    journal = try Journal(at: path) { line, number in
      guard let object = try? JournalLine.decoded(line, place: "\(path):\(number)"),
        case .string(let key)? = object["key"], let value = object["score"]
      else { return }
      switch value {
      case .null: replies[key] = Reply()
      case .number(let number):
        guard let score = number.int, (0...RewardJudgePrompt.bestScore).contains(score) else {
          return
        }
        replies[key] = Reply(score: score)
      default: return
      }
    }
    self.replies = replies
  }

  subscript(key: String) -> Reply? { lock.withLock { replies[key] } }

  func synchronize() throws(FileError) { try journal.synchronize() }

  func keep(
    _ answer: TeacherAnswer, _ score: Int?, of kind: RewardJudgePrompt.Kind, at key: String,
    _ attempt: Int
  ) throws(TeacherError) {
    func number(_ count: Int?) -> JSONValue { count.map { .number(JSONNumber($0)) } ?? .null }
    let line = JSONObject(members: [
      ("key", .string(key)), ("reward", .string(kind.rawValue)), ("attempt", number(attempt)),
      ("score", number(score)), ("model", .string(answer.model)),
      ("finishReason", .string(answer.finishReason.rawValue)),
      ("promptTokens", number(answer.promptTokens)),
      ("completionTokens", number(answer.completionTokens)),
      ("reasoning", answer.reasoning.map { .string($0) } ?? .null),
      ("reply", .string(answer.content)),
    ])
    do throws(FileError) {
      try journal.append(JournalLine.encoded(line))
    } catch {
      throw TeacherError(.job, kind: "journal", "\(error)")
    }
    lock.withLock { replies[key] = Reply(score: score) }
  }
}
