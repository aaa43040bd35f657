import Foundation
import XCTest

@testable import Storage

/// Lets every single call of every kind of output fail in every way, and the process end there.
///
/// What must hold afterwards: the final name has all of the old or all of the new, an output that
/// reported no error is the new one, and the next writer succeeds and leaves nothing else behind.
final class FaultTests: XCTestCase {
  private struct Output {
    let name: String
    /// Answers `.exchange` with this.
    var exchange: Int32?
    var hasOld = true
    let write: (TemporaryFolder, String) throws -> Void
    let read: (TemporaryFolder) -> String?
  }

  private let outputs = [
    Output(
      name: "file", hasOld: false,
      write: { try AtomicFile.write(Data($1.utf8), to: $0.file("out")) },
      read: { $0.text("out") }),
    Output(
      name: "older file",
      write: { try AtomicFile.write(Data($1.utf8), to: $0.file("out")) },
      read: { $0.text("out") }),
    Output(name: "folder", hasOld: false, write: writeFolder, read: readFolder),
    Output(name: "older folder", write: writeFolder, read: readFolder),
    Output(
      name: "older folder, no exchange", exchange: ENOSYS, write: writeFolder, read: readFolder),
  ]

  func testOneCallFails() throws {
    for output in outputs {
      for code in [ENOSPC, EIO, EDQUOT, EACCES, EROFS] {
        var isSeen = false
        let calls = try forEveryCall(of: output) { folder, call, run in
          let script = FaultScript(output.exchange) { $0 == call ? .error(code) : nil }
          let error = run(script)
          let context = "\(output.name): call \(call), \(script.last), error \(code)"
          let found = output.read(folder)
          XCTAssertTrue(error is FileError || error == nil, "\(error as Any) \(context)")
          if error == nil {
            XCTAssertEqual(found, "new", context)
          } else {
            isSeen = true
            // A failure after the renaming leaves the new one, which is whole.
            XCTAssertTrue(found == (output.hasOld ? "old" : nil) || found == "new", context)
          }
          return script.isReached
        }
        XCTAssertTrue(isSeen)
        XCTAssertGreaterThan(calls, 5)
      }
    }
  }

  func testInterruptedAndShortCalls() throws {
    for output in outputs {
      for fault in [FileSystem.Fault.error(EINTR), .short] {
        _ = try forEveryCall(of: output) { folder, call, run in
          let script = FaultScript(output.exchange) { $0 == call ? fault : nil }
          let error = run(script)
          XCTAssertNil(error, "\(output.name): call \(call)")
          XCTAssertEqual(output.read(folder), "new", "\(output.name): call \(call)")
          return script.isReached
        }
      }
    }
  }

  func testTheProcessEnds() throws {
    for output in outputs {
      var results: Set<String?> = []
      _ = try forEveryCall(of: output) { folder, call, run in
        let script = FaultScript(output.exchange) { $0 >= call ? .error(EIO) : nil }
        _ = run(script)
        // The next start looks first whether an older folder is to be moved back.
        if output.exchange != nil {
          _ = try? AtomicFolder(at: folder.file("out"), replacing: { _ in true })
        }
        let found = output.read(folder)
        results.insert(found)
        XCTAssertTrue(
          found == "new" || found == (output.hasOld ? "old" : nil),
          "\(output.name): call \(call), found \(found ?? "nothing")")
        return script.isReached
      }
      XCTAssertEqual(results, [output.hasOld ? "old" : nil, "new"], output.name)
    }
  }

  /// The bytes must be on the disk before the name is, and the name before it is said to be done.
  func testTheOrderOfTheCalls() throws {
    let folder = try TemporaryFolder()
    func calls(_ write: () throws -> Void) rethrows -> [FileSystem.Call] {
      let script = FaultScript(nil) { _ in nil }
      try withFault({ script.answer($0) }, write)
      return script.calls
    }
    let writing: [FileSystem.Call] = [
      .status, .open, .lock, .status, .status, .write, .sync, .rename, .open, .sync,
    ]
    XCTAssertEqual(
      try calls { try AtomicFile.write(Data("x".utf8), to: folder.file("file")) }, writing)
    let making: [FileSystem.Call] = [
      .status, .makeFolder, .open, .lock, .status, .status, .status, .status,
    ]
    let syncing: [FileSystem.Call] = [.open, .status, .sync, .open, .status, .sync, .open, .sync]
    XCTAssertEqual(
      try calls { try writeFolder(folder, "x") },
      making + writing + writing + syncing + [.status, .status, .rename, .open, .sync])
  }

  /// Runs `body` with the first call, the second and so on, until it says there was none such;
  /// afterwards, an undisturbed writer must succeed. Returns how many calls there are.
  private func forEveryCall(
    of output: Output,
    _ body: (TemporaryFolder, _ call: Int, _ run: (FaultScript) -> (any Error)?) throws -> Bool
  ) throws -> Int {
    for call in 0..<1000 {
      let folder = try TemporaryFolder()
      if output.hasOld { try undisturbed { try output.write(folder, "old") } }
      let isReached = try body(folder, call) { script in
        withFault({ script.answer($0) }) {
          do {
            try output.write(folder, "new")
            return nil
          } catch { return error }
        }
      }
      if !isReached { return call }
      try undisturbed { try output.write(folder, "next") }
      XCTAssertEqual(output.read(folder), "next", "\(output.name): call \(call)")
      XCTAssertEqual(folder.names(), ["out"], "\(output.name): call \(call)")
    }
    XCTFail("\(output.name) does not end")
    return 1000
  }
}

/// Writes with all calls made but the waits for the disk.
private func undisturbed(_ write: () throws -> Void) rethrows {
  try withFault({ $0 == .sync ? .skipped : nil }, write)
}

private func writeFolder(_ folder: TemporaryFolder, _ text: String) throws {
  var output = try AtomicFolder(at: folder.file("out"), replacing: { _ in true })
  for name in ["config.json", "model"] { try output.write(Data(text.utf8), as: name) }
  try output.commit()
}

/// What both files say; nil if there is no folder.
private func readFolder(_ folder: TemporaryFolder) -> String? {
  guard folder.names().contains("out") else { return nil }
  guard folder.names("out") == ["config.json", "model"],
    let config = folder.text("out/config.json"), config == folder.text("out/model")
  else { return "mixed" }
  return config
}

/// Counts the calls and says which of them fail.
private final class FaultScript: @unchecked Sendable {
  private let exchange: Int32?
  private let fault: (Int) -> FileSystem.Fault?
  private var count = 0
  private(set) var isReached = false
  private(set) var last: [FileSystem.Call] = []
  private(set) var calls: [FileSystem.Call] = []

  init(_ exchange: Int32?, _ fault: @escaping (Int) -> FileSystem.Fault?) {
    self.exchange = exchange
    self.fault = fault
  }

  func answer(_ call: FileSystem.Call) -> FileSystem.Fault? {
    defer { count += 1 }
    calls.append(call)
    if let fault = fault(count) {
      isReached = true
      last.append(call)
      return fault
    }
    switch call {
    case .exchange: return exchange.map { .error($0) }
    // Thousands of waits for the disk would show nothing.
    case .sync: return .skipped
    default: return nil
    }
  }
}
