import FaultServer
import Foundation
import Storage
import XCTest

@testable import Teachers

/// Whole exchanges with a server on this machine.
final class RemoteTeacherTests: XCTestCase {
  private func kinds(_ events: [TeacherEvent]) -> [String] {
    events.compactMap { if case .retried(let kind) = $0 { kind } else { nil } }
  }

  func testAnswers() async throws {
    for stream in [true, false] {
      for style: FaultServer.Style in [
        .field("reasoning_content"), .field("reasoning"), .tags, .closingTag, .none,
      ] {
        for (size, range) in [(1, 0..<1), (1, 5..<8), (3, 0..<7), (4, 2..<4)] {
          let server = try FaultServer(style: style, model: "tiny-0528")
          defer { server.stop() }
          let settings = TestTeacher.settings(server, stream: stream, samplesPerRequest: size)
          let teacher = try TestTeacher.teacher(settings)
          let question = TestTeacher.question(samples: range)
          let answers = try await teacher.answers(to: question)
          XCTAssertEqual(answers.count, range.count)
          for (sample, answer) in zip(range, answers) {
            let first = range.lowerBound + (sample - range.lowerBound) / size * size
            var served = TestTeacher.served(
              question, sample: sample, first: first, settings: settings)
            if case .none = style { served.reasoningTokens = [] }
            XCTAssertEqual(
              answer.reasoning.map { Array($0.utf8) },
              served.reasoning.isEmpty ? nil : Array(served.reasoning.utf8))
            XCTAssertEqual(Array(answer.content.utf8), Array(served.content.utf8))
            XCTAssertEqual(answer.finishReason, .stop)
            XCTAssertEqual(answer.model, "tiny-0528")
            XCTAssertEqual(answer.promptTokens, question.messages[0].content.utf8.count)
            XCTAssertEqual(answer.attempts, 1)
            let rest = range.upperBound - first
            XCTAssertEqual(answer.completionTokens == nil, min(size, rest) > 1)
          }
          XCTAssertEqual(server.requests.count, (range.count + size - 1) / size)
          XCTAssertEqual(server.requests.map(\.path).first, "/v1/chat/completions")
        }
      }
    }
  }

  func testWhatIsSent() async throws {
    let server = try FaultServer()
    defer { server.stop() }
    let settings = TestTeacher.settings(server)
    let events = Gathered<TeacherEvent>()
    let teacher = try TestTeacher.teacher(settings) { events.add($0) }
    let question = TestTeacher.question()
    _ = try await teacher.answers(to: question)
    let request = try XCTUnwrap(server.requests.first)
    XCTAssertEqual(request.method, "POST")
    XCTAssertEqual(request.header("Authorization"), "Bearer " + TestTeacher.canary)
    XCTAssertEqual(request.header("Accept-Encoding"), "identity")
    XCTAssertEqual(request.header("Content-Type"), "application/json")
    XCTAssertEqual(request.header("Accept"), "text/event-stream, application/json")
    XCTAssertEqual(request.header("User-Agent"), "distill")
    XCTAssertNil(request.header("Cookie"))
    let body = try ChatCompletionRequest(settings: settings, question: question, samples: 0..<1)
      .body()
    XCTAssertEqual(request.body, Array(body))
    XCTAssertFalse(String(decoding: request.body, as: UTF8.self).contains("canary"))
    XCTAssertEqual(events.all.count, 2)
    XCTAssertEqual(events.all.first, .sent)
    guard case .answered(let tokens?, let seconds)? = events.all.last else {
      return XCTFail("\(events.all)")
    }
    XCTAssertGreaterThan(tokens, 5)
    XCTAssertGreaterThan(seconds, 0)
    _ = try await teacher.answers(to: question)
    XCTAssertEqual(server.acceptedCount, 2)
    var keyless = settings
    keyless.key = nil
    _ = try await RemoteTeacher(keyless, environment: [:]).answers(to: question)
    XCTAssertNil(server.requests.last?.header("Authorization"))
  }

  /// What each fault is called, streamed and not. Nil: the answer comes at once.
  private static let kinds: [Fault: (String?, String?)] = [
    .resetBeforeHeaders: ("connection lost", "connection lost"),
    .closedBeforeHeaders: ("connection lost", "connection lost"),
    .resetAfterHeaders: ("cut short", "cut short"),
    .stallBeforeHeaders: ("time-out: first byte", "time-out: first byte"),
    .stallAfterHeaders: ("time-out: idle", "time-out: idle"), .drip: ("time-out: total", nil),
    .notHTTP: ("not HTTP", "not HTTP"), .hugeHeader: ("connection lost", "connection lost"),
    .contentLengthCut: ("cut short", "cut short"), .chunkCut: ("cut short", "cut short"),
    .cutWithoutLength: ("cut short", "broken JSON"), .status408: ("HTTP 408", "HTTP 408"),
    .status409: ("HTTP 409", "HTTP 409"), .status425: ("HTTP 425", "HTTP 425"),
    .status429: ("HTTP 429", "HTTP 429"), .status429Seconds: ("HTTP 429", "HTTP 429"),
    .status429Milliseconds: ("HTTP 429", "HTTP 429"), .status500: ("HTTP 500", "HTTP 500"),
    .status502: ("HTTP 502", "HTTP 502"), .status503: ("HTTP 503", "HTTP 503"),
    .status504: ("HTTP 504", "HTTP 504"), .noContent: ("HTTP 204", "HTTP 204"),
    .errorWith200: ("error in the answer", "error in the answer"),
    .errorInStream: ("error in the answer", nil), .empty: ("cut short", "empty body"),
    .page: ("wrong content type", "wrong content type"),
    .wrongContentType: ("wrong content type", "wrong content type"),
    .invalidUTF8: ("broken JSON", "broken JSON"), .loneSurrogate: ("broken JSON", "broken JSON"),
    .twoObjects: ("broken JSON", "broken JSON"), .truncatedObject: ("broken JSON", "broken JSON"),
    .hugeBody: ("too long", "too long"), .gzip: ("compressed", "compressed"),
    .gzipBomb: ("compressed", "compressed"), .notAnObject: ("broken answer", "broken answer"),
    .missingDone: ("cut short", nil), .missingFinish: ("no finish reason", "no finish reason"),
    .duplicateEvent: ("twice the same", nil), .duplicateEventID: ("twice the same", nil),
    .duplicateFinish: ("text after the end", nil), .textAfterFinish: ("text after the end", nil),
    .textAfterDone: ("text after the end", nil), .twoIdentities: ("two answers", nil),
    .missingChoice: ("wrong choices", "wrong choices"),
    .extraChoice: ("wrong choices", "wrong choices"),
    .wrongIndex: ("wrong choices", "wrong choices"),
    .repeatedIndex: ("text after the end", "wrong choices"),
    .emptyContent: ("empty answer", "empty answer"),
    .blankContent: ("empty answer", "empty answer"), .missingModel: ("no model", "no model"),
    .redirectSamePlace: ("redirect", "redirect"), .redirectElsewhere: ("redirect", "redirect"),
    .redirectLoop: ("redirect", "redirect"), .status400: ("HTTP 400", "HTTP 400"),
    .status401: ("HTTP 401", "HTTP 401"), .status402: ("HTTP 402", "HTTP 402"),
    .status403: ("HTTP 403", "HTTP 403"), .status404: ("HTTP 404", "HTTP 404"),
    .status413: ("HTTP 413", "HTTP 413"), .status422: ("HTTP 422", "HTTP 422"),
    .status451: ("HTTP 451", "HTTP 451"), .unknownModel: ("unknown model", "unknown model"),
    .contentFilter: ("finish: content_filter", "finish: content_filter"),
    .toolCalls: ("finish: tool_calls", "finish: tool_calls"),
    .unknownFinish: ("finish: unknown", "finish: unknown"),
  ]

  /// Every fault is recognized as what it is; the answer after it is the right one, or there is
  /// none.
  func testEveryFault() async throws {
    var count = 0
    for stream in [true, false] {
      for fault in Fault.allCases where stream || !fault.needsStream {
        // An answer first, so that the server is known to be there.
        let server = try FaultServer(.script([.answer, .fault(fault)]), hugeBytes: 4 << 20)
        defer { server.stop() }
        let events = Gathered<TeacherEvent>()
        let settings = TestTeacher.settings(server, stream: stream)
        let teacher = try TestTeacher.teacher(settings, longestBody: 1 << 20) { events.add($0) }
        _ = try await teacher.answers(to: TestTeacher.question("first"))
        let question = TestTeacher.question()
        let both = Self.kinds[fault] ?? (nil, nil)
        let kind = stream ? both.0 : both.1
        XCTAssertEqual(kind == nil, fault.isHarmless, "\(fault)")
        do throws(TeacherError) {
          let answers = try await teacher.answers(to: question)
          let served = TestTeacher.served(question, sample: 0, first: 0, settings: settings)
          XCTAssertTrue(fault.isPassing, "\(fault)")
          XCTAssertEqual(answers.map(\.content), [served.content], "\(fault)")
          XCTAssertEqual(answers.map(\.reasoning), [served.reasoning], "\(fault)")
          XCTAssertEqual(answers.map(\.attempts), [kind == nil ? 1 : 2], "\(fault)")
          XCTAssertEqual(kinds(events.all), kind.map { [$0] } ?? [], "\(fault) \(stream)")
        } catch {
          XCTAssertFalse(fault.isPassing, "\(fault): \(error)")
          XCTAssertEqual(error.kind, kind, "\(fault)")
          XCTAssertEqual(kinds(events.all), [], "\(fault)")
          let stops: [Fault] = [.status401, .status402, .status403, .status404, .unknownModel]
          XCTAssertEqual(error.scope, stops.contains(fault) ? .job : .question, "\(fault)")
          XCTAssertEqual(server.requests.count, 2, "\(fault)")
        }
        count += 1
      }
    }
    XCTAssertEqual(count, Fault.allCases.count * 2 - Fault.allCases.filter(\.needsStream).count)
  }

  func testSentences() async throws {
    func sentence(_ steps: [FaultServer.Step], retries: Int = 1) async throws -> TeacherError? {
      let server = try FaultServer(.script([.answer] + steps))
      defer { server.stop() }
      var settings = TestTeacher.settings(server)
      settings.retriesPerQuestion = retries
      let teacher = try TestTeacher.teacher(settings)
      _ = try await teacher.answers(to: TestTeacher.question("first"))
      let found = await teacher.error()
      return found.map {
        TeacherError(
          $0.scope, kind: $0.kind, $0.description.replacing(server.url, with: "http://HOST/v1"))
      }
    }
    let name = "tiny at http://HOST/v1"
    for (fault, error) in [
      (
        .status500,
        TeacherError(
          .attempt, kind: "HTTP 500",
          "problems.jsonl:3: \(name) answered with status 500. It was asked 2 times.")
      ),
      (
        .stallBeforeHeaders,
        TeacherError(
          .attempt, kind: "time-out: first byte",
          "problems.jsonl:3: \(name) sent nothing for 0.3 seconds ('firstByteSeconds'). It was "
            + "asked "
            + "2 times.")
      ),
      (
        .stallAfterHeaders,
        TeacherError(
          .attempt, kind: "time-out: idle",
          "problems.jsonl:3: \(name) fell silent within the answer for 0.3 seconds "
            + "('idleSeconds'). "
            + "It was asked 2 times.")
      ),
      (
        .drip,
        TeacherError(
          .attempt, kind: "time-out: total",
          "problems.jsonl:3: \(name) did not finish the answer within 0.6 seconds "
            + "('totalSeconds'). "
            + "It was asked 2 times.")
      ),
      (
        .closedBeforeHeaders,
        TeacherError(
          .attempt, kind: "connection lost",
          "problems.jsonl:3: \(name) broke the connection off without an answer. It was asked 2 "
            + "times.")
      ),
      (
        .contentLengthCut,
        TeacherError(
          .attempt, kind: "cut short",
          "problems.jsonl:3: \(name) broke the connection off within the answer. It was asked 2 "
            + "times.")
      ),
      (
        .redirectElsewhere,
        TeacherError(
          .attempt, kind: "redirect",
          "problems.jsonl:3: \(name) redirects to 'http://127.0.0.1:9/v1/chat/completions'. "
            + "Redirects "
            + "are not followed, because they would take the key elsewhere; set 'url' to the "
            + "address "
            + "itself. It was asked 2 times.")
      ),
      (
        .notHTTP,
        TeacherError(
          .attempt, kind: "not HTTP",
          "problems.jsonl:3: \(name) does not speak HTTP. Is 'url' right? It was asked 2 times.")
      ),
      (
        .status413,
        TeacherError(
          .question, kind: "HTTP 413",
          "problems.jsonl:3: \(name) answered with status 413: 'The request is not liked.'.")
      ),
      (
        .status401,
        TeacherError(
          .job, kind: "HTTP 401",
          "\(name) answered with status 401: 'The request is not liked.'. Is the key right, and "
            + "may "
            + "it use the model?")
      ),
      (
        .unknownModel,
        TeacherError(
          .job, kind: "unknown model",
          "\(name) answered with status 400: 'The model `tiny` does not exist.'. Set 'model' to "
            + "one "
            + "that the server has.")
      ),
    ] as [(Fault, TeacherError)] {
      let found = try await sentence([.fault(fault), .fault(fault)])
      XCTAssertEqual(found, error)
    }
    let once = try await sentence([.fault(.status500)], retries: 0)
    XCTAssertEqual(
      once?.description,
      "problems.jsonl:3: \(name) answered with status 500. It was asked once.")
    let asked = try await sentence(
      [.reply(status: 503, headers: ["X-Should-Retry: false"], body: "busy")], retries: 5)
    XCTAssertEqual(
      asked,
      TeacherError(
        .attempt, kind: "HTTP 503",
        "problems.jsonl:3: \(name) answered with status 503: 'busy'. It says not to ask again."))
  }

  /// A 401 that offers `Basic`, which URLSession on Linux never ends by itself.
  func testChallenges() async throws {
    for header in [
      "WWW-Authenticate: Basic realm=\"x\"", "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\"",
      "WWW-Authenticate: Bearer", "WWW-Authenticate: ,=\"",
    ] {
      for body in ["", "no"] {
        let server = try FaultServer(.script([.reply(status: 401, headers: [header], body: body)]))
        defer { server.stop() }
        let error = await (try TestTeacher.teacher(TestTeacher.settings(server))).error()
        XCTAssertEqual(error?.kind, "HTTP 401", header)
        XCTAssertEqual(error?.scope, .job)
        XCTAssertEqual(server.requests.count, 1)
      }
    }
  }

  func testRedirectsDoNotTakeTheKeyAlong() async throws {
    let elsewhere = try FaultServer()
    defer { elsewhere.stop() }
    for status in [300, 301, 302, 303, 305, 307, 308, 399] {
      for place in [
        "\(elsewhere.url)/chat/completions?canary=1", "//127.0.0.1:\(elsewhere.port)/v1/x",
        "http://localhost:\(elsewhere.port)/",
      ] {
        let server = try FaultServer(
          .script([.reply(status: status, headers: ["Location: \(place)"], body: "gone")]))
        defer { server.stop() }
        let error = await (try TestTeacher.teacher(TestTeacher.settings(server))).error()
        // Nobody has answered yet, so that the address itself is doubtful.
        XCTAssertEqual(error?.scope, .job, "\(status)")
        XCTAssertEqual(error?.kind, "redirect")
        XCTAssertFalse("\(String(describing: error))".contains("canary"))
        XCTAssertEqual(server.requests.count, 1)
      }
    }
    XCTAssertEqual(elsewhere.requests.count, 0)
    XCTAssertEqual(elsewhere.connectionCount, 0)
  }

  /// The key is in no error and no event, whatever the server sends back.
  func testTheKeyIsNowhere() async throws {
    let key = TestTeacher.canary
    let error = #"{"error":{"message":"Incorrect API key provided: \#(key)","code":"\#(key)"}}"#
    let answer =
      #"{"model":"\#(key)","choices":[{"index":0,"message":{"content":"x"},"#
      + #""finish_reason":"stop"}]}"#
    var steps: [FaultServer.Step] = []
    for status in [400, 401, 403, 404, 413, 429, 500, 503] {
      for body in [error, key, "\u{1b}]0;\(key)\u{7}", String(key.prefix(14)), "<\(key)>"] {
        steps.append(.reply(status: status, headers: ["X-Key: \(key)"], body: body))
      }
    }
    let json = "Content-Type: application/json"
    for body in [error, #"{"\#(key)"#, key, #"{"a":"\#(key)","a":1}"#, "[\(key)]"] {
      steps.append(.reply(status: 200, headers: [json], body: body))
    }
    for finish in [key, "\(key.prefix(12))"] {
      steps.append(
        .reply(
          status: 200, headers: [json],
          body: answer.replacing("\"stop\"", with: "\"\(finish)\"")))
    }
    steps.append(
      .reply(status: 200, headers: [json], body: answer.replacing("\"x\"", with: "\"\(key)\"")))
    steps.append(.reply(status: 200, headers: ["Content-Type: \(key)"], body: ""))
    steps.append(
      .reply(status: 200, headers: [json, "Content-Encoding: \(key)"], body: answer))
    steps.append(.reply(status: 302, headers: ["Location: http://h/\(key)?\(key)"], body: ""))
    steps.append(.reply(status: 302, headers: ["Location: http://\(key)@h/"], body: ""))
    var errors = 0
    for step in steps {
      let server = try FaultServer(.script([step]))
      defer { server.stop() }
      var settings = TestTeacher.settings(server)
      settings.retriesPerQuestion = 0
      let events = Gathered<TeacherEvent>()
      let teacher = try TestTeacher.teacher(settings) { events.add($0) }
      if let error = await teacher.error() {
        errors += 1
        let told = "\(error) \(String(reflecting: error)) \(events.all) \(error.kind)"
        XCTAssertFalse(told.contains("canary"), told)
      }
    }
    XCTAssertEqual(errors, steps.count)
    XCTAssertEqual(errors, 52)
    // A server that calls its model so gets no further either.
    let server = try FaultServer(.script([.reply(status: 200, headers: [json], body: answer)]))
    defer { server.stop() }
    let answers = try await TestTeacher.teacher(TestTeacher.settings(server))
      .answers(to: TestTeacher.question())
    XCTAssertEqual(answers.first?.model, "<secret>")
  }

  // MARK: Who is not there

  func testNobodyThere() async throws {
    // A port that was free a moment ago.
    let server = try FaultServer()
    let url = server.url
    server.stop()
    func error(_ url: String) async throws -> TeacherError? {
      await
        (try RemoteTeacher(
          RemoteTeacherSettings(url: url, model: "tiny", connectSeconds: 0.3),
          clock: TestTeacher.hasty)).error()
    }
    let refused = try await error(url)
    XCTAssertEqual(
      refused,
      TeacherError(
        .job, kind: "connection refused",
        "tiny at \(url) refuses connections. Is the server running, and is 'url' right?"))
    let unknown = try await error("http://nobody.invalid/v1")
    XCTAssertEqual(
      unknown,
      TeacherError(
        .job, kind: "unknown host",
        "tiny at http://nobody.invalid/v1 cannot be found: its host's name has no address. Is "
          + "'url' "
          + "right?"))
    #if os(Linux)
      // A listener whose queue is full lets nobody in and turns nobody away.
      let full = try FaultServer.listeningSocket(port: 0, backlog: 0)
      let fillers = (0..<4).map { _ in Self.beginConnecting(full.port) }
      defer { for descriptor in fillers + [full.descriptor] { close(descriptor) } }
      let slow = try await error("http://127.0.0.1:\(full.port)/v1")
      XCTAssertEqual(
        slow,
        TeacherError(
          .job, kind: "time-out: connect",
          "tiny at http://127.0.0.1:\(full.port)/v1 could not be reached within 0.3 seconds "
            + "('connectSeconds'). Is the server running, and is 'url' right?"))
    #endif
  }

  #if os(Linux)
    private static func beginConnecting(_ port: UInt16) -> Int32 {
      let descriptor = socket(
        AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      _ = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      return descriptor
    }
  #endif

  func testServerRestarts() async throws {
    let first = try FaultServer()
    let settings = TestTeacher.settings(first)
    let port = first.port
    let events = Gathered<TeacherEvent>()
    let restarted = Gathered<FaultServer>()
    var clock = TestTeacher.hasty
    // The server comes back while the third retry is waited for.
    clock.sleep = { _ in
      if events.all.filter({ $0 == .sent }).count == 4, restarted.all.isEmpty {
        restarted.add(try FaultServer(port: port))
      }
    }
    let teacher = try TestTeacher.teacher(settings, clock: clock) { events.add($0) }
    _ = try await teacher.answers(to: TestTeacher.question("first"))
    first.stop()
    let answers = try await teacher.answers(to: TestTeacher.question())
    XCTAssertEqual(answers.first?.attempts, 4)
    XCTAssertTrue(kinds(events.all).dropFirst().allSatisfy { $0 == "connection refused" })
    for server in restarted.all { server.stop() }
  }

  func testServerGoesForGood() async throws {
    let server = try FaultServer()
    var settings = TestTeacher.settings(server)
    settings.retriesPerQuestion = 1
    let teacher = try TestTeacher.teacher(settings)
    _ = try await teacher.answers(to: TestTeacher.question("first"))
    server.stop()
    for i in 1...20 {
      let error = await teacher.error()
      XCTAssertEqual(error?.scope, i < 20 ? .attempt : .job, "\(i)")
      let name = "tiny at \(settings.url)"
      if i == 20 {
        XCTAssertEqual(
          error?.description,
          "\(name) refuses connections. Is the server running, and is 'url' right? So it ended "
            + "with "
            + "20 questions in a row.")
      }
    }
  }

  func testBudgetOfTheJob() async throws {
    let server = try FaultServer(.share(1, seed: 1, of: [.status500]))
    defer { server.stop() }
    var settings = TestTeacher.settings(server)
    settings.retriesPerQuestion = 4
    settings.retriesPerJob = 10
    let teacher = try TestTeacher.teacher(settings)
    var scopes: [TeacherError.Scope?] = []
    for _ in 0..<3 { scopes.append(await teacher.error()?.scope) }
    XCTAssertEqual(scopes, [.attempt, .attempt, .job])
    XCTAssertEqual(server.requests.count, 13)
    let last = await teacher.error()
    XCTAssertEqual(
      last?.description,
      "tiny at \(settings.url) answered with status 500. All 10 retries of the job "
        + "('retriesPerJob') are used up.")
  }

  // MARK: Stopping

  func testCancelling() async throws {
    let server = try FaultServer(
      .script([.fault(.stallBeforeHeaders), .fault(.stallAfterHeaders)]))
    defer { server.stop() }
    var settings = TestTeacher.settings(server)
    settings.firstByteSeconds = 100
    settings.idleSeconds = 100
    settings.totalSeconds = 100
    for _ in 0..<2 {
      let teacher = try TestTeacher.teacher(settings)
      let count = server.requests.count
      let task = Task { await teacher.error() }
      while server.requests.count == count { try await Task.sleep(nanoseconds: 1_000_000) }
      task.cancel()
      let error = await task.value
      XCTAssertEqual(
        error,
        TeacherError(
          .cancelled, kind: "cancelled",
          "problems.jsonl:3: asking tiny at \(server.url) was cancelled."))
      // The transfer is over, not only forgotten.
      for _ in 0..<2000 where server.connectionCount > 0 {
        try await Task.sleep(nanoseconds: 1_000_000)
      }
      XCTAssertEqual(server.connectionCount, 0)
    }
    let teacher = try TestTeacher.teacher(settings)
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return await teacher.error(TestTeacher.question(samples: 0..<3))
    }
    task.cancel()
    let error = await task.value
    XCTAssertEqual(error?.scope, .cancelled)
  }

  func testCancellingWhileWaiting() async throws {
    let server = try FaultServer(.script([.fault(.status500)]))
    defer { server.stop() }
    let settings = TestTeacher.settings(server)
    let events = Gathered<TeacherEvent>()
    var clock = RemoteClock.system
    clock.random = { 0.99 }
    let teacher = try TestTeacher.teacher(settings, clock: clock) { events.add($0) }
    let task = Task { await teacher.error() }
    while events.all.count < 3 { try await Task.sleep(nanoseconds: 1_000_000) }
    XCTAssertEqual(
      events.all, [.sent, .retried(kind: "HTTP 500"), .waiting(seconds: 0.495, why: .retry)])
    task.cancel()
    let error = await task.value
    XCTAssertEqual(error?.scope, .cancelled)
    XCTAssertEqual(server.requests.count, 1)
  }

  /// One of a question's requests fails for good; the others are ended, and that failure is told.
  func testOneOfSeveralRequestsFails() async throws {
    let server = try FaultServer(
      .script([.fault(.status413)] + Array(repeating: .fault(.stallBeforeHeaders), count: 20)))
    defer { server.stop() }
    var settings = TestTeacher.settings(server)
    settings.firstByteSeconds = 100
    settings.totalSeconds = 100
    let teacher = try TestTeacher.teacher(settings)
    let error = await teacher.error(TestTeacher.question(samples: 0..<6))
    XCTAssertEqual(error?.kind, "HTTP 413")
    let none = try await teacher.answers(to: TestTeacher.question(samples: 3..<3))
    XCTAssertEqual(none, [])
  }

  func testAfterTooMany() async throws {
    let server = try FaultServer(
      .script([
        .reply(status: 429, headers: ["Retry-After: 7"], body: ""), .fault(.status429),
      ]))
    defer { server.stop() }
    let events = Gathered<TeacherEvent>()
    let waited = Gathered<Double>()
    var clock = TestTeacher.hasty
    let start = clock.now()
    // Time passes only where somebody waits.
    clock.now = { start + waited.all.reduce(0, +) }
    clock.sleep = { waited.add($0) }
    clock.random = { 0.5 }
    let teacher = try TestTeacher.teacher(TestTeacher.settings(server), clock: clock) {
      events.add($0)
    }
    let answers = try await teacher.answers(to: TestTeacher.question())
    XCTAssertEqual(answers.first?.attempts, 3)
    // Seven seconds and half of the first bound; then half of the second bound.
    XCTAssertEqual(waited.all, [7.25, 0.5])
  }
}
