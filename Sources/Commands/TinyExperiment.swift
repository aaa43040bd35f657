import CTinyExperiment
import Foundation
import Interface
import Storage

/// The experiment that `distill run` runs by itself: recipes, problems and checkpoints, carried by the
/// program.
enum TinyExperiment {
  /// Where its recipes are, in the package and in a copy.
  static let recipes = "Recipes/tiny"
  /// The folder of a copy.
  static let folder = "distill-tiny"

  struct File {
    let path: String
    let bytes: Data
  }

  /// All its files, with their paths in the package.
  static var files: [File] {
    (0..<ct_file_count).compactMap { place in
      guard let file = ct_file_at(place)?.pointee, let path = file.path, let bytes = file.bytes
      else {
        return nil
      }
      return File(path: String(cString: path), bytes: Data(bytes: bytes, count: file.count))
    }
  }

  /// Writes the files that are not there yet; what is there stays as it is.
  ///
  /// - Returns: How many were written.
  /// - Throws: `FileError`; `CommandError` if the program carries none.
  static func layOut(in folder: String) throws -> Int {
    let files = files
    if files.isEmpty {
      throw CommandError(
        "This program was built without the tiny experiment. Name a folder of recipes, or run it in "
          + "the package's folder.")
    }
    var written = 0
    try makeFolders(folder + "/Checkpoints/runs")
    for file in files {
      let path = folder + "/" + file.path
      if FileManager.default.fileExists(atPath: path) { continue }
      try makeFolders(String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex)))
      try AtomicFile.write(file.bytes, to: path)
      written += 1
    }
    return written
  }

  /// Makes a folder and what holds it.
  private static func makeFolders(_ path: String) throws {
    var whole = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      whole += (whole.isEmpty || whole.hasSuffix("/") ? "" : "/") + part
      try makeFolder(at: whole)
    }
  }
}
