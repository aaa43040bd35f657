import Datasets
import Problems
import Tokenizers
import TrainingRecipes

/// How the wording of a problem becomes what the model continues.
enum PolicyTemplate: Equatable {
  /// The checkpoint's chat template.
  case chat
  /// A text around the wording.
  case text(before: String, after: String)

  /// DeepSeek-R1-Zero's template (DeepSeek-AI 2025, table 1).
  static let r1Zero =
    "A conversation between User and Assistant. The user asks a question, and the Assistant solves "
    + "it. The assistant first thinks about the reasoning process in the mind and then provides the "
    + "user with the answer. The reasoning process and answer are enclosed within <think> </think> "
    + "and <answer> </answer> tags, respectively, i.e., <think> reasoning process here </think> "
    + "<answer> answer here </answer>. User: {prompt}. Assistant:"

  /// nil for what is neither a name nor holds `{prompt}` once.
  init?(_ name: String) {
    switch name {
    case "chat": self = .chat
    case "r1-zero":
      guard case .text(let before, let after)? = PolicyTemplate(Self.r1Zero) else { return nil }
      self = .text(before: before, after: after)
    default:
      let bytes = Array(name.utf8), slot = Array("{prompt}".utf8)
      let places = bytes.indices.filter { bytes[$0...].starts(with: slot) }
      guard places.count == 1, let start = places.first else { return nil }
      self = .text(
        before: String(decoding: bytes[..<start], as: UTF8.self),
        after: String(decoding: bytes[(start + slot.count)...], as: UTF8.self))
    }
  }
}

/// A problem as the policy is asked it.
struct Question: Sendable {
  /// Its place among all problems of its set, from 0.
  let number: Int
  let problem: Problem
  /// All that the policy is given, as text.
  let prompt: String
  let tokens: [Int32]
  /// What the prompt itself began the answer with: a template's `<think>`.
  let opening: String
}

/// Turns problems into what the policy continues.
struct PolicyPrompts: Sendable {
  let text: TextCheckpoint
  /// Tokens that every answer begins with.
  let prefill: [Int32]
  private let template: PolicyTemplate
  private let rendering: Rendering
  private let wording: ProblemPrompt

  /// - Throws: `DatasetError`; `RecipeMistakes` where the checkpoint lacks what the recipe asks for.
  init(_ recipe: GRPORecipe) throws {
    text = try TextCheckpoint(
      at: recipe.policy, template: recipe.chatTemplate, endTokens: recipe.endTokens)
    template = PolicyTemplate(recipe.template) ?? .chat
    if template == .chat, text.template == nil {
      throw RecipeMistakes(findings: [
        "\(recipe.policy): it has no chat template. Name a file with 'chatTemplate', or ask as "
          + "DeepSeek-R1-Zero is asked, with 'template: \"r1-zero\"'."
      ])
    }
    rendering = Rendering(
      tokenizer: text.tokenizer, template: text.template, endTokens: text.endTokens)
    wording = recipe.prompt ?? ProblemPrompt()
    prefill =
      recipe.prefill.map { [tokenizer = text.tokenizer] in
        tokenizer.encode($0, special: true)
      } ?? []
  }

  var tokenizer: Tokenizer { text.tokenizer }

  /// - Throws: `ProblemError`, `DatasetError`.
  func question(_ number: Int, _ problem: Problem) throws -> Question {
    let messages = try wording.messages(for: problem)
    let words = messages.map(\.content).joined(separator: "\n\n")
    let tokens: [Int32] =
      switch template {
      case .chat: try rendering.prompt(messages, place: problem.place)
      case .text(let before, let after):
        // What stands in a problem is text, also where it is written like a special token.
        tokenizer.prefix
          + tokenizer.encode(
            Array((before + words + after).utf8),
            literal: [before.utf8.count..<before.utf8.count + words.utf8.count])
      }
    return Question(
      number: number, problem: problem, prompt: tokenizer.decode(tokens), tokens: tokens,
      opening: rendering.openedThinking(by: tokens))
  }
}

/// The questions of a run, and the order in which they come.
struct QuestionSet {
  /// Those that have room for an answer.
  private(set) var questions: [Question] = []
  /// Problems that were left out since their prompts are too long.
  private(set) var tooLong = 0
  /// The first of them.
  private(set) var firstTooLong: String?
  /// Tokens of the longest prompt, with what answers begin with.
  private(set) var longest = 0

  /// Reads all problems.
  ///
  /// - Parameter room: The most tokens of a prompt.
  /// - Throws: `ProblemError`, `DatasetError`; `RecipeMistakes` if none is left.
  init(
    _ sources: [ProblemSource], key: String, _ prompts: PolicyPrompts, room: Int
  ) throws {
    var number = 0
    for source in sources {
      let file = try ProblemFile(source)
      for index in 0..<file.count {
        let question = try prompts.question(number, try file.problem(index))
        let length = question.tokens.count + prompts.prefill.count
        if length > room {
          tooLong += 1
          firstTooLong = firstTooLong ?? question.problem.place
          continue
        }
        longest = max(longest, length)
        questions.append(question)
        number += 1
      }
    }
    if questions.isEmpty {
      throw RecipeMistakes(findings: [
        tooLong == 0
          ? "The recipe: the files of '\(key)' hold no problem."
          : "The recipe: all \(tooLong) prompts of '\(key)' have more than \(room) tokens, which is "
            + "what the model's positions leave beside 'sampling.maxTokens'. Lower that."
      ])
    }
  }

  /// What was left out, in a sentence; nil if nothing was.
  func remark(room: Int) -> String? {
    guard let firstTooLong else { return nil }
    return "\(tooLong) of \(questions.count + tooLong) problems are left out, the first at "
      + "\(firstTooLong): their prompts have more than \(room) tokens, which is what the model's "
      + "positions leave beside 'sampling.maxTokens'."
  }

  /// The question at a position of the run: every one comes once before any comes again, in another
  /// order each time.
  func question(at position: Int, seed: UInt64) -> Question {
    let epoch = position / questions.count
    return questions[
      Permutation(count: questions.count, seed: seed, epoch: epoch)[position % questions.count]]
  }
}
