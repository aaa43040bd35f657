import XCTest

@testable import Overlap

final class EvaluationIndexTests: XCTestCase {
  static let bakery =
    "A bakery in Lisbon sells custard tarts in boxes of 6 and almond cakes in trays of 14. On "
    + "Friday it sold 55 containers holding 570 pastries altogether. How many trays were sold?"
  static let kite =
    "Quadrilateral $KITE$ has perpendicular diagonals of lengths 18 and 25. Determine its area."

  private func items() -> [EvaluationItem] {
    [
      EvaluationItem(
        set: "S", id: "bakery", question: Self.bakery,
        solution: "Suppose every container were a box; swapping one box for a tray gains eight "
          + "pastries, and the surplus over 330 pastries tells how many swaps Lisbon's bakery made."
      ),
      EvaluationItem(set: "S", id: "kite", question: Self.kite),
      EvaluationItem(set: "S", id: "short", question: "Compute $\\arcsin 1$."),
    ]
  }

  private func index(_ rules: DecontaminationRules = DecontaminationRules()) throws
    -> EvaluationIndex
  { try EvaluationIndex(items(), rules: rules) }

  func testAWholeQuestionInAPrompt() throws {
    let prompt = "Please reason carefully. " + Self.bakery + " Return your final answer."
    let hits = try index().hits(inPrompt: prompt)
    XCTAssertEqual(hits.map(\.id), ["bakery"])
    let hit = try XCTUnwrap(hits.first)
    XCTAssertEqual(hit.set, "S")
    XCTAssertEqual(hit.rule, .similarity)
    XCTAssertEqual(hit.share, 1)
    XCTAssertFalse(hit.numbersDiffer)
    XCTAssertEqual(
      hit.reason, "Prompt and question share 100 % of their runs of three words.")
    XCTAssertEqual(hit.words, String(Self.bakery.dropLast()))
    XCTAssertEqual(Array(prompt.utf8)[hit.bytes].count, hit.words.utf8.count)
    XCTAssertTrue(Array(prompt.utf8)[hit.bytes].elementsEqual(hit.words.utf8))
  }

  func testAQuestionInATrace() throws {
    let trace = String(repeating: "Let me think about something else first. ", count: 50)
    let hits = try index().hits(inTrace: trace + Self.bakery + trace)
    XCTAssertEqual(hits.map(\.id), ["bakery"])
    XCTAssertEqual(hits.first?.rule, .trace)
    XCTAssertEqual(hits.first?.bytes.lowerBound, trace.utf8.count)
    XCTAssertEqual(
      hits.first?.reason, "100 % of the question's weight is shared in runs of 13 words.")
    XCTAssertEqual(try index().hits(inTrace: trace + trace), [])
  }

  func testAQuestionWithOtherNumbersIsAVariant() throws {
    let other = Self.bakery.replacingOccurrences(of: "570", with: "610")
    let found = try index().findings(inPrompt: other)
    XCTAssertEqual(found.hits, [])
    XCTAssertEqual(found.variants.map(\.id), ["bakery"])
    XCTAssertEqual(found.variants.first?.numbersDiffer, true)
    XCTAssertEqual(
      found.variants.first?.reason,
      "Prompt and question share 100 % of their runs of three words, numbers aside; some numbers "
        + "differ.")
    XCTAssertEqual(try index().findings(inTrace: other).variants.map(\.id), ["bakery"])
    let strict = try index(DecontaminationRules(variantsAreHits: true))
    XCTAssertEqual(strict.hits(inPrompt: other).map(\.id), ["bakery"])
  }

  /// Numbers aside, all calculations are alike.
  func testACalculationWithOtherNumbersIsNoVariant() throws {
    let item = EvaluationItem(set: "S", id: "1", question: "What is the value of $513^2 - 487^2$?")
    let index = try EvaluationIndex([item])
    XCTAssertEqual(
      index.findings(inPrompt: "What is the value of $(7+5)^2-(7-5)^2$?"), OverlapFindings())
    XCTAssertEqual(index.hits(inPrompt: "What is the value of 513^2 - 487^2?").map(\.id), ["1"])
  }

  func testAReferenceSolutionInATrace() throws {
    let solution = try XCTUnwrap(items()[0].solution)
    let hit = try XCTUnwrap(index().hits(inTrace: "So. " + solution + " Done.").first)
    XCTAssertEqual(hit.rule, .solution)
    XCTAssertEqual(
      hit.reason,
      "The text shares 28 words with the reference solution that no other item has in a row.")
  }

  func testAShortQuestionIsFoundAsAWhole() throws {
    let index = try index()
    XCTAssertEqual(index.hits(inPrompt: "Compute arcsin(1)!").map(\.id), ["short"])
    XCTAssertEqual(
      index.hits(inPrompt: "Compute \\arcsin 1. Put your final answer within \\boxed{}.").map(\.id),
      ["short"])
    XCTAssertEqual(index.hits(inPrompt: "Compute arcsin 1 + arccos 1 + arctan 1"), [])
    XCTAssertEqual(index.hits(inTrace: "First compute arcsin 1, which is pi / 2."), [])
    // Nine words, fewer than the rule's thirteen.
    let nine = "Which Portuguese navigator reached Calicut harbour aboard São Gabriel?"
    let whole = try EvaluationIndex([EvaluationItem(set: "S", id: "9", question: nine)])
    XCTAssertEqual(whole.hits(inTrace: "They ask: " + nine + " It was da Gama.").map(\.id), ["9"])
  }

  /// The frame is in two items: it is no evidence for either.
  func testWhatSeveralItemsShareMakesNoHit() throws {
    let frame =
      "where gamma rays denote fractions in lowest terms, enter the ordered triple of coprime "
      + "positive divisors separated by commas"
    let one = EvaluationItem(
      set: "S", id: "1",
      question:
        "Weigh nine silver coins on a balance that tips toward whichever pan is heavier than its twin, "
        + frame)
    let two = EvaluationItem(
      set: "S", id: "2",
      question:
        "Paint seven wooden cubes with stripes of indigo, leaving opposite faces blank unless touched, "
        + frame)
    let text = "Fold a map of Norway twice, " + frame
    let rules = DecontaminationRules(trace: .init(n: 13, share: 0.3))
    XCTAssertEqual(try EvaluationIndex([one, two], rules: rules).hits(inTrace: text), [])
    XCTAssertEqual(try EvaluationIndex([one], rules: rules).hits(inTrace: text).map(\.id), ["1"])
  }

  /// A frame is a hit until the background teaches it: were texts that are hits left out of the
  /// background, none could ever teach it.
  func testABackgroundTeachesAFrame() throws {
    let frame =
      "where gamma rays denote fractions in lowest terms, enter the ordered triple of coprime "
      + "positive divisors separated by commas"
    let item = EvaluationItem(set: "S", id: "1", question: "Weigh nine coins, " + frame)
    let texts = ["Fold a map of Norway twice, ", "Mix paint, ", "Stack pipes in a yard, "].map {
      $0 + frame
    }
    func hits(_ background: [String]) throws -> [String] {
      try EvaluationIndex([item], background: background).hits(
        inTrace: "Cross a river by boat, " + frame
      ).map(\.id)
    }
    XCTAssertEqual(try hits([]), ["1"])
    XCTAssertEqual(try hits(texts), [])
    XCTAssertEqual(try hits(Array(texts.prefix(2))), ["1"])
    XCTAssertEqual(try hits([texts[0], texts[0], texts[0]]), ["1"], "one text thrice is one text")
  }

  /// Training problems that hold the question must not hide it.
  func testABackgroundThatHoldsTheQuestionDoesNotHideIt() throws {
    let background = (0..<5).map { "Exercise \($0) of the book. " + Self.bakery }
    let index = try EvaluationIndex(items(), background: background)
    XCTAssertEqual(index.hits(inTrace: Self.bakery).map(\.id), ["bakery"])
  }

  func testAQuestionInTwoSetsIsFoundInBoth() throws {
    let twice = [
      EvaluationItem(set: "A", id: "1", question: Self.bakery),
      EvaluationItem(set: "B", id: "9", question: Self.bakery.uppercased() + " Give a number."),
    ]
    XCTAssertEqual(
      try EvaluationIndex(twice).hits(inTrace: Self.bakery).map(\.set).sorted(), ["A", "B"])
  }

  func testThePaperRuleToTheLetter() throws {
    var rules = DecontaminationRules(
      question: .any(10), solution: nil, prompt: nil, trace: nil, similarity: nil)
    let ten = "custard tarts in boxes of 6 and almond cakes in"
    XCTAssertEqual(try index(rules).hits(inPrompt: "I like \(ten) spring").map(\.id), ["bakery"])
    XCTAssertEqual(try index().hits(inPrompt: "I like \(ten) spring"), [])
    rules.question = nil
    XCTAssertEqual(try index(rules).hits(inPrompt: Self.bakery), [])
  }

  func testBestFirstAndTheSameEachTime() throws {
    let text = Self.kite + " " + Self.bakery.prefix(150)
    let index = try index()
    let hits = index.hits(inTrace: text)
    XCTAssertEqual(hits.map(\.id), ["kite", "bakery"])
    XCTAssertEqual(hits.map(\.share), hits.map(\.share).sorted(by: >))
    for _ in 0..<5 { XCTAssertEqual(try self.index().hits(inTrace: text), hits) }
  }

  func testQuestionsWithoutWordsAreTold() throws {
    let picture = EvaluationItem(set: "S", id: "p", question: "[asy]draw(A--B);[/asy]")
    let index = try EvaluationIndex(items() + [picture])
    XCTAssertEqual(index.wordless, [picture])
    XCTAssertEqual(index.hits(inPrompt: ""), [])
    XCTAssertEqual(try EvaluationIndex([]).hits(inPrompt: "Any text at all."), [])
  }

  func testAnyBytesAreSearched() throws {
    let index = try index()
    var random = SeededRandom(seed: 7)
    let bytes = Array(Self.bakery.utf8)
    for _ in 0..<300 {
      var text = bytes
      for _ in 0..<Int.random(in: 0...30, using: &random) {
        text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      let string = String(decoding: text, as: UTF8.self)
      for hit in index.hits(inPrompt: string) + index.hits(inTrace: string) {
        XCTAssertTrue(Array(string.utf8)[hit.bytes].elementsEqual(hit.words.utf8))
        XCTAssertTrue((0...1).contains(hit.share))
      }
    }
    let long = String(repeating: Self.bakery + " ", count: 2_000)
    XCTAssertEqual(index.hits(inTrace: long).map(\.id), ["bakery"])
    XCTAssertEqual(index.hits(inPrompt: String(repeating: "a", count: 1_000_000)), [])
    XCTAssertEqual(index.hits(inPrompt: String(repeating: "1 ", count: 500_000)), [])
  }
}
