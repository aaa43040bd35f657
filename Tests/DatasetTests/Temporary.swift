import Foundation
import XCTest

@testable import ChatTemplates
@testable import Datasets
@testable import Storage
@testable import Tokenizers

/// A folder that is gone when the test is over.
func temporaryFolder(_ test: XCTestCase) throws -> String {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  test.addTeardownBlock { try? FileManager.default.removeItem(at: url) }
  return url.path
}

/// A file in a folder that is gone when the test is over.
func temporaryFile(_ test: XCTestCase, _ name: String, _ text: String) throws -> String {
  try temporaryFile(test, name, Data(text.utf8))
}

func temporaryFile(_ test: XCTestCase, _ name: String, _ data: Data) throws -> String {
  let path = try temporaryFolder(test) + "/" + name
  try data.write(to: URL(fileURLWithPath: path))
  return path
}

/// A tokenizer for chats, of the project's own fixtures.
func chatTokenizer() throws -> Tokenizer {
  try Tokenizer(at: chatFolder)
}

var chatFolder: String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/tokenizers/chat").path
}

enum Templates {
  /// Each turn between control tokens, as Qwen writes them.
  static let plain =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    + "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"

  /// As R1's: drops what is before `</think>` and opens `<think>` in the prompt.
  static let dropping =
    "{% for m in messages %}{% if m.role == 'assistant' %}<|im_start|>"
    + "{{ m.content.split('</think>')[-1] }}<|im_end|>"
    + "{% else %}{{ m.role }}:{{ m.content }}{% endif %}{% endfor %}"
    + "{% if add_generation_prompt %}<|im_start|><think>\n{% endif %}"

  /// As Qwen3's: keeps the reasoning of the last turn only.
  static let lastOnly =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    + "{% if loop.last or '</think>' not in m.content %}{{ m.content }}"
    + "{% else %}{{ m.content.split('</think>')[-1].lstrip('\\n') }}{% endif %}<|im_end|>\n"
    + "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
}

func chatTemplate(_ source: String) throws -> ChatTemplate {
  try ChatTemplate(Array(source.utf8), name: "chat.jinja")
}

/// Checks the words of an error.
func assertThrows<T>(
  _ message: String, file: StaticString = #filePath, line: UInt = #line, _ body: () throws -> T
) {
  XCTAssertThrowsError(try body(), message, file: file, line: line) {
    XCTAssertEqual("\($0)", message, file: file, line: line)
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
