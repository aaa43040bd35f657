import Foundation
import XCTest

@testable import Interface

private struct TooSmall: Error, CustomStringConvertible {
  let description = "The batch size must be at least 1."
}

private let template = """
  // Fine-tunes a student.
  {
    student: "Checkpoints/q",
    packing: "bestFit",
    batchSize: 64,  // rows per step
    optimizer: { learningRate: 1e-5, weightDecay: 0 },
  }
  """

private let kinds = [
  RecipeKind(
    "fine-tune", as: FineTuning.self, summary: "Fine-tunes a student on samples.",
    template: template
  ) { recipe in if recipe.batchSize < 1 { throw TooSmall() } },
  RecipeKind(
    "evaluate", as: FineTuning.Optimizer.self, summary: "Scores a model.",
    template: "{ learningRate: 1, weightDecay: 2 }\n"),
]

private let program = Program(
  "distill", version: "0.1.0", summary: "S.",
  commands: [.recipe(kinds: kinds, program: "distill")])

final class RecipeKindTests: XCTestCase {
  private func run(_ words: String...) -> (output: String, errors: String, status: Int32) {
    let transcript = Transcript()
    let status = program.run(words, on: transcript.console())
    return (transcript.output, transcript.errors, status)
  }

  func testTemplatesDecodeAsTheirOwnType() throws {
    for kind in kinds { XCTAssertNoThrow(try kind.checkTemplate(), kind.name) }
  }

  func testATemplateThatDoesNotDecodeIsFound() {
    let kind = RecipeKind(
      "sft", as: FineTuning.Optimizer.self, summary: "S.", template: "{ learningRate: 1 }")
    XCTAssertThrowsError(try kind.checkTemplate()) {
      XCTAssertEqual("\($0)", "the template of 'sft':1:1: missing key 'weightDecay'.")
    }
  }

  func testAKindsOwnCheck() {
    XCTAssertThrowsError(
      try kinds[0].check(Data(template.utf8), file: "f", overrides: ["batchSize=0"])
    ) { XCTAssertEqual("\($0)", "The batch size must be at least 1.") }
  }

  func testTheTemplateIsPrintedAsItIs() {
    XCTAssertEqual(run("recipe", "fine-tune").output, template + "\n")
    XCTAssertEqual(run("recipe", "evaluate").output, "{ learningRate: 1, weightDecay: 2 }\n")
    XCTAssertEqual(run("recipe", "evaluate").status, 0)
  }

  func testTheKindsAreListed() {
    XCTAssertEqual(
      run("recipe").output,
      "  fine-tune  Fine-tunes a student on samples.\n  evaluate   Scores a model.\n")
  }

  func testUnknownKinds() {
    let usage = "Usage: distill recipe [<kind>]\nSee 'distill help recipe'.\n"
    let near = run("recipe", "fine-tnue")
    XCTAssertEqual(
      near.errors,
      "Error: Unknown kind of recipe 'fine-tnue'. Did you mean 'fine-tune'?\n\(usage)")
    XCTAssertEqual(near.status, 64)
    XCTAssertEqual(
      run("recipe", "x").errors,
      "Error: Unknown kind of recipe 'x'. There are 'fine-tune' and 'evaluate'.\n\(usage)")
  }

  func testThePage() {
    XCTAssertEqual(
      run("help", "recipe").output,
      """
      Prints a recipe to start from.

      A recipe is a file in JSON5 that states everything about a run. The one that is
      printed holds the recommended values, with a reason beside each.

      Usage: distill recipe [<kind>]

      Arguments:
        <kind>  The kind of recipe; without it, a list of them.

      Examples:
        distill recipe
        distill recipe fine-tune > my-fine-tune.json5

      """)
    XCTAssertEqual(program.findings, [])
  }
}

final class RecipeFileTests: XCTestCase {
  private var folder = ""

  override func setUpWithError() throws {
    folder = NSTemporaryDirectory() + "recipes-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  override func tearDownWithError() throws { try FileManager.default.removeItem(atPath: folder) }

  private func finding(_ name: String) -> String {
    do {
      _ = try readRecipe(FineTuning.self, at: "\(folder)/\(name)")
      return ""
    } catch {
      return "\(error)".replacingOccurrences(of: "\(folder)/", with: "")
    }
  }

  func testAFileIsRead() throws {
    try Data(template.utf8).write(to: URL(fileURLWithPath: "\(folder)/a.json5"))
    let resolved = try readRecipe(
      FineTuning.self, at: "\(folder)/a.json5", overrides: ["batchSize=2"])
    XCTAssertEqual(resolved.recipe.batchSize, 2)
    XCTAssertEqual(resolved.recipe.student, "Checkpoints/q")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder)/link.json5", withDestinationPath: "a.json5")
    XCTAssertEqual(finding("link.json5"), "")
  }

  func testWhatIsNoRecipe() throws {
    try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(folder)/sft.json5"))
    try Data().write(to: URL(fileURLWithPath: "\(folder)/empty"))
    try Data(repeating: 0x20, count: 1_048_577).write(to: URL(fileURLWithPath: "\(folder)/large"))
    try FileManager.default.createDirectory(
      atPath: "\(folder)/folder", withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder)/loop", withDestinationPath: "loop")
    XCTAssertEqual(mkfifo("\(folder)/fifo", 0o600), 0)

    let cases = [
      ("none", "none: there is no such file."),
      ("stf.json5", "stf.json5: there is no such file. Did you mean 'sft.json5'?"),
      ("no/such/folder", "no/such/folder: there is no such file."),
      ("sft.json5/x", "sft.json5/x: the file cannot be read: Not a directory."),
      (
        "empty",
        "empty:1:1: the text is empty; it must hold an object, such as '{ seed: 1 }'."
      ),
      ("large", "large: the file has 1048577 bytes; a recipe has at most 1048576."),
      ("folder", "folder: this is not a file; it must be a recipe."),
      ("fifo", "fifo: this is not a file; it must be a recipe."),
      ("loop", "loop: the file cannot be read: Too many levels of symbolic links."),
    ]
    for (name, expected) in cases { XCTAssertEqual(finding(name), expected) }
  }

  func testAFileThatMayNotBeRead() throws {
    try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(folder)/secret"))
    chmod("\(folder)/secret", 0)
    // The superuser may read everything, and so becomes nobody for a moment.
    let isSuperuser = geteuid() == 0
    if isSuperuser {
      chmod(folder, 0o755)
      XCTAssertEqual(seteuid(65534), 0)
    }
    defer { if isSuperuser { XCTAssertEqual(seteuid(0), 0) } }
    XCTAssertEqual(finding("secret"), "secret: the file cannot be read: Permission denied.")
  }
}
