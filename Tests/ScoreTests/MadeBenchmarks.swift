import Scores
import XCTest

/// A problem from letters: `r` right, `w` wrong, `c` cut, `n` no answer, `u` unreadable, `t` time-out,
/// `i` infrastructure. Right answers are of class 0, wrong ones of the class that a digit after them
/// names, else 1.
func problem(_ id: String, _ letters: String, tokens: Int = 10) -> ScoredProblem {
  var samples: [ScoredSample] = []
  for letter in letters {
    switch letter {
    case "r": samples.append(ScoredSample(.right, answerClass: 0, tokens: tokens))
    case "w": samples.append(ScoredSample(.wrong, answerClass: 1, tokens: tokens))
    case "c": samples.append(ScoredSample(.cut, tokens: tokens))
    case "n": samples.append(ScoredSample(.noAnswer, tokens: tokens))
    case "u": samples.append(ScoredSample(.unreadable, tokens: tokens))
    case "t": samples.append(ScoredSample(.timeout, tokens: tokens))
    case "i": samples.append(ScoredSample(.infrastructure, tokens: tokens))
    default:
      let last = samples.removeLast()
      samples.append(
        ScoredSample(last.outcome, answerClass: letter.wholeNumberValue, tokens: last.tokens))
    }
  }
  return ScoredProblem(id: id, samples: samples)
}

/// Problems named by numbers, as many samples asked for as the first has.
func benchmark(
  _ problems: String..., name: String = "AIME", asked: Int? = nil
) throws -> ScoredBenchmark {
  let made = problems.enumerated().map { problem("p\($0 + 1)", $1) }
  return try ScoredBenchmark(
    name: name, samplesAsked: asked ?? made.map(\.samples.count).max() ?? 1, problems: made)
}

/// A score from values alone.
func score(_ values: [Double], on name: String = "AIME", of kind: String = "pass@1") throws -> Score
{
  try Score(
    benchmark: name, name: kind,
    values: values.enumerated().map { ("p\(1000 + $0)", $1) })
}

func assertThrows<T>(
  _ value: @autoclosure () throws -> T, _ sentence: String, file: StaticString = #filePath,
  line: UInt = #line
) {
  XCTAssertThrowsError(try value(), file: file, line: line) {
    XCTAssertEqual(
      ($0 as? ScoreError)?.description ?? "\($0)", sentence, file: file, line: line)
  }
}

/// Numbers that look random and are the same in every run.
struct Scramble: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state ^ (state >> 29)) &* 0x9E37_79B9_7F4A_7C15
  }
}
