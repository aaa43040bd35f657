import Foundation
import Storage

/// One reply: what is said, and what is done wrong on the way.
struct ServedReply {
  let server: FaultServer
  let question: ServedQuestion
  let connection: ServerConnection

  /// Carries a step out.
  ///
  /// - Returns: Whether the client was given a whole answer.
  func send(_ step: FaultServer.Step) -> Bool {
    switch step {
    case .answer:
      sendAnswer(nil)
      return !connection.isBroken
    case .fault(let fault):
      send(fault)
      return fault.isHarmless && !connection.isBroken
    case .reply(let status, let headers, let body):
      send(status: status, headers: headers, body: Array(body.utf8))
    case .raw(let bytes):
      connection.write(bytes)
      connection.end()
    case .stream(let pieces):
      connection.write(Self.head(200, ["Content-Type: text/event-stream", chunked]))
      for piece in pieces {
        connection.write(Self.chunk(piece))
        if pieces.count > 1 { usleep(200) }
      }
      connection.write("0\r\n\r\n")
    }
    return false
  }

  // MARK: Faults

  private func send(_ fault: Fault) {
    switch fault {
    case .resetBeforeHeaders:
      connection.resetWhenClosed()
      connection.end()
    case .closedBeforeHeaders: connection.end()
    case .resetAfterHeaders:
      connection.write(Self.head(200, [contentType, "Content-Length: 1000"]))
      usleep(5000)
      connection.resetWhenClosed()
      connection.end()
    case .stallBeforeHeaders: connection.hold(seconds: 30)
    case .stallAfterHeaders:
      connection.write(Self.head(200, [contentType, "Content-Length: 1000"]) + Array("{".utf8))
      connection.hold(seconds: 30)
    case .drip:
      connection.write(Self.head(200, ["Content-Type: text/event-stream", chunked]))
      while !connection.isOver {
        connection.write(Self.chunk(Array(": \n".utf8)))
        connection.hold(seconds: 0.05)
      }
    case .notHTTP:
      connection.write("SSH-2.0-OpenSSH_9.2\r\n")
      connection.end()
    case .hugeHeader:
      connection.write(
        Self.head(200, [contentType, "X-Filling: " + String(repeating: "x", count: 2 << 20)]))
      connection.end()

    case .status408, .status409, .status425, .status429, .status400, .status401, .status402,
      .status403, .status404, .status413, .status422, .status451:
      let status = Int(fault.rawValue.dropFirst(6)) ?? 500
      send(status: status, headers: [json], body: error("The request is not liked.", code: nil))
    case .unknownModel:
      send(
        status: 400, headers: [json],
        body: error(
          "The model `\(question.model)` does not exist.", code: .string("model_not_found")))
    case .status429Seconds:
      send(
        status: 429, headers: [json, "Retry-After: 1"], body: error("Too many.", code: nil))
    case .status429Milliseconds:
      send(
        status: 429, headers: [json, "Retry-After-Ms: 20"], body: error("Too many.", code: nil))
    case .status500, .status502, .status503, .status504:
      let status = Int(fault.rawValue.dropFirst(6)) ?? 500
      send(status: status, headers: ["Content-Type: text/html"], body: Array(page.utf8))
    case .noContent: connection.write(Self.head(204, []))

    case .redirectSamePlace: redirect(to: "/other/chat/completions?key=1")
    case .redirectElsewhere: redirect(to: server.elsewhere)
    case .redirectLoop: redirect(to: "\(server.url)/chat/completions")
    default: sendAnswer(fault)
    }
  }

  private func redirect(to place: String) {
    send(status: 307, headers: ["Location: \(place)"], body: [])
  }

  private var page: String { "<html><body><h1>Bad gateway</h1></body></html>" }
  private var json: String { "Content-Type: application/json" }
  private var chunked: String { "Transfer-Encoding: chunked" }
  private var contentType: String {
    question.stream ? "Content-Type: text/event-stream; charset=utf-8" : json
  }

  private func error(_ message: String, code: JSONValue?) -> [UInt8] {
    var members: [(key: String, value: JSONValue)] = [
      ("message", .string(message)), ("type", .string("error")),
    ]
    if let code { members.append(("code", code)) }
    return Array(
      JSONValue.object(
        JSONObject(members: [("error", .object(JSONObject(members: members)))])
      ).serialized())
  }

  // MARK: Bodies

  /// An answer, or what a fault makes of it.
  private func sendAnswer(_ fault: Fault?) {
    let isStream = question.stream && fault != .answerWithoutStream
    var type = isStream ? contentType : json
    var body: [UInt8]
    switch fault {
    case .errorWith200: (type, body) = (json, error("Overloaded.", code: nil))
    case .empty: body = []
    case .page: (type, body) = ("Content-Type: text/html", Array(page.utf8))
    case .notAnObject: (type, body) = (json, Array("[1]".utf8))
    default:
      body = isStream ? streamBody(fault) : wholeBody(fault)
    }
    if fault == .wrongContentType { type = "Content-Type: text/plain" }
    sendBody(body, type: type, isStream: isStream, fault)
  }

  private func sendBody(_ body: [UInt8], type: String, isStream: Bool, _ fault: Fault?) {
    switch fault {
    case .hugeBody:
      connection.write(Self.head(200, [type, chunked]))
      let filling = [UInt8](repeating: UInt8(ascii: isStream ? ":" : " "), count: 1 << 20)
      for _ in 0..<(server.hugeBytes >> 20) where !connection.isOver {
        connection.write(Self.chunk(filling))
      }
      connection.write(Self.chunk(body) + Array("0\r\n\r\n".utf8))
    case .gzip, .gzipBomb:
      // Stored blocks of deflate; for a bomb, blocks of repeated zeros would be smaller still, but
      // a client that reads the head needs none.
      let content = fault == .gzip ? body : [UInt8](repeating: 32, count: 1 << 20)
      connection.write(
        Self.head(
          200, [type, "Content-Encoding: gzip", "Content-Length: \(content.count)"]) + content)
    case .contentLengthCut:
      connection.write(Self.head(200, [type, "Content-Length: \(body.count)"]))
      connection.write(Array(body.prefix(body.count / 2)))
      connection.end()
    case .chunkCut:
      connection.write(Self.head(200, [type, chunked]))
      let part = Array(body.prefix(body.count / 2))
      connection.write(Array(Self.chunk(part).dropLast(4)))
      connection.end()
    case .cutWithoutLength, .wholeWithoutLength:
      connection.write(Self.head(200, [type, "Connection: close"]))
      connection.write(fault == .wholeWithoutLength ? body : Array(body.prefix(body.count / 2)))
      connection.end()
    case .splitCharacters:
      connection.write(Self.head(200, [type, chunked]))
      // Five bytes do not divide the characters' two, three and four.
      for start in stride(from: 0, to: body.count, by: 5) {
        connection.write(Self.chunk(Array(body[start..<min(start + 5, body.count)])))
      }
      connection.write("0\r\n\r\n")
    default:
      if isStream {
        connection.write(
          Self.head(200, [type, chunked]) + Self.chunk(body) + Array("0\r\n\r\n".utf8))
      } else {
        connection.write(Self.head(200, [type, "Content-Length: \(body.count)"]) + body)
      }
    }
  }

  private func send(status: Int, headers: [String], body: [UInt8]) {
    connection.write(Self.head(status, headers + ["Content-Length: \(body.count)"]) + body)
  }

  static func head(_ status: Int, _ headers: [String]) -> [UInt8] {
    Array(
      ("HTTP/1.1 \(status) Status\r\n" + headers.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
  }

  static func chunk(_ bytes: [UInt8]) -> [UInt8] {
    bytes.isEmpty ? [] : Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + [13, 10]
  }
}
