import Foundation

/// The package as it lies on disk.
enum Package {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// The paths of all files in a folder and below it, from the root, sorted; no hidden ones.
  static func files(in folder: String) -> [String] {
    let start = root.appendingPathComponent(folder)
    let found = FileManager.default.enumerator(
      at: start, includingPropertiesForKeys: [.isRegularFileKey], options: .skipsHiddenFiles)
    return (found?.compactMap { $0 as? URL } ?? []).filter { url in
      (try? url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true
    }.map { url in
      url.standardizedFileURL.path.dropFirst(root.standardizedFileURL.path.count)
        .drop { $0 == "/" }.description
    }.sorted()
  }
}
