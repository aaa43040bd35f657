import XCTest

/// A target imports what `Package.swift` says it may, and nothing else of the package.
///
/// The build's own check (`--explicit-target-dependency-import-check`) lets pass what a dependency
/// depends on; this one doesn't.
final class ImportTests: XCTestCase {
  func testTargetsImportOnlyTheirDependencies() throws {
    let targets = try Target.all()
    let names = Set(targets.map(\.name))
    XCTAssertGreaterThan(names.count, 5, "the package's targets were not found")
    var imports = 0
    for target in targets {
      let sources = Package.files(in: target.path).filter { $0.hasSuffix(".swift") }
      for source in sources {
        for line in try Package.text(source).split(separator: "\n") {
          guard let module = Self.module(importedBy: line), names.contains(module) else { continue }
          imports += 1
          if module != target.name && !target.dependencies.contains(module) {
            XCTFail("\(source): 'import \(module)' is not among the dependencies in Package.swift.")
          }
        }
      }
    }
    XCTAssertGreaterThan(imports, 10, "no imports were found")
  }

  /// Reinforcement is an add-on: without its folder, its command, its example and their tests the
  /// rest builds.
  func testOnlyItsCommandAndItsExampleImportReinforcement() throws {
    var importers: Set<String> = []
    for target in try Target.all() where target.name != "Reinforcement" {
      for source in Package.files(in: target.path) where source.hasSuffix(".swift") {
        let lines = try Package.text(source).split(separator: "\n")
        if lines.contains(where: { Self.module(importedBy: $0) == "Reinforcement" }) {
          importers.insert(source)
        }
      }
    }
    XCTAssertEqual(
      importers.filter { !$0.hasPrefix("Tests/") }.sorted(),
      [
        "Examples/custom-reward/main.swift", "Sources/Commands/ReinforceCommand.swift",
        "Sources/Commands/ReinforcementDisplay.swift",
        "Sources/Commands/ReinforcementRecipeKind.swift",
      ])
    let tests = ["ReinforcementTests", "ObjectiveTests", "RewardTests"]
    for source in importers where source.hasPrefix("Tests/") {
      XCTAssertTrue(tests.contains { source.hasPrefix("Tests/\($0)/") }, source)
    }
  }

  /// The module of `import Name`, `@testable import Name` or `import struct Name.Type`.
  private static func module(importedBy line: Substring) -> String? {
    let words = line.split(separator: " ")
    guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
      words[..<at].allSatisfy({ $0.hasPrefix("@") || $0.hasSuffix("public") })
    else { return nil }
    let kinds = ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"]
    let name = kinds.contains(String(words[at + 1])) ? words.dropFirst(at + 2).first : words[at + 1]
    return name?.split(separator: ".").first.map(String.init)
  }
}

/// A target as `Package.swift` writes it.
private struct Target {
  let name: String
  let dependencies: [String]
  let path: String

  static func all() throws -> [Target] {
    let text = try Package.text("Package.swift")
    return ["target", "executableTarget", "testTarget"].flatMap { kind in
      text.components(separatedBy: ".\(kind)(").dropFirst().compactMap { rest in
        // Up to where the next target begins.
        let own = rest.components(separatedBy: "arget(")[0]
        guard let name = quoted(after: "name: ", in: own).first else { return nil }
        let folder = (kind == "testTarget" ? "Tests/" : "Sources/") + name
        return Target(
          name: name, dependencies: quoted(after: "dependencies: [", in: own),
          path: quoted(after: "path: ", in: own).first ?? folder)
      }
    }
  }

  /// The texts in double quotes between `label` and the next closing bracket.
  private static func quoted(after label: String, in text: String) -> [String] {
    let parts = text.components(separatedBy: label)
    guard parts.count > 1 else { return [] }
    let own = parts[1].prefix { $0 != "]" && $0 != ")" }
    return own.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
      .filter { $0.offset % 2 == 1 }.map { String($0.element) }
  }
}
