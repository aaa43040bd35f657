import Foundation
import Interface
import Storage

/// A numbered recipe of a folder: `2-curate.json5`.
public struct StageFile: Equatable, Sendable {
  /// The number as it is written, without zeros before it.
  public let number: String
  /// The file's name without its ending.
  public let name: String
  public let path: String

  public init(number: String, name: String, path: String) {
    (self.number, self.name, self.path) = (number, name, path)
  }

  /// A file whose name is a number, a hyphen, a word and `.json5`; nil for any other name.
  public init?(named file: String, in folder: String) {
    let ending = ".json5"
    guard file.hasSuffix(ending) else { return nil }
    let name = String(file.dropLast(ending.count))
    let digits = name.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    let rest = name.utf8.dropFirst(digits.count)
    guard !digits.isEmpty, rest.first == UInt8(ascii: "-"), rest.count > 1 else { return nil }
    let significant = digits.drop { $0 == UInt8(ascii: "0") }
    number = significant.isEmpty ? "0" : String(decoding: significant, as: UTF8.self)
    self.name = name
    path = folder.hasSuffix("/") ? folder + file : folder + "/" + file
  }

  /// The numbered recipes of a folder by their numbers (1, 2, 10), and by their names where two
  /// have one number. Other files are passed over.
  ///
  /// - Throws: `PipelineError` if there is none, or no such folder.
  public static func all(in folder: String) throws(PipelineError) -> [StageFile] {
    let files: [String]
    do throws(FileError) {
      files = try names(inFolder: folder)
    } catch {
      guard error.reason == .notFolder else { throw PipelineError("\(error)") }
      throw PipelineError(
        "\(printable(folder)): a file, where a folder of numbered recipes is needed. A single recipe "
          + "is run by the command of its kind, such as 'distill generate'.")
    }
    let stages = files.compactMap { StageFile(named: $0, in: folder) }
    guard !stages.isEmpty else {
      throw PipelineError(
        "\(printable(folder)): no numbered recipe is in it. A folder that can be run holds one recipe "
          + "for each stage, as '1-generate.json5' and '2-curate.json5', run in the order of their "
          + "numbers.")
    }
    return stages.sorted { a, b in
      // A number without zeros before it is larger if it is longer.
      if a.number.utf8.count != b.number.utf8.count {
        return a.number.utf8.count < b.number.utf8.count
      }
      if a.number != b.number { return a.number < b.number }
      return a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }
  }
}
