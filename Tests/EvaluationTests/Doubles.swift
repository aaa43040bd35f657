import Foundation
import Problems
import Storage
import Teachers

@testable import Evaluation

/// An empty folder for one test, removed with this object.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("evaluation-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  @discardableResult
  func write(_ text: String, as name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }

  /// Sums "What is 0 + 1?" and so on, with their answers.
  func sums(_ count: Int, as name: String = "sums.jsonl", rated: Bool = false) throws -> String {
    var text = ""
    for i in 0..<count {
      let rating = rated ? ",\"rating\":\(1000 + 100 * i)" : ""
      text += "{\"question\":\"What is \(i) + 1?\",\"answer\":\"\(i + 1)\"\(rating)}\n"
    }
    return try write(text, as: name)
  }
}

/// A teacher that answers sums by a function of their number and the sample's.
final class ScriptedTeacher: Teacher, @unchecked Sendable {
  typealias Script = @Sendable (_ number: Int, _ sample: Int) throws -> TeacherAnswer

  let name = "a test"
  let identity: JSONValue
  let concurrency = 3
  let samplesPerQuestion: Int
  private let script: Script
  private let lock = NSLock()
  private var asked: [String: Int] = [:]

  init(identity: String = "test", samplesPerQuestion: Int = 2, _ script: @escaping Script) {
    self.identity = .string(identity)
    self.samplesPerQuestion = samplesPerQuestion
    self.script = script
  }

  /// How often each sample was asked for, by question and number.
  var counts: [String: Int] { lock.withLock { asked } }

  func answers(to question: TeacherQuestion) async throws(TeacherError) -> [TeacherAnswer] {
    let text = question.messages.last?.content ?? ""
    let number = Int(text.split(separator: " ").dropFirst(2).first ?? "") ?? -1
    var answers: [TeacherAnswer] = []
    for sample in question.samples {
      lock.withLock { asked["\(text) #\(sample)", default: 0] += 1 }
      do {
        answers.append(try script(number, sample))
      } catch let error as TeacherError {
        throw error
      } catch {
        throw TeacherError(.attempt, kind: "test", "\(error)")
      }
    }
    return answers
  }
}

/// What a model says, as whole text behind its thinking.
func said(_ text: String, tokens: Int = 10, isCut: Bool = false) -> TeacherAnswer {
  TeacherAnswer(
    reasoning: "\nHm.\n", content: isCut ? "" : text, finishReason: isCut ? .length : .stop,
    promptTokens: 7, completionTokens: tokens, model: "test-model")
}

/// Answers of seven kinds by turns: with eight samples of a sum that is n + 1, three are right in
/// different words, two wrong alike, one wrong otherwise, one cut, one without an answer.
@Sendable func mixed(_ number: Int, _ sample: Int) -> TeacherAnswer {
  let sum = number + 1
  switch (sample + number) % 8 {
  case 0: return said("\\boxed{\(sum)}", tokens: 11)
  case 1: return said("\\boxed{\\frac{\(2 * sum)}{2}}", tokens: 12)
  case 2: return said("It is \(sum).0", tokens: 13)
  case 3: return said("\\boxed{\(sum + 7)}", tokens: 14)
  case 4: return said("\\boxed{\(sum + 7).00}", tokens: 15)
  case 5: return said("\\boxed{-1}", tokens: 16)
  case 6: return said("", tokens: 96, isCut: true)
  default: return said("I don't know, really, what that is supposed to be", tokens: 17)
  }
}

func recipe(
  _ path: String, _ folder: TemporaryFolder, k: Int = 8, models: [String] = ["one"]
) -> EvaluationRecipe {
  EvaluationRecipe(
    models: models.map {
      EvaluatedModel(name: $0, recorded: TeacherSettings.RecordedAnswers(path: "none"))
    },
    benchmarks: [BenchmarkRecipe(name: "sums", problems: [ProblemSource(path: path)])],
    sampling: BenchmarkSampling(samplesPerProblem: k, maxTokens: 96, seed: 3),
    output: folder.file("out"))
}

func evaluate(
  _ recipe: EvaluationRecipe, _ teacher: any Teacher, retryingFailures: Bool = false,
  secondsBetweenNotes: Double = 60, isStopped: @escaping @Sendable () -> Bool = { false },
  observer: @escaping @Sendable (EvaluationProgress) -> Void = { _ in }
) async throws -> EvaluationSummary {
  var run = try EvaluationRun(
    recipe, recipeJSON: .object(JSONObject(members: [("a", .string("recipe"))])),
    toolkit: "test", judge: AnswerJudge(), teacher: { _ in teacher },
    retryingFailures: retryingFailures, isStopped: isStopped, observer: observer)
  run.secondsBetweenNotes = secondsBetweenNotes
  return try await run.run()
}
