import XCTest

/// Every example runs, and does what it says.
final class ExampleTests: XCTestCase {
  func testMemorize() throws {
    let (output, status) = try run("memorize")
    XCTAssertEqual(
      output.split(separator: "\n").last,
      "She sells sea shells by the sea shore, and the shells she sells are sea shells.")
    XCTAssertEqual(status, 0)
  }

  func testArithmeticStories() throws {
    let (output, status) = try run("arithmetic-stories", "problems", "--count", "3", "--steps", "2")
    XCTAssertEqual(status, 0)
    XCTAssertEqual(output.split(separator: "\n").count, 3)
    for line in output.split(separator: "\n") {
      XCTAssertTrue(line.hasSuffix(",\"difficulty\":\"2 steps\"}"), "\(line)")
    }
    XCTAssertEqual(try run("arithmetic-stories", "poems").status, 64)
    XCTAssertEqual(
      try run("arithmetic-stories", "problems", "--split", "test", "--steps", "1").status, 1)
  }

  func testEveryExampleIsTested() throws {
    let folders = Package.files(in: "Examples").filter { $0.hasSuffix("main.swift") }
    XCTAssertEqual(
      folders, ["Examples/arithmetic-stories/main.swift", "Examples/memorize/main.swift"],
      "an example needs a test here")
  }

  /// Runs an executable that was built beside this test.
  private func run(_ name: String, _ arguments: String...) throws -> (output: String, status: Int32)
  {
    #if os(macOS)
      let bundle = try XCTUnwrap(Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") })
      let folder = bundle.bundleURL.deletingLastPathComponent()
    #else
      let folder = Bundle.main.bundleURL
    #endif
    let process = Process()
    process.executableURL = folder.appendingPathComponent(name)
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (String(decoding: output, as: UTF8.self), process.terminationStatus)
  }
}
