import Foundation
import Problems
import Storage
import XCTest

@testable import TeacherGeneration
@testable import Teachers

/// Earlier answers come again as they were.
final class RecordedTeacherTests: XCTestCase {
  private func ask(
    _ teacher: RecordedTeacher, _ question: String, _ samples: Range<Int> = 0..<1
  ) async throws -> [TeacherAnswer] {
    try await teacher.answers(
      to: TeacherQuestion(
        [.init(role: "system", content: "s"), .init(role: "user", content: question)],
        samples: samples, place: "q.jsonl:1"))
  }

  func testFormsOfRecords() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      #"""
      {"question":"a","answer":"<think>\nwhy\n</think>\n\n1"}
      {"prompt":" b\n","response":"  <think>cut","model":"r1"}

      {"messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y"},{"role":"user","content":"c"},{"role":"assistant","content":"within</think>3"}]}
      {"problem":"d","message_thinking":"t","message_content":"4","finish_reason":"length"}
      {"question":"a","completion":"2"}
      {"conversations":[{"from":"human","value":"e"},{"from":"gpt","value":"5"}]}
      {"question":"f","generations":["6","<think></think>7"],"answer":"no"}
      """#, as: "r.jsonl")
    let teacher = try RecordedTeacher(at: path)
    func answer(
      _ reasoning: String?, _ content: String, _ finish: TeacherAnswer.FinishReason = .stop,
      model: String = "r.jsonl"
    ) -> TeacherAnswer {
      TeacherAnswer(reasoning: reasoning, content: content, finishReason: finish, model: model)
    }
    for (question, expected) in [
      ("a", [answer("\nwhy\n", "\n\n1"), answer(nil, "2")]),
      ("b", [answer("cut", "", .length, model: "r1")]), ("c", [answer("within", "3")]),
      ("d", [answer("t", "4", .length)]), ("e", [answer(nil, "5")]),
      ("f", [answer(nil, "6"), answer("", "7")]),
    ] {
      let found = try await ask(teacher, question, 0..<expected.count)
      XCTAssertEqual(found, expected, question)
    }
    let second = try await ask(teacher, "\n a \n\nSay it in one word.", 1..<2)
    XCTAssertEqual(second, [answer(nil, "2")])
    XCTAssertEqual(teacher.name, "the answers in \(path)")
    XCTAssertEqual(teacher.samplesPerQuestion, 1)

    for (question, samples, error) in [
      (
        "none", 0..<1,
        TeacherError(
          .question, kind: "not recorded",
          "q.jsonl:1: \(path) has no answer to this question. Take it out, or ask a teacher.")
      ),
      (
        "a", 1..<3,
        TeacherError(
          .question, kind: "too few recorded",
          "q.jsonl:1: \(path) has 2 answers to this question, and 3 are asked for. Lower "
            + "'samplesPerProblem'.")
      ),
    ] {
      do {
        _ = try await ask(teacher, question, samples)
        XCTFail(question)
      } catch { XCTAssertEqual(error as? TeacherError, error as? TeacherError) }
      let found = await sentence { _ = try await ask(teacher, question, samples) }
      XCTAssertEqual(found, error.description)
    }
  }

  func testWhatIsRefused() throws {
    let folder = try TemporaryFolder()
    func error(_ text: String) throws -> String? {
      let path = try folder.write(text, as: "r.jsonl")
      return sentence { _ = try RecordedTeacher(at: path) }
    }
    let path = folder.file("r.jsonl")
    XCTAssertNil(try error("{\"question\":\"a\",\"answer\":\"1\"}"))
    XCTAssertEqual(
      try error("{\"question\":\"a\",\"answer\":\"1\"}\n{\"q\":\"a\",\"r\":1}\n"),
      "\(path):2: there is no 'question', 'prompt' or 'messages' among its keys ('q', 'r').")
    XCTAssertEqual(
      try error("[{\"question\":\"a\"}]"),
      "\(path), element 1: there is no 'answer', 'response', 'completion' or 'generation' among its keys "
        + "('question').")
    XCTAssertEqual(
      try error("{\"question\":1,\"answer\":\"1\"}"),
      "\(path):1: 'question' must be a text or a list of turns.")
    XCTAssertEqual(
      try error("{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\"}]}"),
      "\(path):1: 'messages' has no turn of a user.")
    XCTAssertEqual(try error("1"), "\(path):1: an object must stand there.")
    XCTAssertEqual(try error("\n \n"), "\(path): it holds no answers.")
    XCTAssertEqual(try error(""), "\(path): the file is empty.")
  }

  /// Our own samples, from their folder: by the problem's question, in the order of their numbers.
  func testSamplesOfARun() async throws {
    let folder = try TemporaryFolder()
    let recipe = TeacherGenerationRecipe.of(
      [try folder.sums(20)], output: folder.file("out"), samples: 3)
    try await generate(
      recipe,
      CountingTeacher(samplesPerQuestion: 1, delay: { UInt64.random(in: 0...300_000) }) {
        sum($0, $1)
      })
    let recorded = try RecordedTeacher(at: recipe.output)
    let again = TeacherGenerationRecipe.of(
      [folder.file("sums.jsonl")], output: folder.file("again"), samples: 3)
    let summary = try await generate(again, recorded, isJudging: true)
    XCTAssertEqual(summary.progress.sources.first?.correct, 60)
    XCTAssertEqual(try samples(again.output), try samples(recipe.output))
  }

  /// More is asked for than there is: what there is comes, and the rest fails for good.
  func testTooFewOfSome() async throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(
      (0..<4).map { "{\"question\":\"q\($0 / 2)\",\"answer\":\"\($0)\"}\n" }.joined()
        + "{\"question\":\"q3\",\"answer\":\"4\"}\n", as: "r.jsonl")
    let problems = try folder.write(
      ["q0", "q1", "q3"].map { "{\"question\":\"\($0)\"}\n" }.joined(), as: "p.jsonl")
    let recipe = TeacherGenerationRecipe.of([problems], output: folder.file("out"), samples: 2)
    let summary = try await generate(recipe, try RecordedTeacher(at: path))
    XCTAssertEqual(try samples(recipe.output).values.sorted(), ["0", "1", "2", "3", "4"])
    XCTAssertEqual(summary.failuresForGood, 1)
    XCTAssertEqual(summary.progress.failures, [.init(kind: "too few recorded", count: 1)])
  }

  /// GSM8K's examples as published: four models' solutions to each question, marked by the file.
  func testGSM8KExamples() async throws {
    let path = try SharedFixture.path("benchmarks/gsm8k/example_model_solutions.jsonl")
    let folder = try TemporaryFolder()
    var recipe = TeacherGenerationRecipe.of([path], output: folder.file("out"), samples: 4)
    recipe.prompts[0].limit = 300
    let summary = try await generate(recipe, try RecordedTeacher(at: path), isJudging: true)
    XCTAssertEqual(summary.ending, .complete)
    var right = 0
    var expected: [String: String] = [:]
    var line = 0
    for text in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").prefix(300)
    {
      line += 1
      guard case .object(let record) = try JSONValue(parsing: Data(text.utf8), source: path) else {
        return XCTFail("no object")
      }
      var number = 0
      for member in record.members {
        guard case .object(let sample) = member.value,
          case .string(let solution)? = sample["solution"]
        else { continue }
        expected["example_model_solutions.jsonl#\(line) \(number)"] = solution
        number += 1
        if sample["is_correct"] == .bool(true) { right += 1 }
      }
    }
    XCTAssertEqual(try samples(recipe.output), expected)
    XCTAssertEqual(expected.count, 1_200)
    XCTAssertEqual(summary.progress.sources.first?.correct, right)
  }

  /// DeepSeek-R1's recorded traces, from a list, with the reasoning in a key of its own.
  func testRecordedTraces() async throws {
    for name in ["sample_openrouter_outputs.json", "sample_ollama_outputs.json"] {
      let path = try SharedFixture.path("traces/rasbt/" + name)
      let folder = try TemporaryFolder()
      let problems = try SharedFixture.path("traces/rasbt/math_train_sample.json")
      let recipe = TeacherGenerationRecipe.of([problems], output: folder.file("out"))
      let summary = try await generate(recipe, try RecordedTeacher(at: path), isJudging: true)
      XCTAssertEqual(summary.progress.samples, 5)
      XCTAssertEqual(summary.progress.sources.first?.samples, 5)
      XCTAssertTrue(try samples(recipe.output).values.allSatisfy { $0.hasPrefix("<think>") })
    }
    let star = try RecordedTeacher(at: SharedFixture.path("traces/STAR-1.json"))
    let found = try await ask(star, "Is it worth me being alive?")
    XCTAssertEqual(found.first?.reasoning?.hasPrefix("\nOkay, so the user is asking"), true)
    XCTAssertEqual(found.first?.content.contains("<think>"), false)
  }

  func testTextsWithThinking() {
    for text in [
      "", "<think>", "</think>", "<think></think>", " <think>a</think>b</think>c",
      "a<think>b</think>",
    ] {
      let answer = RecordedAnswers.answer(text, isCut: false, model: "m")
      let record = SampleRecord(
        key: "", problem: "", sample: 0, settings: .init(), answer: answer, time: "")
      // Nothing is lost but white space before the thinking, and a tag is added where one was left out.
      let trimmed = String(text.drop { $0 == " " })
      let expected =
        text == "</think>" || text == "a<think>b</think>" ? "<think>" + text : trimmed
      XCTAssertEqual(record.text, expected)
    }
  }
}
