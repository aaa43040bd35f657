import Stories
import XCTest

/// Reads a story back, by its words alone; what follows the question is left out.
func chain(toldBy text: String) throws -> Chain {
  let story = text.prefix { $0 != "?" }
  var sentences = story.split(separator: ".").map { $0.split(separator: " ").map(String.init) }
  XCTAssertTrue(sentences.removeLast().starts(with: ["How", "many"]), text)
  var chain = Chain(start: try XCTUnwrap(Int(sentences.removeFirst()[2])), steps: [])
  for words in sentences {
    let number = words.compactMap { Int($0) }.first
    if words.contains("doubles") || words.suffix(3) == ["as", "many", "again"] {
      chain.steps.append(Step(.times, 2))
    } else if words.contains("triples") {
      chain.steps.append(Step(.times, 3))
    } else if words.contains("half") {
      chain.steps.append(Step(.over, 2))
    } else if words.contains("wins") || words.last == "more" {
      chain.steps.append(Step(.plus, try XCTUnwrap(number)))
    } else {
      XCTAssertTrue(
        words.contains("to") || words.contains("loses") || words.contains("sells")
          || words.contains("away"), words.joined(separator: " "))
      chain.steps.append(Step(.minus, try XCTUnwrap(number)))
    }
  }
  return chain
}
