// Writes arithmetic stories, from which the models of Recipes/tiny are made and on which they are
// measured. The same command writes the same bytes.
//
//   swift run -c release arithmetic-stories problems --split test --steps 2-3 --count 400
//
// Exits with status 64 if it does not understand, with 1 if it can't write.
import Foundation
import Stories

let usage = """
  Usage: arithmetic-stories <kind> [--count <lines>] [--steps <from>-<to>] [--split <split>]
                            [--seed <number>]

  Writes lines of JSON: 'problems', 'facts', 'answers', 'traces' or 'corpus'. 100 of them, of 2 to 5
  steps, of the split 'training' (or 'development' or 'test'), with seed 0, if nothing else is said.

  """

func complain(_ words: String, status: Int32) -> Never {
  FileHandle.standardError.write(Data("Error: \(words)\n".utf8))
  exit(status)
}

func file(_ arguments: [String]) throws -> StoryFile {
  guard let name = arguments.first, let kind = StoryFile.Kind(rawValue: name) else {
    throw StoryError(
      "The first argument must be one of "
        + "\(StoryFile.Kind.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")).")
  }
  var count = 100
  var steps = 2...5
  var split = Split.training
  var seed: UInt64 = 0
  var rest = arguments.dropFirst()
  while let option = rest.popFirst() {
    guard let value = rest.popFirst() else { throw StoryError("'\(option)' has no value.") }
    let numbers = value.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    switch option {
    case "--count":
      guard let number = Int(value) else { throw StoryError("'\(value)' is no number of lines.") }
      count = number
    case "--steps":
      guard numbers.count <= 2, let from = numbers[0], let to = numbers[numbers.count - 1],
        from <= to
      else { throw StoryError("'\(value)' are no steps, such as '2-5' or '3'.") }
      steps = from...to
    case "--split":
      guard let known = Split(rawValue: value) else {
        throw StoryError("'\(value)' is not 'training', 'development' or 'test'.")
      }
      split = known
    case "--seed":
      guard let number = UInt64(value) else { throw StoryError("'\(value)' is no seed.") }
      seed = number
    default: throw StoryError("'\(option)' is not known.")
    }
  }
  return try StoryFile(kind, count: count, steps: steps, of: split, seed: seed)
}

let arguments = Array(CommandLine.arguments.dropFirst())
if arguments.isEmpty || arguments.contains("--help") {
  print(usage, terminator: "")
  exit(0)
}
do {
  let stories = try file(arguments)
  var lines = Data()
  do {
    try stories.write { line in
      lines += Data(line.utf8)
      if lines.count >= 1 << 20 {
        try FileHandle.standardOutput.write(contentsOf: lines)
        lines = Data()
      }
    }
    try FileHandle.standardOutput.write(contentsOf: lines)
  } catch {
    complain("\(error)", status: 1)
  }
} catch {
  complain("\(error)\n\(usage)", status: 64)
}
