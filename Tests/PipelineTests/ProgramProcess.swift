import Foundation
import XCTest

extension Folder {
  /// Starts the program itself in the folder; what it says goes to `out.txt` and `err.txt` there.
  func start(_ words: [String]) throws -> Process {
    let process = Process()
    process.executableURL = try Self.executable()
    process.arguments = words
    process.currentDirectoryURL = URL(fileURLWithPath: path)
    process.environment = ProcessInfo.processInfo.environment.merging(["DISTILL_THREADS": "2"]) {
      $1
    }
    process.standardInput = FileHandle.nullDevice
    for (name, isOutput) in [("out.txt", true), ("err.txt", false)] {
      _ = FileManager.default.createFile(atPath: file(name), contents: nil)
      let handle = try XCTUnwrap(FileHandle(forWritingAtPath: file(name)))
      if isOutput { process.standardOutput = handle } else { process.standardError = handle }
    }
    try process.run()
    return process
  }

  private static func executable() throws -> URL {
    let folder = Bundle(for: WholeRunTests.self).bundleURL
    let places = [folder, folder.deletingLastPathComponent()].map {
      $0.appendingPathComponent("distill")
    }
    return try XCTUnwrap(
      places.first { FileManager.default.isExecutableFile(atPath: $0.path) }, "\(places)")
  }
}
