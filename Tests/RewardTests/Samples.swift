import Foundation
import Problems
import XCTest

@testable import Reinforcement

func problem(_ reference: Problem.Reference = .answer("4"), id: String = "sum") -> Problem {
  Problem(id: id, question: "What is 2+2?", reference: reference, source: "test", place: "test:1")
}

func sampled(
  _ text: String, _ reference: Problem.Reference = .answer("4"), tokens: Int = 10,
  isCut: Bool = false, sample: Int = 0
) -> SampledAnswer {
  SampledAnswer(
    problem: problem(reference), prompt: "What is 2+2? Box it.", sample: sample, text: text,
    tokenCount: tokens, isCut: isCut)
}

/// A folder that is gone when the test is over.
func temporaryFolder(_ test: XCTestCase) throws -> String {
  let path = FileManager.default.temporaryDirectory.path + "/distill-rewards-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  test.addTeardownBlock { try? FileManager.default.removeItem(atPath: path) }
  return path
}
