import XCTest

@testable import Generation

/// Thinking is followed wherever its tags are cut.
final class ThinkingTrackerTests: XCTestCase {
  func testATagCutInTwo() {
    for cut in 0...7 {
      let open = Array("<think>")
      var tracker = ThinkingTracker(budget: 1, context: "")
      _ = tracker.append(String(open[..<cut]))
      _ = tracker.append(String(open[cut...]))
      XCTAssertTrue(tracker.append("a"), "cut at \(cut)")
    }
    for cut in 0...8 {
      let close = Array("</think>")
      var tracker = ThinkingTracker(budget: 9, context: "<think>")
      _ = tracker.append(String(close[..<cut]))
      _ = tracker.append(String(close[cut...]))
      for _ in 0..<20 { XCTAssertFalse(tracker.append("a"), "cut at \(cut)") }
    }
  }

  func testBudgetsOfAnOpenContext() {
    for budget in 0..<5 {
      var tracker = ThinkingTracker(budget: budget, context: "x<think>")
      for token in 1...6 { XCTAssertEqual(tracker.append("a"), token >= budget) }
    }
  }

  /// A tag that begins in the prompt; one that opens again.
  func testTagsAcrossAndAgain() {
    var tracker = ThinkingTracker(budget: 2, context: "ask <thi")
    XCTAssertFalse(tracker.append("nk>"))
    XCTAssertFalse(tracker.append("a"))
    XCTAssertTrue(tracker.append("b"))
    XCTAssertFalse(tracker.append("</think>"))
    XCTAssertFalse(tracker.append("c"))
    XCTAssertFalse(tracker.append("<think>"))
    XCTAssertFalse(tracker.append("d"))
    XCTAssertTrue(tracker.append("e"))
    var closed = ThinkingTracker(budget: 0, context: "<think>a</think>")
    XCTAssertFalse(closed.append("b"))
  }
}
