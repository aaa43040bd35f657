import Foundation
import XCTest

/// An empty folder for one test, removed with this object.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("problem-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { path + "/" + name }

  func write(_ text: String, as name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }
}

/// Files that are not part of the package: the folder in `DISTILL_FIXTURES`.
enum SharedFixture {
  static func path(_ name: String) throws -> String {
    guard let folder = ProcessInfo.processInfo.environment["DISTILL_FIXTURES"] else {
      throw XCTSkip("DISTILL_FIXTURES names no folder of fixtures.")
    }
    return folder + "/" + name
  }
}
