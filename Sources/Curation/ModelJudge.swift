import Foundation
import Problems
import Storage
import Teachers

/// Asks a judge model, and keeps every reply so that none is paid twice.
///
/// A line of `judgements.jsonl` holds the reply, what was read from it, and the SHA-256 of all it
/// depends on: the model, the messages, the settings, the number of the attempt and the version of
/// the prompt.
final class ModelJudge: @unchecked Sendable {
  /// What became of one answer.
  enum Judgement: Equatable, Sendable {
    case correct, wrong
    /// No reply held one verdict.
    case unparsed
    /// The model could not be asked, which is nobody's verdict.
    case failed(String)

    var isCorrect: Bool? {
      switch self {
      case .correct: true
      case .wrong: false
      case .unparsed, .failed: nil
      }
    }
  }

  /// What is judged: a question, what is known to be right, and the final answer.
  struct Item: Sendable {
    var question: String
    var reference: String
    var answer: String
    /// What errors call it.
    var place: String
  }

  private struct Reply {
    var verdict: Bool?
    var promptTokens: Int
    var completionTokens: Int
  }

  /// Replies and tokens of all that was asked, now or earlier.
  struct Spent: Equatable, Sendable {
    var replies = 0
    var promptTokens = 0
    var completionTokens = 0
  }

  let teacher: any Teacher
  let recipe: CurationRecipe.ModelJudging
  private let journal: Journal
  private let lock = NSLock()
  private var replies: [Digest: Reply] = [:]
  private var used: Spent = Spent()

  /// - Throws: `FileError`.
  init(
    _ recipe: CurationRecipe.ModelJudging, teacher: any Teacher, in folder: String
  ) throws {
    self.recipe = recipe
    self.teacher = teacher
    let path = folder + "/judgements.jsonl"
    var replies: [Digest: Reply] = [:]
    journal = try Journal(at: path) { line, number in
      guard let object = try? JournalLine.decoded(line, place: "\(path):\(number)"),
        case .string(let text)? = object["key"], let key = Digest(hex: text),
        case .string(let word)? = object["verdict"]
      else { return }
      func count(_ name: String) -> Int {
        if case .number(let number)? = object[name], let count = number.int, count >= 0 {
          return Self.tokens(count)
        }
        return 0
      }
      let verdict: Bool? = word == "correct" ? true : word == "wrong" ? false : nil
      replies[key] = Reply(
        verdict: verdict, promptTokens: count("promptTokens"),
        completionTokens: count("completionTokens"))
    }
    self.replies = replies
  }

  var settings: SamplingChoices {
    SamplingChoices(
      temperature: recipe.temperature, topP: recipe.topP, maxTokens: recipe.maxTokens,
      seed: recipe.seed)
  }

  var spent: Spent { lock.withLock { used } }

  /// The model's verdict on an answer: the first of its replies that holds one.
  ///
  /// - Throws: `TeacherError` of the scopes `job` and `cancelled`, `FileError`.
  func judgement(of item: Item) async throws -> Judgement {
    let messages = JudgePrompt.messages(
      question: item.question, reference: item.reference, answer: item.answer)
    for attempt in 0...recipe.retries {
      let key = self.key(messages, attempt)
      let known = lock.withLock { replies[key] }
      let reply: Reply
      if let known {
        reply = known
      } else {
        do throws(TeacherError) {
          let answers = try await teacher.answers(
            to: TeacherQuestion(
              messages, samples: attempt..<attempt + 1, settings: settings, place: item.place))
          guard let answer = answers.first else {
            return .failed("\(item.place): the judge gave no answer.")
          }
          reply = try keep(answer, key, attempt)
        } catch {
          switch error.scope {
          // The model can't be asked this: it has no verdict, now or later.
          case .question: return .unparsed
          case .attempt: return .failed(error.description)
          case .job, .cancelled: throw error
          }
        }
      }
      count(reply)
      if let verdict = reply.verdict { return verdict ? .correct : .wrong }
    }
    return .unparsed
  }

  func synchronize() throws(FileError) { try journal.synchronize() }

  private func count(_ reply: Reply) {
    lock.withLock {
      used.replies += 1
      used.promptTokens += reply.promptTokens
      used.completionTokens += reply.completionTokens
    }
  }

  private func key(_ messages: [TeacherQuestion.Message], _ attempt: Int) -> Digest {
    let settings = settings
    return Digest(
      of: [
        "judge", JudgePrompt.version,
        String(decoding: teacher.identity.serialized(), as: UTF8.self),
        "\(settings.temperature) \(settings.topP) \(settings.maxTokens) \(settings.seed)",
        "\(attempt)",
      ] + messages.flatMap { [$0.role, $0.content] })
  }

  /// What a model tells of its tokens, within what can be summed.
  private static func tokens(_ told: Int?) -> Int { min(max(0, told ?? 0), 1 << 40) }

  private func keep(
    _ answer: TeacherAnswer, _ key: Digest, _ attempt: Int
  ) throws(TeacherError) -> Reply {
    let verdict = JudgePrompt.verdict(in: answer)
    let word = verdict.map { $0 ? "correct" : "wrong" } ?? "unparsed"
    let reply = Reply(
      verdict: verdict, promptTokens: Self.tokens(answer.promptTokens),
      completionTokens: Self.tokens(answer.completionTokens))
    let line = JSONObject(members: [
      ("key", .string(key.hex)), ("attempt", .number(JSONNumber(attempt))),
      ("verdict", .string(word)), ("model", .string(answer.model)),
      ("finishReason", .string(answer.finishReason.rawValue)),
      ("promptTokens", .number(JSONNumber(reply.promptTokens))),
      ("completionTokens", .number(JSONNumber(reply.completionTokens))),
      ("reasoning", answer.reasoning.map { .string($0) } ?? .null),
      ("reply", .string(answer.content)),
    ])
    do throws(FileError) {
      try journal.append(JournalLine.encoded(line))
    } catch {
      throw TeacherError(.job, kind: "journal", "\(error)")
    }
    lock.withLock { replies[key] = reply }
    return reply
  }
}

extension Problem {
  /// What a judge model is told is right; nil if there is nothing, or only tests can tell.
  var referenceText: String? {
    switch reference {
    case .answer(let text): text
    case .choices(let options, let correct):
      options.indices.contains(correct) ? options[correct] : nil
    case .program: nil
    case .none(let text): text
    }
  }
}
