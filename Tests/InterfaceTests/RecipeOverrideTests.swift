import Foundation
import XCTest

@testable import Interface

private let text = """
  {
    student: 'q', packing: 'none', batchSize: 8, betas: [0.9, 0.95],
    sources: [{ path: 'a' }, { path: 'b' }], weights: null,
    optimizer: { learningRate: 1e-5, weightDecay: 0 },
  }
  """

final class RecipeOverrideTests: XCTestCase {
  private func resolve(_ overrides: [String]) throws -> ResolvedRecipe<FineTuning> {
    try decodeRecipe(FineTuning.self, from: Data(text.utf8), file: "f", overrides: overrides)
  }

  private func findings(_ overrides: String...) -> [String] {
    do {
      _ = try resolve(overrides)
      return []
    } catch {
      return (error as? RecipeError)?.findings ?? ["\(error)"]
    }
  }

  func testValuesAreReplaced() throws {
    let overrides = [
      "student=Checkpoints/qwen", "batchSize=16", "batchSize=32", "optimizer.learningRate=2e-4",
      "optimizer.clipNorm=1", "betas.1=0.99", "sources.0.weight=.5", "sources.1={path: 'c'}",
      "tags=['x', \"y\"]", "weights.math=3", "packing=bestFit", "shuffle=true",
    ]
    let resolved = try resolve(overrides)
    XCTAssertEqual(
      resolved.recipe,
      FineTuning(
        student: "Checkpoints/qwen", packing: .bestFit, batchSize: 32, shuffle: true,
        betas: [0.9, 0.99], tags: ["x", "y"], layouts: nil,
        sources: [.init(path: "a", weight: 0.5), .init(path: "c", weight: nil)],
        weights: ["math": 3], small: nil, seed: nil,
        optimizer: .init(learningRate: 2e-4, weightDecay: 0, clipNorm: 1)))
    XCTAssertEqual(resolved.overrides, overrides)
    XCTAssertEqual(
      resolved.resolvedJSON,
      """
      {
        "batchSize": 32,
        "betas": [
          0.9,
          0.99
        ],
        "optimizer": {
          "clipNorm": 1,
          "learningRate": 0.0002,
          "weightDecay": 0
        },
        "packing": "bestFit",
        "shuffle": true,
        "sources": [
          {
            "path": "a",
            "weight": 0.5
          },
          {
            "path": "c"
          }
        ],
        "student": "Checkpoints/qwen",
        "tags": [
          "x",
          "y"
        ],
        "weights": {
          "math": 3
        }
      }

      """)
  }

  func testTextsNeedNoQuotes() throws {
    let cases = [
      ("student=a b", "a b"), ("student=", ""), ("student=a=b", "a=b"), ("student='7'", "7"),
      ("student=\"x\\n\"", "x\n"), ("student=[1, 2", "[1, 2"), ("student=// c", "// c"),
      ("student=it's", "it's"), ("student= a ", " a "), ("student=7b", "7b"),
    ]
    for (override, student) in cases {
      XCTAssertEqual(try resolve([override]).recipe.student, student, override)
    }
  }

  func testNullTurnsAFeatureOff() throws {
    XCTAssertNil(try resolve(["betas=null"]).recipe.betas)
    XCTAssertNil(
      try resolve(["optimizer.clipNorm=1", "optimizer.clipNorm=null"]).recipe.optimizer.clipNorm)
  }

  func testMistakes() {
    let cases: [(override: String, finding: String)] = [
      ("batchSize", "it must be a key, '=' and a value, such as 'seed=1'."),
      ("=1", "it must be a key, '=' and a value, such as 'seed=1'."),
      ("optimizer.=1", "it must be a key, '=' and a value, such as 'seed=1'."),
      ("", "it must be a key, '=' and a value, such as 'seed=1'."),
      ("batchsize=1", "unknown key 'batchsize'. Did you mean 'batchSize'?"),
      (
        "optimizer.learnignRate=1",
        "unknown key 'learnignRate' in 'optimizer'. Did you mean 'learningRate'?"
      ),
      ("optimiser.learningRate=1", "unknown key 'optimiser'. Did you mean 'optimizer'?"),
      (
        "optimizer.schedule.kind=1",
        "unknown key 'schedule' in 'optimizer'. The keys here are 'clipNorm', 'learningRate' "
          + "and 'weightDecay'."
      ),
      ("sources.0.pth=x", "unknown key 'pth' in 'sources.0'. Did you mean 'path'?"),
      ("betas.2=1", "'betas' has the elements 0 to 1; there is no '2'."),
      ("betas.-1=1", "'betas' has the elements 0 to 1; there is no '-1'."),
      ("betas.first=1", "'betas' has the elements 0 to 1; there is no 'first'."),
      (
        "betas.99999999999999999999=1",
        "'betas' has the elements 0 to 1; there is no '99999999999999999999'."
      ),
      ("student.x=1", "'student' is no object; it is the text 'q', and has no key 'x'."),
      ("betas.0.x=1", "'betas.0' is no object; it is 0.9, and has no key 'x'."),
      (
        "\(String(repeating: "a.", count: 64))a=1", "the key has more than 64 parts."
      ),
      ("batchSize=many", "'batchSize' must be a whole number; it is the text 'many'."),
      ("batchSize=1.5", "'batchSize' must be a whole number; it is 1.5."),
      ("batchSize=NaN", "'NaN' is not a number that a recipe can use."),
      ("packing=best", "'packing' must be 'none' or 'bestFit'; it is 'best'."),
      (
        "student=123",
        "'student' must be a text; it is 123. If it is meant as a text, "
          + "write --set 'student=\"123\"'."
      ),
      (
        "sources.0.path=true",
        "'sources.0.path' must be a text; it is true. If it is meant as a text, "
          + "write --set 'sources.0.path=\"true\"'."
      ),
      ("student=['a']", "'student' must be a text; it is a list."),
      ("sources.1={}", "missing key 'sources.1.path'."),
      ("optimizer={a: 1, a: 1}", "the key 'a' is written twice. Keep one."),
      ("\u{1B}=1", "unknown key '\\u{1b}'. " + allKeys),
    ]
    for (override, finding) in cases {
      XCTAssertEqual(findings(override), ["--set \(quoted(override)): \(finding)"], override)
    }
  }

  private let allKeys =
    "The keys here are 'batchSize', 'betas', 'layouts', 'optimizer', 'packing', 'seed', "
    + "'shuffle', 'small', 'sources', 'student', 'tags' and 'weights'."

  func testElementsOfShortLists() {
    XCTAssertEqual(
      findings("betas=[]", "betas.0=1"),
      ["--set 'betas.0=1': 'betas' is empty; there is no '0'."])
    XCTAssertEqual(
      findings("betas=[1]", "betas.1=1"),
      ["--set 'betas.1=1': 'betas' has the element 0 only; there is no '1'."])
  }

  func testMistakesOfTheFileComeFirst() throws {
    let file = Data("{ student: 1, batchSize: 2, optimizer: 3 }".utf8)
    XCTAssertThrowsError(
      try decodeRecipe(
        FineTuning.self, from: file, file: "f",
        overrides: ["packing=no", "optimizer=null", "sed=1", "x"])
    ) {
      XCTAssertEqual(
        "\($0)",
        """
        f:1:12: 'student' must be a text; it is 1.
        --set 'packing=no': 'packing' must be 'none' or 'bestFit'; it is 'no'.
        --set 'optimizer=null': 'optimizer' must be an object; it is null.
        --set 'sed=1': unknown key 'sed'. Did you mean 'seed'?
        --set 'x': it must be a key, '=' and a value, such as 'seed=1'.
        """)
    }
  }
}
