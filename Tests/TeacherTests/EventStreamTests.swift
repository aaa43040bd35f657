import XCTest

@testable import Teachers

final class EventStreamTests: XCTestCase {
  private func events(_ pieces: [[UInt8]]) -> [String] {
    var stream = EventStream()
    var found: [EventStream.Event] = []
    for piece in pieces { found += piece.withUnsafeBytes { stream.add($0) } }
    var texts = found.map(text)
    if let rest = stream.rest() { texts.append("rest " + text(rest)) }
    return texts
  }

  private func text(_ event: EventStream.Event) -> String {
    let id = event.id.map { "#" + String(decoding: $0, as: UTF8.self) + " " } ?? ""
    return id + String(decoding: event.data, as: UTF8.self)
  }

  private func events(_ text: String) -> [String] { events([Array(text.utf8)]) }

  func testLines() {
    XCTAssertEqual(events("data: a\n\ndata: b\n\n"), ["a", "b"])
    XCTAssertEqual(events("data: a\r\rdata: b\r\r"), ["a", "b"])
    XCTAssertEqual(events("data: a\r\n\r\ndata: b\r\n\r\n"), ["a", "b"])
    XCTAssertEqual(events("data: a\r\n\ndata: b\n\r\n\n\n"), ["a", "b"])
    XCTAssertEqual(events("data:a\n\n"), ["a"])
    XCTAssertEqual(events("data:  a \n\n"), [" a "])
    XCTAssertEqual(events("data: a\ndata: b\ndata\ndata:\n\n"), ["a\nb\n\n"])
    XCTAssertEqual(events("data\n\n"), [""])
    XCTAssertEqual(events(": data: a\n\n:\n\n"), [])
    XCTAssertEqual(events("event: x\nretry: 5\nfoo\ndatab: 1\n\n"), [])
    XCTAssertEqual(
      events("id: 7\ndata: a\n\ndata: b\nid\n\nid: 9\n\ndata: c\n\n"), ["#7 a", "# b", "c"])
    XCTAssertEqual(events("\u{feff}data: a\n\n\u{feff}data: b\n\n"), ["a"])
    XCTAssertEqual(events("data: é漢😀\u{2028}\u{85}\n\n"), ["é漢😀\u{2028}\u{85}"])
    XCTAssertEqual(events(""), [])
    XCTAssertEqual(events("\n\n\n"), [])
  }

  func testRest() {
    XCTAssertEqual(events("data: a\n\ndata: b\n"), ["a", "rest b"])
    XCTAssertEqual(events("data: a\n\ndata: b"), ["a", "rest b"])
    XCTAssertEqual(events("data: a\n\n: b"), ["a"])
  }

  func testPieces() {
    let stream = Array(
      "\u{feff}: hi\r\ndata: é\r\ndata: 漢\r\n\r\nid: 1\rdata: 😀\r\rdata: [DONE]\n\n".utf8)
    let whole = events([stream])
    XCTAssertEqual(whole, ["é\n漢", "#1 😀", "[DONE]"])
    XCTAssertEqual(events(stream.map { [$0] }), whole)
    for cut in 0...stream.count {
      XCTAssertEqual(events([Array(stream[..<cut]), Array(stream[cut...])]), whole, "\(cut)")
      XCTAssertEqual(events([Array(stream[..<cut]), [], Array(stream[cut...])]), whole, "\(cut)")
    }
  }
}
