import Datasets
import Foundation
import Storage
import XCTest

@testable import Commands

/// `check`, `prepare` and `show`, on samples that a tiny tokenizer encodes.
final class DataCommandTests: XCTestCase {
  private func folder(_ samples: String, contextLength: Int = 64) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let checkpoint = folder.path + "/student"
    try FileManager.default.createDirectory(
      atPath: checkpoint, withIntermediateDirectories: false)
    for name in ["tokenizer.json", "tokenizer_config.json"] {
      try FileManager.default.copyItem(
        atPath: tokenizerFixture("chat") + "/" + name, toPath: checkpoint + "/" + name)
    }
    try write(
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
        + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
      checkpoint + "/chat_template.jinja")
    try write(samples, folder.path + "/samples.jsonl")
    try write(
      """
      {
        checkpoint: "\(checkpoint)", sources: [{ path: "\(folder.path)/samples.jsonl" }],
        contextLength: \(contextLength), supervision: "assistant", longerDocuments: "drop",
        packing: "bestFit", specialTokensInText: false, seed: 1, cache: "\(folder.path)/cache",
      }
      """, folder.path + "/data.json5")
    return folder
  }

  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private let samples = """
    {"instruction": "dog", "output": "dog dog"}\r
    {"instruction": "a", "output": "dog dog dog dog dog dog dog dog dog dog dog dog dog dog"}

    {"instruction": "dog", "output": "The dog"}

    """

  func testCheck() throws {
    let folder = try folder(samples, contextLength: 24)
    assertPrints(
      distill("check", folder.path + "/data.json5"),
      """
      source          samples   documents   tokens   learned   too long   shortened   refused
      -------------   -------   ---------   ------   -------   --------   ---------   -------
      samples.jsonl         3           2       47         7          1           0         0
      samples.jsonl: 1 line with a carriage return, 1 blank line.

      Documents by their length in tokens:

      23 – 24      2  100.0 %  ███████████████████████████████████████████████████████
      mean 24, median 23, 90 % up to 24, 99 % up to 24, longest 24

      2 rows of 24 tokens, 2.1 % of them empty, 2 documents packed.
      1 document longer than 24 tokens; the longest has 35.
      """)
    let json = try JSONValue(
      parsing: Array(distill("check", folder.path + "/data.json5", "--json").output.utf8),
      source: "output")
    guard case .object(let object) = json, case .array(let sources)? = object["sources"],
      case .object(let source)? = sources.first
    else { return XCTFail("\(json)") }
    XCTAssertEqual(object["rows"], .number(JSONNumber(2)))
    XCTAssertEqual(source["tokens"], .number(JSONNumber(47)))
    XCTAssertEqual(source["tooLong"], .number(JSONNumber(1)))
  }

  func testFindings() throws {
    let folder = try folder(
      """
      {"messages": [{"role": "user", "content": "a"}]}
      {"messages": [{"role": "user", "content": "b"}]}
      {"messages": [{"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]}
      {"messages": 7}

      """)
    let path = folder.path + "/samples.jsonl"
    let run = distill("check", folder.path + "/data.json5")
    XCTAssertEqual(
      run.errors,
      """
      Error: 3 samples can't be trained on.
      Error: \(path):1: the conversation must end with the assistant. (And 1 other like it.)
      Error: \(path):4: 'messages' is not a list.

      """)
    XCTAssertEqual(run.status, 1)
    XCTAssertTrue(run.output.contains("samples.jsonl         4           1"), run.output)
    let prepare = distill("prepare", folder.path + "/data.json5")
    XCTAssertEqual(prepare.errors, run.errors)
    XCTAssertFalse(FileManager.default.fileExists(atPath: folder.path + "/cache"))
  }

  func testNothingIsLeft() throws {
    let folder = try folder(samples, contextLength: 10)
    let run = distill("check", folder.path + "/data.json5")
    XCTAssertEqual(
      run.errors, "Error: Nothing is left to train on: every document is too long.\n")
    XCTAssertTrue(
      run.output.hasSuffix("3 documents longer than 10 tokens; the longest has 35.\n"), run.output)
  }

  func testPrepare() throws {
    let folder = try folder(samples)
    let recipe = folder.path + "/data.json5"
    let cache = folder.path + "/cache"
    let run = distill("prepare", recipe)
    XCTAssertEqual(run.errors, "")
    XCTAssertTrue(run.output.hasSuffix("\n\nPrepared in \(cache).\n"), run.output)
    let data = try PreparedData(at: cache)
    XCTAssertEqual(data.count, 3)
    assertPrints(distill("prepare", recipe), "\(cache) is up to date: 3 documents.")
    // Another setting is other data.
    let again = distill("prepare", recipe, "--set", "supervision=everything")
    XCTAssertTrue(again.output.hasSuffix("Prepared in \(cache).\n"))
    XCTAssertNotEqual(try PreparedData(at: cache).key, data.key)
    // Damaged data is told, and made again.
    try write("{}", cache + "/prepared.json")
    let mended = distill("prepare", recipe)
    XCTAssertEqual(
      mended.errors,
      "Note: \(cache)/prepared.json: it lacks what it must say. Remove the folder; it will be made "
        + "again.\n")
    XCTAssertEqual(try PreparedData(at: cache).key, data.key)
  }

  func testShow() throws {
    let folder = try folder(samples)
    let recipe = folder.path + "/data.json5"
    assertPrints(
      distill("show", recipe, "--sample", "3"),
      """
      Sample 3 of 3, \(folder.path)/samples.jsonl:4: 23 tokens, 3 learned.

      <|im_start|>user↵
      dog<|im_end|>↵
      <|im_start|>assistant↵
      ⟦The dog<|im_end|>⟧↵


      """)
    let table = distill("show", recipe, "--sample", "3", "--tokens").output
    XCTAssertTrue(table.contains("\n    1     1             |<|im_start|>|\n"), table)
    XCTAssertTrue(table.contains("   yes       |The|\n"), table)
    let json = try JSONValue(
      parsing: Array(distill("show", recipe, "--json").output.utf8), source: "output")
    guard case .array(let documents) = json, case .object(let first)? = documents.first,
      case .array(let ids)? = first["ids"], case .array(let mask)? = first["supervised"]
    else { return XCTFail("\(json)") }
    XCTAssertEqual(ids.count, mask.count)
    assertFails(
      distill("show", recipe, "--sample", "4"),
      "There is no sample 4: the recipe's sources hold 3.")
  }

  func testColours() throws {
    let folder = try folder(samples)
    let tokenizer = try TextCheckpoint(at: folder.path + "/student").tokenizer
    let ids = tokenizer.encode("a\n<|im_end|>b\n\nc")
    let end = try XCTUnwrap(ids.firstIndex(of: 2))
    let document = RenderedDocument(ids: ids, supervised: ids.indices.map { $0 >= end })
    XCTAssertEqual(
      DocumentView(document, tokenizer, isColored: true).text,
      "a↵\n\u{1B}[1;32m<|im_end|>\u{1B}[0m\u{1B}[32mb↵\u{1B}[0m\n\u{1B}[32m↵\u{1B}[0m\n"
        + "\u{1B}[32mc\u{1B}[0m")
  }
}
