import Datasets
import Foundation
import Problems
import Storage
import Teachers

/// A run of sampling as curation reads it: records one after the other, and any problem at any time.
final class RunInput: Sendable {
  let recipe: CurationRecipe.SampleRun
  let folder: SampleFolder
  /// The problems of each shard; nil for a shard without any.
  private let problemFiles: [RecordFile?]
  /// How the run asked its problems.
  private let prompt: ProblemPrompt

  /// - Throws: `CurationError`.
  init(_ recipe: CurationRecipe.SampleRun) throws(CurationError) {
    self.recipe = recipe
    do {
      folder = try SampleFolder(at: recipe.run)
      problemFiles = try folder.shards.map { shard in
        // A run that was just begun may have none yet.
        try Self.isEmpty(shard.problemsPath) ? nil : RecordFile(at: shard.problemsPath)
      }
      prompt = try Self.prompt(of: folder)
    } catch let error as CurationError {
      throw error
    } catch {
      throw CurationError(.input, "\(error)")
    }
  }

  private static func isEmpty(_ path: String) throws -> Bool {
    do throws(FileError) {
      _ = try MappedFile(at: path)
      return false
    } catch {
      if error.reason == .empty || error.reason == .missing { return true }
      throw error
    }
  }

  /// How many problems there are, a problem of several shards as often as it comes.
  var problemCount: Int { problemFiles.reduce(0) { $0 + ($1?.count ?? 0) } }

  /// A problem by its number over all shards.
  ///
  /// - Throws: `CurationError`.
  func problem(_ number: Int) throws(CurationError) -> Problem {
    var number = number
    for file in problemFiles {
      guard let file else { continue }
      if number < file.count {
        do {
          let record = try file.record(number)
          return try Problem(.object(record.object), place: file.place(of: number))
        } catch {
          throw CurationError(.input, "\(error)")
        }
      }
      number -= file.count
    }
    throw CurationError(.input, "\(folder.path): there is no problem \(number).")
  }

  func record(_ entry: SampleEntry) throws(CurationError) -> SampleRecord {
    do throws(SampleError) {
      return try folder.record(
        at: SampleFolder.Place(
          shard: Int(entry.file), offset: Int(entry.offset), length: Int(entry.length)))
    } catch {
      throw CurationError(.input, "\(error)")
    }
  }

  /// The turns that the teacher answered, or the question alone, with its options if it has any.
  ///
  /// - Throws: `CurationError`.
  func asked(_ problem: Problem, keepInstruction: Bool) throws(CurationError) -> [Message] {
    do throws(ProblemError) {
      return try (keepInstruction ? prompt : Self.bareQuestion).messages(for: problem)
    } catch {
      throw CurationError(.input, error.description)
    }
  }

  private static let bareQuestion = ProblemPrompt(
    mathematics: "{question}", choices: "{question}\n\n{options}", program: "{question}",
    other: "{question}")

  /// How a run asked its problems, by its identity; the usual way where that says nothing.
  private static func prompt(of folder: SampleFolder) throws(CurationError) -> ProblemPrompt {
    guard let shard = folder.shards.first, let prompt = shard.identity["prompt"], prompt != .null
    else { return ProblemPrompt() }
    let words: ProblemPrompt
    do {
      words = try JSONDecoder().decode(ProblemPrompt.self, from: prompt.serialized())
    } catch {
      throw CurationError(
        .input, "\(shard.path)/identity.json: its 'prompt' is none that this version knows.")
    }
    // A letter in such an answer names another option for each sample.
    guard words.optionOrder != .sample else {
      throw CurationError(
        .input,
        "\(shard.path): its options stood in an order of each sample's own, as evaluations ask them; "
          + "letters in such answers teach nothing. Sample again with 'prompt.optionOrder' \"item\"."
      )
    }
    return words
  }

  /// Whether the run asked in the words of another version, which can't be written again.
  var hasOtherWords: Bool {
    guard case .string(let version)? = folder.shards.first?.identity["prompt"].flatMap(words)
    else { return false }
    return !version.utf8.elementsEqual(ProblemPrompt.version.utf8)
  }

  private func words(_ prompt: JSONValue) -> JSONValue? {
    if case .object(let prompt) = prompt { prompt["words"] } else { nil }
  }

  /// What examples call a record.
  func place(_ record: SampleRecord, shard: Int) -> String {
    "\(folder.shards[shard].samplesPath), problem \(quoted(record.problem)), sample "
      + "\(record.sample)"
  }

  /// Every file that samples or problems are read from.
  var paths: [String] {
    folder.shards.flatMap { [$0.problemsPath, $0.samplesPath] }
  }
}
