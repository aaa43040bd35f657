import Foundation
import Interface
import Storage
import XCTest

@testable import Teachers

final class RemoteSettingsTests: XCTestCase {
  private func read(_ text: String) -> (RemoteTeacherSettings?, [String]) {
    do throws(RecipeError) {
      let result = try decodeRecipe(
        RemoteTeacherSettings.self, from: Data(text.utf8), file: "r.json5")
      return (result.recipe, [])
    } catch {
      return (nil, error.findings)
    }
  }

  func testStandardValues() throws {
    let (settings, findings) = read(#"{ url: "http://localhost:8000/v1", model: "R1" }"#)
    XCTAssertEqual(findings, [])
    XCTAssertEqual(settings, RemoteTeacherSettings(url: "http://localhost:8000/v1", model: "R1"))
    XCTAssertEqual(settings?.findings(), [])
  }

  func testEveryKey() throws {
    let (settings, findings) = read(
      #"""
      {
        url: "https://h/v1", model: "m", key: { environment: "KEY" }, allowsPlainHTTP: true,
        stream: false, samplesPerRequest: 4,
        extra: { top_k: 20, min_p: 0.5, none: null, on: true, words: ["a", 1],
                 chat_template_kwargs: { enable_thinking: true } },
        requestsInFlight: 3, requestsPerMinute: 60, tokensPerMinute: 1e5, connectSeconds: 1,
        firstByteSeconds: 2, idleSeconds: 3, totalSeconds: 4, retriesPerQuestion: 5,
        retriesPerJob: 6, longestWaitSeconds: 7,
      }
      """#)
    XCTAssertEqual(findings, [])
    let extra: [(key: String, value: JSONValue)] = [
      (
        "chat_template_kwargs",
        .object(JSONObject(members: [("enable_thinking", .bool(true))]))
      ), ("min_p", .number(JSONNumber(text: "0.5"))), ("none", .null), ("on", .bool(true)),
      ("top_k", .number(JSONNumber(20))),
      ("words", .array([.string("a"), .number(JSONNumber(1))])),
    ]
    let expected = RemoteTeacherSettings(
      url: "https://h/v1", model: "m", key: .environment("KEY"), allowsPlainHTTP: true,
      stream: false, samplesPerRequest: 4, extra: RemoteExtra(JSONObject(members: extra)),
      requestsInFlight: 3, requestsPerMinute: 60, tokensPerMinute: 100_000, connectSeconds: 1,
      firstByteSeconds: 2, idleSeconds: 3, totalSeconds: 4, retriesPerQuestion: 5,
      retriesPerJob: 6, longestWaitSeconds: 7)
    XCTAssertEqual(settings, expected)
    // What is kept beside the results reads back the same.
    let encoded = try JSONEncoder().encode(expected)
    XCTAssertEqual(try JSONDecoder().decode(RemoteTeacherSettings.self, from: encoded), expected)
    XCTAssertEqual(read(#"{ url: "u", model: "m", key: { file: "k" } }"#).0?.key, .file("k"))
  }

  func testMistakesOfRecipes() {
    let advice =
      "'key' must be { environment: \"NAME\" } or { file: \"path\" }: where the key is. The key "
      + "itself does not belong in a recipe."
    for key in [#""sk-canary""#, "12345", "true", "{}", #"{ environment: "A", file: "b" }"#] {
      let (_, findings) = read("{ url: \"u\", model: \"m\", key: \(key) }")
      XCTAssertEqual(findings, ["r.json5:1:30: \(advice)"], key)
    }
    XCTAssertEqual(
      read(#"{ url: "u", model: "m", key: { value: "sk-canary" } }"#).1.filter {
        $0.contains("canary")
      }, [])
    XCTAssertEqual(
      read(#"{ url: "u", modle: "m", steam: true }"#).1,
      [
        "r.json5:1:13: unknown key 'modle'. Did you mean 'model'?",
        "r.json5:1:25: unknown key 'steam'. Did you mean 'stream'?",
      ])
    XCTAssertEqual(
      read(#"{ url: "u", model: "m", extra: 3 }"#).1,
      [
        "r.json5:1:32: 'extra' must be an object; "
          + "it is 3."
      ])
  }

  func testFindings() {
    func finding(_ change: (inout RemoteTeacherSettings) -> Void) -> [String] {
      var settings = RemoteTeacherSettings(url: "https://host/v1", model: "m")
      change(&settings)
      return settings.findings(place: "The recipe", path: "teacher.")
    }
    XCTAssertEqual(finding { _ in }, [])
    for url in [
      "", "host", "ftp://host", "http://", "http:///v1", "http://ho st", "http://h:99999",
      "http://hö/v1", "//host", "http://h\n/v1", "http://h:0",
    ] {
      XCTAssertEqual(
        finding { $0.url = url },
        ["The recipe: 'teacher.url' must be an address such as 'http://localhost:8000/v1'."], url)
    }
    for url in ["https://user:canary@host/v1", "https://canary@host", "https://:canary@host"] {
      XCTAssertEqual(
        finding { $0.url = url },
        [
          "The recipe: 'teacher.url' has a user's name or a password in it. Take it out, and give "
            + "the key with 'key'."
        ], url)
    }
    for url in ["https://host/v1?api_key=canary", "https://host/v1#canary", "https://host?"] {
      XCTAssertEqual(
        finding { $0.url = url },
        [
          "The recipe: 'teacher.url' has a '?' or a '#'. Give the address alone; a key is given "
            + "with 'key'."
        ], url)
    }
    XCTAssertEqual(
      finding { $0.model = "" }, ["The recipe: 'teacher.model' is '', not a model's name."])
    XCTAssertEqual(
      finding { $0.model = "a\nb" },
      [#"The recipe: 'teacher.model' is 'a\u000ab', not a model's name."#])
    for (name, range, change) in [
      ("samplesPerRequest", 1...128, { $0.samplesPerRequest = $1 }),
      ("requestsInFlight", 1...1024, { $0.requestsInFlight = $1 }),
      ("requestsPerMinute", 1...1_000_000, { $0.requestsPerMinute = $1 }),
      ("tokensPerMinute", 1...1_000_000_000, { $0.tokensPerMinute = $1 }),
      ("retriesPerQuestion", 0...1000, { $0.retriesPerQuestion = $1 }),
      ("retriesPerJob", 0...1_000_000_000, { $0.retriesPerJob = $1 }),
    ] as [(String, ClosedRange<Int>, (inout RemoteTeacherSettings, Int) -> Void)] {
      for (value, isFine) in [
        (range.lowerBound, true), (range.upperBound, true), (range.lowerBound - 1, false),
        (range.upperBound + 1, false),
      ] {
        XCTAssertEqual(
          finding { change(&$0, value) },
          isFine
            ? []
            : [
              "The recipe: 'teacher.\(name)' is \(value); it must lie between \(range.lowerBound) "
                + "and \(range.upperBound)."
            ])
      }
    }
    for (name, path) in [
      ("connectSeconds", \.connectSeconds), ("firstByteSeconds", \.firstByteSeconds),
      ("idleSeconds", \.idleSeconds), ("totalSeconds", \.totalSeconds),
      ("longestWaitSeconds", \.longestWaitSeconds),
    ] as [(String, WritableKeyPath<RemoteTeacherSettings, Double>)] {
      for value in [0, -1, Double.nan, Double.infinity, 2e6] {
        XCTAssertEqual(
          finding { $0[keyPath: path] = value },
          ["The recipe: 'teacher.\(name)' is \(value); it must lie between 0.01 and 1000000."])
      }
    }
    for (name, words) in [
      ("seed", "has 'seed', which is set from elsewhere. Take it out"),
      ("stream", "has 'stream', which is set from elsewhere. Take it out"),
      ("Api_Key", "has 'Api_Key'. Keys do not belong in a recipe; give it with 'key'"),
    ] {
      XCTAssertEqual(
        finding { $0.extra = RemoteExtra(JSONObject(members: [(name, .string("canary"))])) },
        ["The recipe: 'teacher.extra' \(words)."])
    }
  }

  func testPlainHTTP() {
    func isFine(_ url: String, allowed: Bool = false) -> Bool {
      let findings = RemoteTeacherSettings(
        url: url, model: "m", key: .environment("KEY"), allowsPlainHTTP: allowed
      ).findings()
      if !findings.isEmpty {
        XCTAssertEqual(
          findings,
          [
            "The recipe: 'url' begins with 'http://', which would show the key to everybody on the "
              + "way. Write 'https://', or 'allowsPlainHTTP: true' if that is meant."
          ], url)
      }
      return findings.isEmpty
    }
    for host in [
      "localhost", "LOCALHOST:80", "a.localhost", "127.0.0.1", "127.9.9.9:1", "10.1.2.3",
      "172.16.0.1", "172.31.255.255", "192.168.0.7", "169.254.1.1", "[::1]", "[fd00::1]",
      "[fe80::1]",
    ] {
      XCTAssertTrue(isFine("http://\(host)/v1"), host)
    }
    for host in [
      "example.com", "localhost.example.com", "172.15.0.1", "172.32.0.1", "192.169.0.1", "11.0.0.1",
      "126.0.0.1", "0.0.0.0", "vllm", "127.1", "2130706433", "0x7f.0.0.1", "127.0.0.1.nip.io",
      "[2001:db8::1]", "[::2]", "[::ffff:8.8.8.8]",
    ] {
      XCTAssertFalse(isFine("http://\(host)/v1"), host)
      XCTAssertTrue(isFine("http://\(host)/v1", allowed: true), host)
      XCTAssertTrue(isFine("https://\(host)/v1"), host)
    }
    XCTAssertEqual(
      RemoteTeacherSettings(url: "http://example.com/v1", model: "m").findings(), [])
  }

  func testAddresses() throws {
    for (text, url, base) in [
      ("http://h:8000/v1", "http://h:8000/v1/chat/completions", "http://h:8000/v1"),
      ("http://h:8000/v1/", "http://h:8000/v1/chat/completions", "http://h:8000/v1"),
      ("HTTPS://Host/V1", "https://host/V1/chat/completions", "https://host/V1"),
      ("https://h/a%20b/chat/completions", "https://h/a%20b/chat/completions", "https://h/a%20b"),
      ("https://host/chat/completions/", "https://host/chat/completions", "https://host"),
      ("https://host", "https://host/chat/completions", "https://host"),
      ("http://[::1]:80/v1", "http://[::1]:80/v1/chat/completions", "http://[::1]:80/v1"),
    ] {
      let address = try RemoteAddress(text)
      XCTAssertEqual(address.url.absoluteString, url)
      XCTAssertEqual(address.base, base)
    }
    XCTAssertTrue(try RemoteAddress("https://host").hasNoPath)
    XCTAssertFalse(try RemoteAddress("https://host/v1").hasNoPath)
  }

  func testNameAndIdentity() throws {
    var settings = RemoteTeacherSettings(
      url: "http://localhost:8000/v1", model: "DeepSeek-R1", key: .environment("KEY"))
    let teacher = try TestTeacher.teacher(settings)
    XCTAssertEqual(teacher.name, "DeepSeek-R1 at http://localhost:8000/v1")
    XCTAssertEqual(teacher.concurrency, 16)
    XCTAssertEqual(teacher.samplesPerQuestion, 1)
    let identity =
      #"{"kind":"remote","url":"http://localhost:8000/v1/chat/completions","model":"DeepSeek-R1"}"#
    XCTAssertEqual(String(decoding: teacher.identity.serialized(), as: UTF8.self), identity)
    settings.extra = RemoteExtra(JSONObject(members: [("top_k", .number(JSONNumber(5)))]))
    XCTAssertEqual(
      String(decoding: try TestTeacher.teacher(settings).identity.serialized(), as: UTF8.self),
      identity.dropLast() + #","extra":{"top_k":5}}"#)
    // Neither the teacher nor its settings show the key.
    var text = "\(teacher) \(settings)"
    dump(teacher, to: &text)
    dump(settings, to: &text)
    XCTAssertFalse(text.contains("canary"))
  }

  func testRefusedSettings() {
    func error(_ settings: RemoteTeacherSettings) -> TeacherError? {
      do {
        _ = try RemoteTeacher(settings, environment: ["KEY": "a b"])
        return nil
      } catch { return error }
    }
    XCTAssertEqual(
      error(RemoteTeacherSettings(url: "x", model: "")),
      TeacherError(
        .job, kind: "settings",
        "The teacher: 'url' must be an address such as 'http://localhost:8000/v1'.\n"
          + "The teacher: 'model' is '', not a model's name."))
    XCTAssertEqual(
      error(RemoteTeacherSettings(url: "https://h", model: "m", key: .environment("KEY"))),
      TeacherError(
        .job, kind: "key",
        "The teacher: The key that 'key.environment' names has a blank, a line feed or another "
          + "character in it that no key has. It must hold the key alone, in one line."))
  }
}
