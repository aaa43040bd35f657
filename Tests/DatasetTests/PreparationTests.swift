import Foundation
import Storage
import XCTest

@testable import Datasets

/// From files to prepared data, as the commands and the trainer do it.
final class PreparationTests: XCTestCase {
  /// A checkpoint's folder with the fixtures' tokenizer and a template.
  private func checkpoint(_ template: String = Templates.plain) throws -> String {
    let folder = try temporaryFolder(self)
    for name in ["tokenizer.json", "tokenizer_config.json"] {
      try FileManager.default.copyItem(atPath: "\(chatFolder)/\(name)", toPath: "\(folder)/\(name)")
    }
    try Data(template.utf8).write(to: URL(fileURLWithPath: folder + "/chat_template.jinja"))
    try Data(#"{"vocab_size": 400}"#.utf8).write(to: URL(fileURLWithPath: folder + "/config.json"))
    return folder
  }

  private func recipe(
    _ checkpoint: String, _ sources: [SampleSource], contextLength: Int = 64,
    _ change: (inout DataRecipe) -> Void = { _ in }
  ) -> DataRecipe {
    var recipe = DataRecipe(
      checkpoint: checkpoint, sources: sources, contextLength: contextLength,
      supervision: .assistant, longerDocuments: .drop, packing: .bestFit,
      specialTokensInText: false, seed: 1, cache: "")
    change(&recipe)
    return recipe
  }

  private func samples(_ count: Int) throws -> String {
    try temporaryFile(
      self, "s.jsonl",
      (0..<count).map { "{\"q\": \"What is \($0)?\", \"a\": \"It is \($0).\"}\n" }.joined())
  }

  private let fields = ["user": "q", "assistant": "a"]

  func testDocumentsComeInTheOrderOfTheSamples() throws {
    let path = try samples(1300)
    let other = try temporaryFile(self, "t.jsonl", "{\"text\": \"x\"}\n{\"text\": \"y\"}\n")
    let preparation = try Preparation(
      recipe(checkpoint(), [SampleSource(path: path, fields: fields), SampleSource(path: other)]))
    var texts: [String] = []
    var samples: [Int] = []
    var done: [Int] = []
    let report = try preparation.run(
      write: { document, source, sample in
        samples.append(sample)
        let learned = zip(document.ids, document.supervised).filter(\.1).map(\.0)
        texts.append("\(source): \(preparation.checkpoint.tokenizer.decode(learned))")
      }, progress: { done.append($0) })
    XCTAssertEqual(
      texts,
      (0..<1300).map { "0: It is \($0).<|im_end|>" } + ["1: <|im_end|>", "1: <|im_end|>"])
    XCTAssertEqual(samples, Array(0..<1302))
    XCTAssertEqual(done, [512, 1024, 1302])
    XCTAssertEqual(report.sources.map(\.samples), [1300, 2])
    XCTAssertEqual(report.sources.map(\.documents), [1300, 2])
    XCTAssertEqual(report.lengths.count, 1302)
    XCTAssertEqual(report.lengths.reduce(0, +), report.sources.reduce(0) { $0 + $1.tokens })
    XCTAssertEqual(report.findingCount, 0)
  }

  func testLengthsAreCounted() throws {
    let path = try temporaryFile(
      self, "s.jsonl",
      """
      {"q": "a", "a": "b"}
      {"q": "a", "a": "\(String(repeating: "long ", count: 100))"}

      """)
    let source = SampleSource(path: path, fields: fields)
    let folder = try checkpoint()
    let dropped = try Preparation(recipe(folder, [source])).run()
    XCTAssertEqual(dropped.sources[0].documents, 1)
    XCTAssertEqual(dropped.sources[0].dropped, 1)
    XCTAssertEqual(dropped.droppedLengths.count, 1)
    let refused = try Preparation(recipe(folder, [source]) { $0.longerDocuments = .refuse }).run()
    XCTAssertEqual(
      refused.findings,
      [
        .init(
          message: "it is longer than 'contextLength', 64 tokens. Raise that, or say with "
            + "'longerDocuments' what to do.", place: path + ":2", count: 1)
      ])
    XCTAssertEqual(refused.sources[0].refused, 1)
  }

  func testFindingsAreToldOnce() throws {
    let path = try temporaryFile(
      self, "s.jsonl",
      """
      {"messages": [{"role": "user", "content": "x"}]}
      {"messages": [{"role": "user", "content": "y"}]}
      {"messages": 7}
      {"messages": [

      """)
    let report = try Preparation(recipe(checkpoint(), [SampleSource(path: path)])).run()
    XCTAssertEqual(report.findingCount, 4)
    XCTAssertEqual(
      report.findings.prefix(2),
      [
        .init(
          message: "the conversation must end with the assistant.", place: path + ":1", count: 2),
        .init(message: "'messages' is not a list.", place: path + ":3", count: 1),
      ])
    XCTAssertEqual(report.findings[2].place, path + ":4")
    XCTAssertEqual(report.sources[0].refused, 4)
    XCTAssertEqual(report.lengths, [])
  }

  /// All that prepared data depends on changes its key, and nothing else does.
  func testTheKey() throws {
    let folder = try checkpoint()
    let path = try samples(3)
    let source = SampleSource(path: path, fields: fields)
    func key(_ recipe: DataRecipe) throws -> String { try Preparation(recipe).key() }
    let first = try key(recipe(folder, [source]))
    XCTAssertEqual(try key(recipe(folder, [source])), first)
    XCTAssertEqual(
      try key(recipe(folder, [source]) { ($0.seed, $0.packing, $0.cache) = (9, .none, "x") }), first
    )
    var keys = [first]
    for change in [
      { $0.contextLength = 65 }, { $0.supervision = .last }, { $0.longerDocuments = .refuse },
      { $0.specialTokensInText = true }, { $0.templateVariables = ["x": .bool(true)] },
      { $0.endTokens = ["<|im_end|>", "<|endoftext|>"] }, { $0.date = "2024-07-26" },
      { $0.sources[0].system = "s" }, { $0.sources[0].fields = ["user": "a", "assistant": "q"] },
      { $0.sources.append($0.sources[0]) },
    ] as [(inout DataRecipe) -> Void] {
      keys.append(try key(recipe(folder, [source], change)))
    }
    try Data("{\"q\": \"x\", \"a\": \"y\"}\n".utf8).write(to: URL(fileURLWithPath: path))
    keys.append(try key(recipe(folder, [source])))
    try Data((Templates.plain + " ").utf8).write(
      to: URL(fileURLWithPath: folder + "/chat_template.jinja"))
    keys.append(try key(recipe(folder, [source])))
    try Data(#"{"vocab_size": 401}"#.utf8).write(to: URL(fileURLWithPath: folder + "/config.json"))
    keys.append(try key(recipe(folder, [source])))
    XCTAssertEqual(Set(keys).count, keys.count)
  }

  func testPartsOfAKeyDoNotRunIntoEachOther() {
    var (a, b, c) = (PreparationKey(), PreparationKey(), PreparationKey())
    a.add("x", "yz")
    b.add("xy", "z")
    c.add("x", "y")
    c.add("z", "")
    XCTAssertEqual(Set([a.text, b.text, c.text]).count, 3)
  }

  func testCheckpointsThatLackSomething() throws {
    let path = try samples(1)
    let source = SampleSource(path: path, fields: fields)
    let folder = try checkpoint()
    let config = URL(fileURLWithPath: folder + "/tokenizer_config.json")
    try Data("{}".utf8).write(to: config)
    assertThrows(
      "\(folder): neither 'generation_config.json', 'config.json' nor the tokenizer names a token "
        + "that ends a text. Name one in the recipe with 'endTokens'."
    ) { try Preparation(self.recipe(folder, [source])) }
    assertThrows("\(folder): 'endTokens' names '<x>', which is no token.") {
      try Preparation(self.recipe(folder, [source]) { $0.endTokens = ["<x>"] })
    }
    XCTAssertEqual(
      try Preparation(recipe(folder, [source]) { $0.endTokens = ["<|im_end|>"] }).run().findings, []
    )
    for (generation, count) in [("{\"eos_token_id\": 2}", 1), ("{\"eos_token_id\": [0, 2]}", 2)] {
      try Data(generation.utf8).write(
        to: URL(fileURLWithPath: folder + "/generation_config.json"))
      XCTAssertEqual(try TextCheckpoint(at: folder).endTokens.count, count)
    }
    assertThrows(
      "\(folder): 'chatTemplate' is 'none', which is neither a file nor a template of the "
        + "checkpoint ('default')."
    ) { try Preparation(self.recipe(folder, [source]) { $0.chatTemplate = "none" }) }
    assertThrows("The recipe: it has no 'sources'.") { try Preparation(self.recipe(folder, [])) }
    assertThrows("The recipe: 'contextLength' must be 2 at least.") {
      try Preparation(self.recipe(folder, [source], contextLength: 1))
    }
    assertThrows("The recipe: 'date' is '26 Jul 2024', not a day such as 2024-07-26.") {
      try Preparation(self.recipe(folder, [source]) { $0.date = "26 Jul 2024" })
    }
    let dated = try checkpoint("{{ strftime_now('%Y') }}" + Templates.plain)
    assertThrows(
      "\(dated): its chat template writes today's date. Set 'date' in the recipe, for example to "
        + "\"2024-07-26\", so that the same samples are the same rows tomorrow."
    ) { try Preparation(self.recipe(dated, [source])) }
    let preparation = try Preparation(recipe(dated, [source]) { $0.date = "2019-02-03" })
    let ids = try preparation.documents(of: 0).documents[0].ids
    XCTAssertTrue(preparation.checkpoint.tokenizer.decode(ids).hasPrefix("2019<|im_start|>"))
  }

  /// A thousand of R1's traces for three checkpoints. The counts are those of transformers, which
  /// renders the prompts with the same templates and encodes prompt and answer.
  func testRealSamples() throws {
    guard let shared = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES is not set; traces and tokenizers are in its folder.")
    }
    let traces = SampleSource(
      path: shared + "/traces/STAR-1.json", fields: ["user": "question", "assistant": "response"])
    for (name, tokens, learned) in [
      ("qwen2.5", 411_734, 361_191), ("llama3", 416_246, 360_762),
      ("deepseek-r1-distill-qwen", 382_734, 357_191),
    ] {
      let preparation = try Preparation(
        recipe("\(shared)/tokenizers/\(name)", [traces], contextLength: 2048))
      let report = try preparation.run()
      XCTAssertEqual(report.findings, [], name)
      XCTAssertEqual(report.sources[0].documents, 1000)
      XCTAssertEqual(report.sources[0].tokens, tokens, name)
      XCTAssertEqual(report.sources[0].supervisedTokens, learned, name)
    }
  }
}
