import ChatTemplates
import Foundation
import Storage
import XCTest

/// Small templates, each of which transformers rendered or refused; see `Fixtures/README.md`.
final class SnippetTests: XCTestCase {
  func testEverySnippetIsRenderedOrRefusedAlike() throws {
    let path = Fixture.own("variables.json")
    let variables = try XCTUnwrap(JSONValue(parsing: Fixture.bytes(path), source: path).members)
    let named = Dictionary(uniqueKeysWithValues: variables.map { ($0.key, $0.value) })
    let rows = try Fixture.rows(Fixture.own("snippets.jsonl"))
    XCTAssertGreaterThan(rows.count, 1_000)
    for row in rows {
      let template = try XCTUnwrap(row["template"]?.string)
      let outcome = Result { try render(template, named) }
      if row["refused"] != nil {
        // What Python can and this interpreter cannot, which it must say.
        XCTAssertThrowsError(try outcome.get(), template)
        continue
      }
      switch (outcome, row["rendered"]?.string) {
      case (.success(let chat), let expected?):
        XCTAssertTrue(
          chat.text == Array(expected.utf8),
          "\(template)\n  gives   \(chat.string.debugDescription)\n"
            + "  and not \(expected.debugDescription)")
      case (.success(let chat), nil):
        XCTFail(
          "\(template) gives \(chat.string.debugDescription), and not the error "
            + "\(row["error"]?.string ?? "")")
      case (.failure(let error), let expected?):
        XCTFail("\(template) gives '\(error)', and not \(expected.debugDescription)")
      case (.failure(let error), nil):
        let error = try XCTUnwrap(error as? ChatTemplateError)
        XCTAssertEqual(error.raised, row["raised"]?.string, template)
      }
    }
  }
}
