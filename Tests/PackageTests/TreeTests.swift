import XCTest

/// The tree in the README lists exactly the files there are.
///
/// It is a block of code under the heading below. A line is a path, two blanks or more, and what
/// the thing is. A path that ends in '/' is a folder; indented names below it lie in it. Every file
/// of Sources has a line, and every folder of Tests; other lines are free, if what they name exists.
final class TreeTests: XCTestCase {
  static let heading = "## What is where"

  func testTheTreeListsExactlyTheFilesThereAre() throws {
    let listed = Set(try Tree(in: Package.text("README.md")).paths)
    let testFolders = Package.files(in: "Tests").compactMap { path -> String? in
      let parts = path.split(separator: "/")
      return parts.count > 2 ? "Tests/\(parts[1])/" : nil
    }
    let expected = Set(Package.files(in: "Sources") + testFolders)
    XCTAssertGreaterThan(expected.count, 10, "the package's files were not found")
    for path in expected.subtracting(listed).sorted() {
      XCTFail("README.md: '\(path)' has no line under '\(Self.heading)'.")
    }
    for path in listed.subtracting(expected).sorted()
    where !FileManager.default.fileExists(atPath: Package.root.appendingPathComponent(path).path) {
      XCTFail("README.md: '\(path)' under '\(Self.heading)' does not exist.")
    }
  }

  func testEveryLineOfTheTreeSaysWhatTheThingIs() throws {
    let tree = try Tree(in: Package.text("README.md"))
    XCTAssertEqual(tree.lines.filter { $0.description.isEmpty }.map(\.path), [])
    XCTAssertEqual(
      Dictionary(grouping: tree.paths) { $0 }.filter { $1.count > 1 }.keys.sorted(), [],
      "listed twice")
  }
}

/// The tree of a README, line by line.
private struct Tree {
  private(set) var lines: [(path: String, description: String)] = []

  /// Folders that only head the lines below them count as listed too.
  var paths: [String] { lines.map(\.path) }

  init(in text: String) throws {
    let all = text.split(separator: "\n", omittingEmptySubsequences: false)
    let heading = try XCTUnwrap(
      all.firstIndex { $0 == TreeTests.heading }, "README.md has no '\(TreeTests.heading)'.")
    let start = try XCTUnwrap(
      all[heading...].firstIndex { $0.hasPrefix("```") },
      "README.md has no block of code under '\(TreeTests.heading)'.")
    var folder = ""
    for line in all[(start + 1)...].prefix(while: { !$0.hasPrefix("```") }) where !line.isEmpty {
      let words = line.split(separator: " ", maxSplits: 1)
      guard let name = words.first.map(String.init) else { continue }
      let isIndented = line.hasPrefix(" ")
      if !isIndented { folder = name.hasSuffix("/") ? name : "" }
      let description = words.count > 1 ? words[1].drop { $0 == " " } : ""
      lines.append((isIndented ? folder + name : name, String(description)))
    }
  }
}
