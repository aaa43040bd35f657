import Datasets
import Problems
import Storage
import Teachers

/// A run of sampling as curation reads it: records one after the other, and any problem at any time.
final class RunInput: Sendable {
  let recipe: CurationRecipe.SampleRun
  let folder: SampleFolder
  /// The problems of each shard; nil for a shard without any.
  private let problemFiles: [RecordFile?]

  /// - Throws: `CurationError`.
  init(_ recipe: CurationRecipe.SampleRun) throws(CurationError) {
    self.recipe = recipe
    do {
      folder = try SampleFolder(at: recipe.run)
      problemFiles = try folder.shards.map { shard in
        // A run that was just begun may have none yet.
        try Self.isEmpty(shard.problemsPath) ? nil : RecordFile(at: shard.problemsPath)
      }
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

  /// The turns that the teacher answered, or the question alone.
  func asked(_ problem: Problem, keepInstruction: Bool) -> [TeacherQuestion.Message] {
    [TeacherQuestion.Message(role: "user", content: problem.question)]
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
