import Foundation
import Problems
import Storage
import Teachers
import XCTest

@testable import TeacherGeneration

/// An empty folder for one test, removed with this object.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("generation-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: file(name), encoding: .utf8)
  }

  @discardableResult
  func write(_ text: String, as name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }

  /// Sums "What is 0 + 1?" and so on, with their answers.
  func sums(_ count: Int, as name: String = "sums.jsonl", from first: Int = 0) throws -> String {
    var text = ""
    for i in first..<first + count {
      text += "{\"question\":\"What is \(i) + 1?\",\"answer\":\"\(i + 1)\"}\n"
    }
    return try write(text, as: name)
  }
}

/// Files that are not part of the package: the folder in `DISTILL_FIXTURES`.
enum SharedFixture {
  static func path(_ name: String) throws -> String {
    guard let folder = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES names no folder of fixtures.")
    }
    return folder + "/" + name
  }
}

/// Numbers that a seed fixes: Steele, Lea and Flood, 2014.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A teacher that answers by a function, and counts what it is asked.
final class CountingTeacher: Teacher, @unchecked Sendable {
  typealias Answering = @Sendable (_ question: String, _ sample: Int) throws -> TeacherAnswer

  let name = "a test"
  let identity: JSONValue
  let concurrency: Int
  let samplesPerQuestion: Int
  private let delay: @Sendable () -> UInt64
  private let answering: Answering
  private let lock = NSLock()
  private var asked: [String: Int] = [:]
  private var inFlight = 0
  private var mostInFlight = 0
  private var questions = 0

  init(
    identity: JSONValue = .string("test"), concurrency: Int = 16, samplesPerQuestion: Int = .max,
    delay: @escaping @Sendable () -> UInt64 = { 0 }, answering: @escaping Answering
  ) {
    self.identity = identity
    self.concurrency = concurrency
    self.samplesPerQuestion = samplesPerQuestion
    self.delay = delay
    self.answering = answering
  }

  /// How often each sample was asked for, by question and number.
  var counts: [String: Int] { lock.withLock { asked } }
  var most: Int { lock.withLock { mostInFlight } }
  var questionCount: Int { lock.withLock { questions } }

  func answers(
    to question: TeacherQuestion
  ) async throws(TeacherError) -> [TeacherAnswer] {
    let text = question.messages.last?.content ?? ""
    lock.withLock {
      inFlight += 1
      questions += 1
      mostInFlight = max(mostInFlight, inFlight)
      for sample in question.samples { asked["\(text) #\(sample)", default: 0] += 1 }
    }
    defer { lock.withLock { inFlight -= 1 } }
    let nanoseconds = delay()
    if nanoseconds > 0 { try? await Task.sleep(nanoseconds: nanoseconds) }
    if Task.isCancelled {
      throw TeacherError(.cancelled, kind: "cancelled", "It was cancelled.")
    }
    var answers: [TeacherAnswer] = []
    for sample in question.samples {
      do {
        answers.append(try answering(text, sample))
      } catch let error as TeacherError {
        throw error
      } catch {
        throw TeacherError(.attempt, kind: "test", "\(error)")
      }
    }
    return answers
  }
}

/// The number in "What is 7 + 1?".
func number(in question: String) -> Int {
  Int(question.split(separator: " ").dropFirst(2).first ?? "") ?? -1
}

/// An answer that is right or wrong as `isRight` says, with tokens that depend on both numbers.
func sum(_ question: String, _ sample: Int, isRight: Bool = true) -> TeacherAnswer {
  let result = number(in: question) + (isRight ? 1 : 5)
  return TeacherAnswer(
    reasoning: "\nsample \(sample)\n", content: "\n\nIt is \\boxed{\(result)}.",
    finishReason: .stop,
    promptTokens: 7, completionTokens: 10 + sample, model: "test-model")
}

extension TeacherGenerationRecipe {
  static func of(
    _ paths: [String], output: String, samples: Int = 1, adaptive: AdaptiveSampling? = nil
  ) -> Self {
    TeacherGenerationRecipe(
      prompts: paths.map { ProblemSource(path: $0) },
      sampling: Sampling(samplesPerProblem: samples, maxTokens: 100, seed: 3), adaptive: adaptive,
      output: output)
  }
}

/// Runs a recipe to its end.
@discardableResult
func generate(
  _ recipe: TeacherGenerationRecipe, _ teacher: any Teacher, isJudging: Bool = false,
  shard: ProblemShard? = nil, retryingFailures: Bool = false,
  isStopped: @escaping @Sendable () -> Bool = { false },
  observer: @escaping @Sendable (TeacherGenerationProgress) -> Void = { _ in }
) async throws -> TeacherGenerationSummary {
  let run = try TeacherGenerationRun(
    recipe, recipeJSON: .object(JSONObject(members: [("test", .bool(true))])), teacher: teacher,
    toolkit: "0", judge: isJudging ? AnswerJudge() : nil, shard: shard,
    retryingFailures: retryingFailures, isStopped: isStopped, observer: observer)
  return try await run.run()
}

/// The samples of a folder: which there are, and what each says.
func samples(_ path: String) throws -> [String: String] {
  var found: [String: String] = [:]
  try SampleFolder(at: path).forEachRecord { record, _ in
    let name = "\(record.problem) \(record.sample)"
    XCTAssertNil(found[name], name)
    found[name] = record.text
  }
  return found
}

/// The sentence of an error.
func sentence(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return "\(error)"
  }
}

func sentence(_ body: () async throws -> Void) async -> String? {
  do {
    try await body()
    return nil
  } catch {
    return "\(error)"
  }
}
