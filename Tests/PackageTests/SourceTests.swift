import XCTest

/// What no compiler checks and every source keeps to.
final class SourceTests: XCTestCase {
  /// A package with unsafe flags can't be another one's dependency.
  func testThePackageHasNoUnsafeFlags() throws {
    XCTAssertFalse(try Package.text("Package.swift").contains("unsafeFlags"))
  }

  func testThePackageDependsOnNoOther() throws {
    XCTAssertFalse(try Package.text("Package.swift").contains(".package("))
  }

  /// Data may be wrong, and is answered with an error; see CONTRIBUTING.md.
  func testNoSourceTrapsOnData() throws {
    let sources = ["Sources", "Examples"].flatMap(Package.files).filter { $0.hasSuffix(".swift") }
    XCTAssertGreaterThan(sources.count, 10, "the package's sources were not found")
    for source in sources {
      for (index, line) in try Package.text(source).split(
        separator: "\n", omittingEmptySubsequences: false
      ).enumerated() {
        for word in ["fatalError(", "try!"] where line.contains(word) {
          XCTFail("\(source):\(index + 1): '\(word)' stops the program; throw an error.")
        }
      }
    }
  }
}
