import Foundation
import XCTest

@testable import Interface

/// A recipe with everything that recipes have.
struct FineTuning: Codable, Equatable, Sendable {
  struct Optimizer: Codable, Equatable, Sendable {
    let learningRate: Double
    let weightDecay: Double
    let clipNorm: Double?
  }
  struct Source: Codable, Equatable, Sendable {
    let path: String
    let weight: Float?
  }
  enum Packing: String, Choice { case none, bestFit }

  let student: String
  let packing: Packing
  let batchSize: Int
  let shuffle: Bool?
  let betas: [Double]?
  let tags: [String]?
  let layouts: [Packing]?
  let sources: [Source]?
  let weights: [String: Double]?
  let small: Int8?
  let seed: UInt64?
  let optimizer: Optimizer
}

/// A right recipe, and what `extra` adds to it.
private func written(_ extra: String = "") -> String {
  """
  {
    student: 'q',
    packing: 'none',
    batchSize: 8,
    optimizer: { learningRate: 1e-5, weightDecay: 0 },
    \(extra)
  }
  """
}

final class RecipeDecodingTests: XCTestCase {
  private func decode(
    _ text: String, overrides: [String] = []
  ) throws -> ResolvedRecipe<FineTuning> {
    try decodeRecipe(
      FineTuning.self, from: Data(text.utf8), file: "sft.json5", overrides: overrides)
  }

  private func findings(_ text: String, overrides: [String] = []) -> [String] {
    do {
      _ = try decode(text, overrides: overrides)
      return []
    } catch {
      return (error as? RecipeError)?.findings ?? ["\(error)"]
    }
  }

  func testCommentsAndAbsentOptions() throws {
    let recipe = try decode(
      """
      // The learning rate is that of the paper, section 2.4.
      {
        student: "Checkpoints/qwen2.5-0.5b",
        packing: "bestFit",
        batchSize: 1e2, /* rows */
        small: -0x80, seed: 18446744073709551615,
        sources: [{ path: 'a' }, { path: "b", weight: .5, },],
        weights: { math: 1, code: 2.5 },
        optimizer: { learningRate: 1e-5, weightDecay: 0, clipNorm: null },
      }
      """
    ).recipe
    XCTAssertEqual(
      recipe,
      FineTuning(
        student: "Checkpoints/qwen2.5-0.5b", packing: .bestFit, batchSize: 100, shuffle: nil,
        betas: nil, tags: nil, layouts: nil,
        sources: [.init(path: "a", weight: nil), .init(path: "b", weight: 0.5)],
        weights: ["math": 1, "code": 2.5], small: -128, seed: .max,
        optimizer: .init(learningRate: 1e-5, weightDecay: 0, clipNorm: nil)))
  }

  func testEachMistake() {
    let cases: [(extra: String, finding: String)] = [
      (
        "seeed: 1",
        "6:3: unknown key 'seeed'. Did you mean 'seed'?"
      ),
      (
        "bananas: 1",
        "6:3: unknown key 'bananas'. The keys here are 'batchSize', 'betas', 'layouts', "
          + "'optimizer', 'packing', 'seed', 'shuffle', 'small', 'sources', 'student', 'tags' "
          + "and 'weights'."
      ),
      (
        "'\u{1B}[2J': 1, seed: null",
        "6:3: unknown key '\\u{1b}[2J'. The keys here are 'batchSize', 'betas', 'layouts', "
          + "'optimizer', 'packing', 'seed', 'shuffle', 'small', 'sources', 'student', 'tags' "
          + "and 'weights'."
      ),
      (
        "sources: [{ path: 'a', wieght: 1 }]",
        "6:26: unknown key 'wieght' in 'sources.0'. Did you mean 'weight'?"
      ),
      ("sources: [{ path: 'a' }, {}]", "6:28: missing key 'sources.1.path'."),
      ("shuffle: 'yes'", "6:12: 'shuffle' must be true or false; it is the text 'yes'."),
      ("shuffle: 1", "6:12: 'shuffle' must be true or false; it is 1."),
      ("betas: 0.9", "6:10: 'betas' must be a list of numbers; it is 0.9."),
      ("betas: [0.9, 'x']", "6:16: 'betas.1' must be a number; it is the text 'x'."),
      ("betas: [0.9, null]", "6:16: 'betas.1' must be a number; it is null."),
      ("tags: { a: 1 }", "6:9: 'tags' must be a list of texts; it is an object."),
      ("tags: [[]]", "6:10: 'tags.0' must be a text; it is a list."),
      (
        "layouts: 'none'",
        "6:12: 'layouts' must be a list of texts, each 'none' or 'bestFit'; "
          + "it is the text 'none'."
      ),
      (
        "layouts: ['none', 'best']",
        "6:21: 'layouts.1' must be 'none' or 'bestFit'; it is 'best'."
      ),
      ("layouts: [true]", "6:13: 'layouts.0' must be 'none' or 'bestFit'; it is true."),
      ("sources: {}", "6:12: 'sources' must be a list of objects; it is an object."),
      ("sources: ['a']", "6:13: 'sources.0' must be an object; it is the text 'a'."),
      ("weights: []", "6:12: 'weights' must be an object; it is a list."),
      ("weights: { a: 'b' }", "6:17: 'weights.a' must be a number; it is the text 'b'."),
      ("small: 1.5", "6:10: 'small' must be a whole number; it is 1.5."),
      ("small: 128", "6:10: 'small' must be at most 127; it is 128."),
      ("small: -129", "6:10: 'small' must be at least -128; it is -129."),
      ("small: 1e300", "6:10: 'small' must be at most 127; it is 1e+300."),
      ("seed: -1", "6:9: 'seed' must be at least 0; it is -1."),
      (
        "seed: 18446744073709551616",
        "6:9: 'seed' must be at most 18446744073709551615; it is 1.8446744073709552e+19."
      ),
      (
        "sources: [{ path: 'a', weight: 1e39 }]",
        "6:34: 'sources.0.weight' must be within ±3.4028235e+38; it is 1e+39."
      ),
      ("seed: NaN", "6:9: 'seed': 'NaN' is not a number that a recipe can use."),
      ("betas: [-Infinity]", "6:11: 'betas.0': '-Infinity' is not a number that a recipe can use."),
      ("betas: [1e999]", "6:11: 'betas.0': '1e999' is larger than any number can be."),
      (
        "seed: 0x10000000000000000",
        "6:9: 'seed': '0x10000000000000000' is larger than any number can be."
      ),
      ("betas: [1e-999]", "6:11: 'betas.0': '1e-999' is too near to 0; a number would be 0."),
      ("seed: 1, seed: 2", "6:12: the key 'seed' is written twice, first in line 6. Keep one."),
      (
        "student: 'r'", "6:3: the key 'student' is written twice, first in line 2. Keep one."
      ),
      (
        "sources: [{ path: 'a', 'p\\u0061th': 'b' }]",
        "6:26: the key 'sources.0.path' is written twice, first in line 6. Keep one."
      ),
    ]
    for (extra, finding) in cases {
      XCTAssertEqual(findings(written(extra)), ["sft.json5:\(finding)"], extra)
    }
  }

  func testMistakesInWhatIsRequired() {
    let cases: [(text: String, findings: [String])] = [
      (
        "{ student: 'q', packing: 'none', batchSize: 8, optimizer: { learningRate: 1e-5 } }",
        ["1:59: missing key 'optimizer.weightDecay'."]
      ),
      (
        "{ student: null, packing: 'best', batchSize: 8, optimizer: null }",
        [
          "1:12: 'student' must be a text; it is null.",
          "1:27: 'packing' must be 'none' or 'bestFit'; it is 'best'.",
          "1:60: 'optimizer' must be an object; it is null.",
        ]
      ),
      (
        "{}",
        [
          "1:1: missing key 'student'.", "1:1: missing key 'packing'.",
          "1:1: missing key 'batchSize'.", "1:1: missing key 'optimizer'.",
        ]
      ),
      ("[]", ["1:1: the recipe must be an object; it is a list."]),
      ("'q'", ["1:1: the recipe must be an object; it is the text 'q'."]),
      ("null", ["1:1: the recipe must be an object; it is null."]),
      ("7", ["1:1: the recipe must be an object; it is 7."]),
    ]
    for (text, expected) in cases {
      XCTAssertEqual(findings(text), expected.map { "sft.json5:\($0)" }, text)
    }
  }

  func testAllMistakesAreToldAtOnceInTheOrderOfTheFile() {
    XCTAssertEqual(
      findings(
        """
        {
          student: 7,
          packing: 'tight',
          batchSize: 'eight',
          batchSize: 'nine',
          shufle: true,
          optimizer: { learningRate: 'high', weigthDecay: 0 },
        }
        """),
      [
        "sft.json5:2:12: 'student' must be a text; it is 7.",
        "sft.json5:3:12: 'packing' must be 'none' or 'bestFit'; it is 'tight'.",
        "sft.json5:5:3: the key 'batchSize' is written twice, first in line 4. Keep one.",
        "sft.json5:5:14: 'batchSize' must be a whole number; it is the text 'nine'.",
        "sft.json5:6:3: unknown key 'shufle'. Did you mean 'shuffle'?",
        "sft.json5:7:30: 'optimizer.learningRate' must be a number; it is the text 'high'.",
        "sft.json5:7:38: unknown key 'weigthDecay' in 'optimizer'. Did you mean 'weightDecay'?",
      ])
  }

  func testNoMoreThanTwentyMistakesAreTold() {
    let keys = (10..<40).map { "extra\($0): 0" }.joined(separator: ", ")
    let findings = findings(written(keys))
    XCTAssertEqual(findings.count, 21)
    XCTAssertEqual(findings.last, "sft.json5: 10 more mistakes.")
  }

  func testTheErrorsDescriptionHasAFindingInEachLine() {
    XCTAssertThrowsError(try decode(written("seeed: 1, shufle: 1"))) {
      XCTAssertEqual(
        "\($0)",
        """
        sft.json5:6:3: unknown key 'seeed'. Did you mean 'seed'?
        sft.json5:6:13: unknown key 'shufle'. Did you mean 'shuffle'?
        """)
    }
  }

  func testTheFilesNameIsPrintable() {
    XCTAssertThrowsError(
      try decodeRecipe(FineTuning.self, from: Data("[]".utf8), file: "a\u{1B}[2Jb")
    ) {
      XCTAssertEqual(
        "\($0)", "a\\u{1b}[2Jb:1:1: the recipe must be an object; it is a list.")
    }
  }

  func testALargeFileIsRefused() {
    let text = written("/* \(String(repeating: "x", count: 1 << 20)) */")
    XCTAssertEqual(
      findings(text),
      ["sft.json5: the file has \(text.utf8.count) bytes; a recipe has at most 1048576."])
  }

  func testManyMistakesDoNotTakeForever() {
    let keys = (0..<60_000).map { "studen\($0): 0" }.joined(separator: ",")
    XCTAssertEqual(findings(written(keys)).last, "sft.json5: 59980 more mistakes.")
    let entries = (0..<60_000).map { "k\($0): 0" }.joined(separator: ",")
    XCTAssertEqual(findings(written("weights: { \(entries) }")), [])
    let twice = String(repeating: "seed: 0,", count: 60_000)
    XCTAssertEqual(findings(written(twice)).last, "sft.json5: 59979 more mistakes.")
    let empty = String(repeating: "{},", count: 60_000)
    XCTAssertEqual(
      findings(written("sources: [\(empty)]")).last, "sft.json5: 59980 more mistakes.")
  }

  // MARK: Types with a mind of their own

  private struct Even: Decodable {
    let value: Int

    init(from decoder: any Decoder) throws {
      value = try decoder.singleValueContainer().decode(Int.self)
      guard value % 2 == 0 else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "must be even"))
      }
    }
  }

  private struct Pair: Decodable {
    let first: Double
    let second: Double

    init(from decoder: any Decoder) throws {
      var container = try decoder.unkeyedContainer()
      first = try container.decode(Double.self)
      second = try container.decode(Double.self)
    }
  }

  private enum SeedOrName: Decodable {
    case seed(Int)
    case name(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let seed = try? container.decode(Int.self) {
        self = .seed(seed)
      } else {
        self = .name(try container.decode(String.self))
      }
    }
  }

  private enum Kind: String, Decodable { case local, remote }

  private enum Teacher: Decodable {
    case local(path: String)
    case remote(url: URL, retries: Int)
  }

  private struct Unmeant: Error, CustomStringConvertible { let description = "it is Monday." }

  private struct Moody: Decodable { init(from decoder: any Decoder) throws { throw Unmeant() } }

  private struct Odd: Decodable {
    let even: Even?
    let pair: Pair?
    let either: SeedOrName?
    let kind: Kind?
    let teacher: Teacher?
    let url: URL?
    let moody: Moody?
    let deep: [[Int]]?
    let perhaps: [Int?]?
  }

  private func oddFindings(_ text: String) -> [String] {
    do {
      _ = try decodeRecipe(Odd.self, from: Data(text.utf8), file: "f")
      return []
    } catch {
      return error.findings
    }
  }

  func testTypesWithAMindOfTheirOwn() {
    let cases: [(text: String, findings: [String])] = [
      (
        """
        { even: 2, pair: [1, 2], either: 'x', kind: 'local', url: 'https://a.b/c',
          teacher: { local: { path: 'x' } }, deep: [[1], []], perhaps: [1, null] }
        """, []
      ),
      ("{ either: 3, teacher: { remote: { url: 'http://x', retries: 3 } } }", []),
      ("{ even: 3 }", ["f:1:9: 'even' must be even."]),
      ("{ even: 'x' }", ["f:1:9: 'even' must be a whole number; it is the text 'x'."]),
      ("{ pair: [1] }", ["f:1:9: 'pair' has 1 elements, which is too few."]),
      ("{ pair: [1, 'x'] }", ["f:1:13: 'pair.1' must be a number; it is the text 'x'."]),
      ("{ either: [] }", ["f:1:11: 'either' must be a text; it is a list."]),
      (
        "{ kind: 'far' }",
        ["f:1:9: 'kind': Cannot initialize Kind from invalid String value far."]
      ),
      ("{ moody: 1 }", ["f:1:10: 'moody' cannot be used: it is Monday."]),
      ("{ url: 3 }", ["f:1:8: 'url' must be a text that is a URL; it is 3."]),
      ("{ deep: 3 }", ["f:1:9: 'deep' must be a list of lists of whole numbers; it is 3."]),
      ("{ perhaps: ['x'] }", ["f:1:13: 'perhaps.0' must be a whole number; it is the text 'x'."]),
      (
        "{ teacher: { remote: { url: 'http://x', retires: 3 } } }",
        ["f:1:41: unknown key 'retires' in 'teacher.remote'. Did you mean 'retries'?"]
      ),
      (
        "{ teacher: { remote: { url: 'http://x' } } }",
        ["f:1:22: missing key 'teacher.remote.retries'."]
      ),
      (
        "{ teacher: { lokal: { path: 'x' } } }",
        ["f:1:12: 'teacher': Invalid number of keys found, expected one."]
      ),
    ]
    for (text, expected) in cases { XCTAssertEqual(oddFindings(text), expected, text) }
  }

  // MARK: The resolved recipe

  func testTheResolvedRecipeIsPlainJSON() throws {
    let resolved = try decode(
      """
      {
        student: 'a"\\\\b\\n\\u2028\\x7fé/', batchSize: 0x10, // comment
        packing: "none", betas: [], sources: [ {path: 'x', weight: 1e-7} ], weights: {},
        shuffle: true,
        optimizer: { weightDecay: +2.50e1, learningRate: .00010, clipNorm: null }
      }
      """)
    XCTAssertEqual(
      resolved.resolvedJSON,
      """
      {
        "batchSize": 16,
        "betas": [],
        "optimizer": {
          "clipNorm": null,
          "learningRate": 0.0001,
          "weightDecay": 25
        },
        "packing": "none",
        "shuffle": true,
        "sources": [
          {
            "path": "x",
            "weight": 1e-07
          }
        ],
        "student": "a\\"\\\\b\\n\\u2028\\u007fé/",
        "weights": {}
      }

      """)
    XCTAssertEqual(resolved.recipe.student, "a\"\\b\n\u{2028}\u{7F}é/")
    XCTAssertEqual(
      try JSONDecoder().decode(FineTuning.self, from: Data(resolved.resolvedJSON.utf8)),
      resolved.recipe)
    XCTAssertEqual(try decode(resolved.resolvedJSON).resolvedJSON, resolved.resolvedJSON)
  }
}
