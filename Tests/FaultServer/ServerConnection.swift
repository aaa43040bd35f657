import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// A connection of the server: requests are read from it, and bytes written to it.
final class ServerConnection {
  let descriptor: Int32
  private var pending: [UInt8] = []
  /// Whether nothing more can be said.
  private(set) var isOver = false
  /// Whether the client did not take what was said.
  private(set) var isBroken = false

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    #if canImport(Darwin)
      var yes: Int32 = 1
      setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &yes, socklen_t(MemoryLayout<Int32>.size))
    #endif
    var yes: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
  }

  /// The next request; nil if the client is gone or says something else.
  func nextRequest() -> ServerRequest? {
    while true {
      if let end = headEnd() {
        guard var request = ServerRequest(head: pending[..<end]) else { return nil }
        pending.removeFirst(end)
        if request.header("Expect")?.lowercased() == "100-continue" {
          write("HTTP/1.1 100 Continue\r\n\r\n")
        }
        let length = request.header("Content-Length").flatMap { Int($0) } ?? 0
        while pending.count < length { guard receive() else { return nil } }
        request.body = Array(pending.prefix(length))
        pending.removeFirst(length)
        return request
      }
      guard pending.count < 1 << 20, receive() else { return nil }
    }
  }

  private func headEnd() -> Int? {
    guard pending.count >= 4 else { return nil }
    for i in 3..<pending.count
    where pending[i] == 10 && pending[i - 1] == 13 && pending[i - 2] == 10 && pending[i - 3] == 13 {
      return i + 1
    }
    return nil
  }

  private func receive() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return false }
    pending += buffer[..<count]
    return true
  }

  func write(_ text: String) { write(Array(text.utf8)) }

  func write(_ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count, !isOver {
      #if canImport(Darwin)
        let flags: Int32 = 0
      #else
        let flags = Int32(MSG_NOSIGNAL)
      #endif
      let count = bytes.withUnsafeBytes { bytes in
        send(descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, flags)
      }
      if count <= 0 {
        isOver = true
        isBroken = true
      } else {
        sent += count
      }
    }
  }

  /// Waits until the client hangs up, or so many seconds have passed.
  func hold(seconds: Double) {
    var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    if poll(&watched, 1, Int32(seconds * 1000)) > 0 { isOver = true }
  }

  /// Makes closing a reset instead of an end.
  func resetWhenClosed() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
  }

  func end() { isOver = true }
}

/// A request as it came.
public struct ServerRequest: Sendable {
  public var method: String
  public var path: String
  public var headers: [(name: String, value: String)]
  public var body: [UInt8] = []

  init?(head: ArraySlice<UInt8>) {
    let lines = String(decoding: head, as: UTF8.self).unicodeScalars
      .split(separator: "\n").map { String($0).trimmingCharacters(in: .whitespacesAndNewlines) }
    guard let words = lines.first?.split(separator: " "), words.count == 3 else { return nil }
    method = String(words[0])
    path = String(words[1])
    headers = lines.dropFirst().compactMap { line in
      line.firstIndex(of: ":").map { colon in
        (
          String(line[..<colon]),
          line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        )
      }
    }
  }

  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}
