import XCTest

/// `Examples/quickstart.sh`, with stand-ins for all that it calls.
final class QuickstartTests: XCTestCase {
  /// A folder of programs that is all of `PATH`, where each notes how it was called.
  private struct Machine {
    let folder: String
    var log: String { (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? "" }

    init(_ test: XCTestCase) throws {
      folder = FileManager.default.temporaryDirectory.path + "/quickstart-\(UUID().uuidString)"
      let folder = folder
      try FileManager.default.createDirectory(
        atPath: folder + "/bin", withIntermediateDirectories: true)
      test.addTeardownBlock { try? FileManager.default.removeItem(atPath: folder) }
      for name in ["bash", "cat", "dirname", "env"] {
        let real = try XCTUnwrap(
          ["/bin/", "/usr/bin/"].map { $0 + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) })
        try FileManager.default.createSymbolicLink(
          atPath: folder + "/bin/" + name, withDestinationPath: real)
      }
      try add("uname", "echo Linux")
      try add("id", "echo 0")
      try add("ldconfig", "cat '\(folder)/libraries'")
      try write("libopenblas.so.0 => /lib/libopenblas.so.0\n", as: "libraries")
      try add(
        "swift",
        "\(note) case \"$*\" in *--show-bin-path) echo '\(folder)/bin' ;; esac")
      try add("distill", "\(note) [ -e Package.swift ] && [ -d Recipes/tiny ]")
    }

    /// What a stand-in does to note how it was called.
    var note: String { "echo \"${0##*/} $*\" >>'\(folder)/log';" }

    func add(_ name: String, _ script: String) throws {
      try write("#!/bin/sh\n\(script)\n", as: "bin/" + name)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o755], ofItemAtPath: folder + "/bin/" + name)
    }

    func remove(_ name: String) throws {
      try FileManager.default.removeItem(atPath: folder + "/bin/" + name)
    }

    func write(_ text: String, as name: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
    }

    func run(_ arguments: String...) throws -> (output: String, errors: String, status: Int32) {
      let process = Process()
      process.executableURL = Package.root.appendingPathComponent("Examples/quickstart.sh")
      process.arguments = arguments
      process.environment = ["PATH": folder + "/bin", "HOME": folder]
      process.currentDirectoryURL = URL(fileURLWithPath: folder)
      let (output, errors) = (Pipe(), Pipe())
      (process.standardOutput, process.standardError) = (output, errors)
      try process.run()
      let texts = [output, errors].map {
        String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      }
      process.waitUntilExit()
      return (texts[0], texts[1], process.terminationStatus)
    }
  }

  private let built = """
    swift build -c release --product distill
    swift build -c release --show-bin-path
    distill run Recipes/tiny

    """

  func testItBuildsAndRuns() throws {
    let machine = try Machine(self)
    let (output, errors, status) = try machine.run()
    XCTAssertEqual(status, 0)
    XCTAssertEqual(errors, "")
    XCTAssertTrue(
      output.hasSuffix("\n== Building distill\n\n== Running Recipes/tiny\n"), output)
    XCTAssertFalse(output.contains("OpenBLAS"), output)
    XCTAssertEqual(machine.log, built)
  }

  func testItsStatusIsThatOfTheRun() throws {
    let machine = try Machine(self)
    try machine.add("distill", "exit 75")
    XCTAssertEqual(try machine.run().status, 75)
  }

  func testABuildThatFailsEndsIt() throws {
    let machine = try Machine(self)
    try machine.add("swift", "\(machine.note) exit 3")
    XCTAssertEqual(try machine.run().status, 3)
    XCTAssertEqual(machine.log, "swift build -c release --product distill\n")
  }

  func testArguments() throws {
    let machine = try Machine(self)
    for word in ["--help", "-h"] {
      let (output, errors, status) = try machine.run(word)
      XCTAssertTrue(output.hasPrefix("Usage: Examples/quickstart.sh\n\nInstalls what"), output)
      XCTAssertEqual(errors, "")
      XCTAssertEqual(status, 0)
    }
    let (output, errors, status) = try machine.run("--fast", "now")
    XCTAssertEqual(output, "")
    XCTAssertEqual(
      errors, "Error: '--fast now' is not known; this takes no argument but '--help'.\n")
    XCTAssertEqual(status, 64)
    XCTAssertEqual(machine.log, "")
  }

  func testWithoutSwift() throws {
    let machine = try Machine(self)
    try machine.remove("swift")
    let (output, errors, status) = try machine.run()
    XCTAssertEqual(output, "")
    XCTAssertEqual(
      errors, "Error: There is no 'swift'. Install Swift 6: https://swift.org/install\n")
    XCTAssertEqual(status, 1)
  }

  // MARK: - OpenBLAS is missing

  /// What is said about OpenBLAS; the rest is built all the same.
  private func said(_ machine: Machine, prepare: (Machine) throws -> Void) throws -> String {
    try machine.write("", as: "libraries")
    try prepare(machine)
    let (output, errors, status) = try machine.run()
    XCTAssertEqual(errors, "")
    XCTAssertEqual(status, 0)
    XCTAssertTrue(machine.log.hasSuffix(built), machine.log)
    let lines = output.split(separator: "\n")
    XCTAssertEqual(lines.first, "== Installing OpenBLAS", output)
    return lines.filter { $0.contains("OpenBLAS is missing") }.joined(separator: "\n")
  }

  func testItIsInstalled() throws {
    let machine = try Machine(self)
    let apt = "\(machine.note) echo libopenblas.so.0 >'\(machine.folder)/libraries'"
    XCTAssertEqual(try said(machine) { try $0.add("apt-get", apt) }, "")
    XCTAssertTrue(
      machine.log.hasPrefix("apt-get update -q\napt-get install -qy libopenblas-dev\n"),
      machine.log)
  }

  func testItIsInstalledWithSudo() throws {
    let machine = try Machine(self)
    let install = "echo libopenblas.so.0 >'\(machine.folder)/libraries'"
    XCTAssertEqual(
      try said(machine) {
        try $0.add("id", "echo 1000")
        try $0.add("apt-get", "exit 1")
        try $0.add("sudo", "\(machine.note) \(install)")
      }, "")
    XCTAssertTrue(
      machine.log.hasPrefix(
        """
        sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q
        sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy libopenblas-dev

        """), machine.log)
  }

  func testItCannotBeInstalled() throws {
    XCTAssertEqual(
      try said(Machine(self)) { _ in },
      "Note: OpenBLAS is missing. Install it with this system's package manager.")
    XCTAssertEqual(
      try said(Machine(self)) {
        try $0.add("id", "echo 1000")
        try $0.add("apt-get", "")
      }, "Note: OpenBLAS is missing. Install it as root with 'apt-get install libopenblas-dev'.")
    for script in ["", "exit 100"] {
      XCTAssertEqual(
        try said(Machine(self)) { try $0.add("apt-get", script) },
        "Note: OpenBLAS is missing, and 'apt-get install libopenblas-dev' did not succeed.")
    }
  }

  func testUnderMacOS() throws {
    #if os(macOS)
      throw XCTSkip("What is installed here can't be hidden.")
    #else
      XCTAssertEqual(
        try said(Machine(self)) { try $0.add("uname", "echo Darwin") },
        "Note: OpenBLAS is missing. Install it with 'brew install openblas'.")
    #endif
  }
}
