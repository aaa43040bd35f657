import XCTest

@testable import Reports

/// Bars lie from zero to their values, and intervals from end to end.
final class IntervalBarsTests: XCTestCase {
  private func bars(_ bars: [IntervalBars.Bar], most: Double? = 100) -> Drawing {
    Drawing(IntervalBars("Title", axis: PlotAxis("points"), most: most, bars: bars).svg())
  }

  func testBarsLieWhereTheyBelong() {
    let drawing = bars([
      .init("one", 50, low: 25, high: 75, text: "50.0 [25.0, 75.0]"),
      .init("two <&>", 100, text: "100.0", isMeasured: false),
    ])
    XCTAssertEqual(drawing.texts("xtick"), ["0", "20", "40", "60", "80", "100"])
    // 4 to 462 are 0 to 100.
    XCTAssertEqual(drawing.elements(ofClass: "bar").map { $0.attributes["x"] }, ["4"])
    XCTAssertEqual(drawing.elements(ofClass: "bar").map { $0.attributes["width"] }, ["229"])
    XCTAssertEqual(drawing.elements(ofClass: "hollow").map { $0.attributes["width"] }, ["458"])
    XCTAssertEqual(
      drawing.paths("interval"), ["M118.5 61H347.5M118.5 56v10M347.5 56v10"])
    XCTAssertEqual(drawing.texts("name"), ["one", "two <&>"])
    XCTAssertEqual(drawing.texts("value"), ["50.0 [25.0, 75.0]", "100.0"])
    XCTAssertEqual(drawing.elements[0].attributes["viewBox"], "0 0 480 172")
  }

  func testAnAxisOfItsValues() {
    let drawing = bars(
      [.init("up", 1_500, low: 1_400, high: 1_650, text: ""), .init("down", -500, text: "")],
      most: nil)
    XCTAssertEqual(drawing.texts("xtick").first, "-500")
    XCTAssertEqual(drawing.texts("xtick").last, "2,000")
    let rects = drawing.elements(ofClass: "bar")
    // What is negative ends at zero.
    XCTAssertEqual(rects.map { $0.attributes["x"] }, ["95.6", "4"])
    XCTAssertEqual(rects.map { $0.attributes["width"] }, ["274.8", "91.6"])
  }

  func testWhatHasNoPlaceIsLeftOut() {
    let drawing = bars([
      .init("nan", .nan, text: ""), .init("huge", 1e200, text: ""),
      .init("fine", 5, low: .nan, high: 3, text: ""), .init("turned", 5, low: 9, high: 3, text: ""),
    ])
    XCTAssertEqual(drawing.texts("name"), ["fine", "turned"])
    XCTAssertEqual(drawing.paths("interval"), [])
    XCTAssertEqual(bars([]).texts("name"), [])
  }

  func testLongNamesLeaveRoomForTheValue() {
    let drawing = bars([
      .init(String(repeating: "model ", count: 20), 5, text: "5.0 [1.0, 9.0]")
    ])
    let name = drawing.texts("name")[0]
    XCTAssertTrue(name.hasSuffix("…"), name)
    XCTAssertLessThan(textWidth(name) + textWidth("5.0 [1.0, 9.0]"), 480 / 16)
  }
}
