import Foundation
import XCTest

@testable import Teachers

final class SecretTests: XCTestCase {
  private let key = "sk-0123456789-ABCDEFGH"

  func testShowsNothing() throws {
    let secret = try Secret(key, source: "'key.file'")
    XCTAssertEqual("\(secret)", "<secret>")
    XCTAssertEqual(String(reflecting: secret), "<secret>")
    XCTAssertEqual("\([secret])", "[<secret>]")
    var dumped = ""
    dump(secret, to: &dumped)
    XCTAssertFalse(dumped.contains("0123"), dumped)
    dump(["a": Optional(secret)], to: &dumped)
    XCTAssertFalse(dumped.contains("0123"), dumped)
    XCTAssertEqual(secret.authorization, "Bearer " + key)
  }

  func testKeysThatAreNone() throws {
    func sentence(_ text: String) -> String {
      do throws(SecretError) {
        _ = try Secret(text, source: "'key.file'")
        return "none"
      } catch {
        return error.description
      }
    }
    XCTAssertEqual(
      sentence(" \n\t"), "The key that 'key.file' names is empty. Put the server's key there.")
    for text in [
      "abc def", "abc\ndef", "abc\u{0}def", "schlüssel", "abc\r\nX-Header: 1", "a\u{7f}b",
    ] {
      XCTAssertEqual(
        sentence(text),
        "The key that 'key.file' names has a blank, a line feed or another character in it that no "
          + "key has. It must hold the key alone, in one line.")
    }
    XCTAssertEqual(
      sentence(String(repeating: "a", count: 9000)),
      "What 'key.file' names has 9000 bytes; a key has at most 8192. It must hold the key alone.")
    XCTAssertEqual(sentence("EMPTY"), "none")
    XCTAssertEqual(
      try Secret("\r\n " + key + " \r\n", source: "").authorization, "Bearer " + key)
  }

  func testSources() throws {
    func sentence(_ source: SecretSource) -> String {
      do throws(SecretError) {
        return try source.secret(environment: ["KEY": key, "BLANK": " "]).authorization
      } catch {
        return error.description
      }
    }
    XCTAssertEqual(sentence(.environment("KEY")), "Bearer " + key)
    XCTAssertEqual(
      sentence(.environment("OTHER")),
      "The environment variable that 'key.environment' names is not set. Set it to the key; the "
        + "recipe has its name only.")
    XCTAssertEqual(
      sentence(.environment("BLANK")),
      "The key that 'key.environment' names is empty. Put the server's key there.")
    for name in [key, "", "1A", "A B", "Ä"] {
      XCTAssertEqual(
        sentence(.environment(name)),
        "'key.environment' is not the name of an environment variable, which has letters, digits "
          + "and '_' only. Write the variable's name there, not the key.")
    }

    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("teacher-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("key").path
    try Data((key + "\n").utf8).write(to: URL(fileURLWithPath: path))
    for (mode, isFine) in [
      (0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false), (0o666, false),
    ] {
      XCTAssertEqual(chmod(path, mode_t(mode)), 0)
      XCTAssertEqual(
        sentence(.file(path)),
        isFine
          ? "Bearer " + key
          : "The file that 'key.file' names can be used by others (its mode is "
            + "\(String(mode, radix: 8))). Make it its owner's alone with 'chmod 600', and "
            + "consider "
            + "the key as known to them.")
    }
    XCTAssertEqual(
      sentence(.file(key)),
      "The file that 'key.file' names cannot be read: No such file or "
        + "directory.")
    let noFile = "What 'key.file' names is not a file; it must be one that holds the key."
    XCTAssertEqual(sentence(.file(folder.path)), noFile)
    let pipe = folder.appendingPathComponent("pipe").path
    XCTAssertEqual(mkfifo(pipe, 0o600), 0)
    XCTAssertEqual(sentence(.file(pipe)), noFile)
  }

  func testRedaction() throws {
    let secret = try Secret(key, source: "")
    for (text, redacted) in [
      ("key \(key)!", "key <secret>!"),
      (key, "<secret>"),
      (key + key, "<secret><secret>"),
      // Servers show keys in part; eight bytes of it are too many.
      ("Incorrect key sk-01234******GH", "Incorrect key <secret>******GH"),
      ("…-ABCDEFGH", "…<secret>"),
      ("sk-0123", "sk-0123"),
      ("", ""),
      ("é" + key + "é", "é<secret>é"),
    ] {
      XCTAssertEqual(secret.redacted(text), redacted)
    }
    XCTAssertTrue(secret.stands(in: "a" + key + "\u{301}b"))
    XCTAssertFalse(secret.stands(in: String(key.dropLast())))
    XCTAssertFalse(secret.stands(in: ""))
    let short = try Secret("EMPTY", source: "")
    XCTAssertEqual(short.redacted("an EMPTY set"), "an EMPTY set")
    // Between the two it is taken out whole.
    let middling = try Secret("wrong-77", source: "a test")
    XCTAssertEqual(middling.redacted("Bearer wrong-77."), "Bearer <secret>.")
    XCTAssertEqual(middling.redacted("wrong-7 or 7"), "wrong-7 or 7")
    XCTAssertFalse(short.stands(in: "an EMPTY set"))
  }

  func testServerTexts() throws {
    let texts = ServerText(secret: try Secret(key, source: ""))
    XCTAssertEqual(texts.quote("a\u{1b}[31m\r\n\r\nb\u{85}c \(key)"), "'a [31m b c <secret>'")
    XCTAssertEqual(
      texts.quote(String(repeating: "x", count: 300)),
      "'\(String(repeating: "x", count: 200))…'")
    // The key is taken out before the text is cut.
    let edge = String(repeating: "x", count: 190)
    XCTAssertEqual(texts.quote(edge + key), "'\(edge)<secret>'")
    func message(_ body: String) -> String? { texts.message(ofBody: Array(body.utf8)).text }
    XCTAssertEqual(message(#"{"error":{"message":"No \#(key)"}}"#), "'No <secret>'")
    XCTAssertEqual(message(#"{"error":"No."}"#), "'No.'")
    XCTAssertEqual(message(#"{"object":"error","message":"No.","code":400}"#), "'No.'")
    XCTAssertEqual(message(#"{"detail":"Not Found"}"#), "'Not Found'")
    XCTAssertEqual(message(#"{"detail":[{"msg":"short"}]}"#), #"'[{"msg":"short"}]'"#)
    XCTAssertEqual(message("  plain\nwords"), "'plain words'")
    XCTAssertNil(message(" <html>"))
    XCTAssertNil(message(""))
    XCTAssertNil(message(#"{"error":{}}"#))
  }
}
