import Foundation
import Storage

#if canImport(Glibc)
  import Glibc
#endif

/// A server of `/v1/chat/completions` on this machine that does wrong what it is told to.
///
/// What it answers depends on the messages, the seed and the choice alone (`ServedAnswer`). It is
/// for tests; it serves 127.0.0.1 only.
public final class FaultServer: @unchecked Sendable {
  /// What is done with one request.
  public enum Step: Sendable {
    case answer
    case fault(Fault)
    /// A reply of one's own: the head's further lines, and the body.
    case reply(status: Int, headers: [String], body: String)
    /// The bytes as they are, then the end of the connection.
    case raw([UInt8])
    /// The stream's body in pieces, each sent by itself.
    case stream([[UInt8]])
  }

  /// Which request gets what.
  public enum Plan: Sendable {
    /// In the order of their arrival; after the last, answers.
    case script([Step])
    /// A share of all requests has a fault, drawn from the seed, the question and how often it was
    /// asked: the same whatever the order.
    case share(Double, seed: UInt64, of: [Fault])
  }

  /// How reasoning is told.
  public enum Style: Sendable {
    case field(String)
    /// `<think>` and `</think>` in the content.
    case tags
    /// Only `</think>`, because the prompt ended in `<think>`.
    case closingTag
    case none
  }

  public let port: UInt16
  public let style: Style
  /// The model's name in replies.
  public let model: String
  /// Where `redirectElsewhere` leads.
  public let elsewhere: String
  /// Seconds until an answer begins.
  public let latency: Double
  /// How many bytes `hugeBody` and `gzipBomb` come to.
  public let hugeBytes: Int

  private let listener: Int32
  private let plan: Plan
  private let lock = NSLock()
  private var received: [ServerRequest] = []
  private var askedCounts: [String: Int] = [:]
  private var served: [String: Int] = [:]
  private var open: Set<Int32> = []
  private var underWay = 0
  private var mostUnderWay = 0
  private var accepted = 0
  private var isStopped = false

  /// Begins to serve.
  ///
  /// - Parameter port: 0 for any that is free.
  /// - Throws: An error of the system's, if the port is taken.
  public init(
    _ plan: Plan = .script([]), port: UInt16 = 0, style: Style = .field("reasoning_content"),
    model: String = "tiny", elsewhere: String = "http://127.0.0.1:9/v1/chat/completions?key=1",
    latency: Double = 0, hugeBytes: Int = 80 << 20
  ) throws {
    self.plan = plan
    self.style = style
    self.model = model
    self.elsewhere = elsewhere
    self.latency = latency
    self.hugeBytes = hugeBytes
    let listener = try Self.listeningSocket(port: port, backlog: 512)
    self.listener = listener.descriptor
    self.port = listener.port
    Thread.detachNewThread { [self] in acceptConnections() }
  }

  /// The URL for settings, `http://127.0.0.1:PORT/v1`.
  public var url: String { "http://127.0.0.1:\(port)/v1" }

  /// Serves until the process is ended: prints the port, then answers.
  ///
  /// - Throws: An error of the system's, if the port is taken.
  public static func serve(port: UInt16, faultShare: Double, seed: UInt64) throws -> Never {
    let server = try FaultServer(
      .share(faultShare, seed: seed, of: Fault.passing), port: port)
    FileHandle.standardOutput.write(Data("\(server.port)\n".utf8))
    while true { sleep(3600) }
  }

  /// Stops listening, and ends every connection.
  public func stop() {
    lock.lock()
    defer { lock.unlock() }
    if isStopped { return }
    isStopped = true
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
    for descriptor in open { shutdown(descriptor, Int32(SHUT_RDWR)) }
  }

  deinit { stop() }

  // MARK: What was seen

  public var requests: [ServerRequest] { locked { received } }
  /// How often each question was asked; a question's key is `seed:content`.
  public var asked: [String: Int] { locked { askedCounts } }
  /// How often each question was answered without a fault.
  public var answered: [String: Int] { locked { served } }
  /// The most requests that were under way at once.
  public var mostAtOnce: Int { locked { mostUnderWay } }
  /// How many connections there have been.
  public var acceptedCount: Int { locked { accepted } }
  /// How many connections are open.
  public var connectionCount: Int { locked { open.count } }

  private func locked<Value>(_ body: () -> Value) -> Value {
    lock.lock()
    defer { lock.unlock() }
    return body()
  }

  // MARK: Serving

  private func acceptConnections() {
    while true {
      let descriptor = accept(listener, nil, nil)
      if descriptor < 0 {
        if locked({ isStopped }) { return }
        if errno == EBADF || errno == EINVAL { return }
        continue
      }
      let isRefused = locked {
        if isStopped { return true }
        open.insert(descriptor)
        accepted += 1
        return false
      }
      if isRefused {
        close(descriptor)
        return
      }
      Thread.detachNewThread { [weak self] in
        let connection = ServerConnection(descriptor)
        while !connection.isOver, let request = connection.nextRequest() {
          guard let self else { break }
          self.answer(request, on: connection)
          if request.header("Connection")?.lowercased() == "close" { break }
        }
        self?.forget(descriptor)
        close(descriptor)
      }
    }
  }

  private func forget(_ descriptor: Int32) { _ = locked { open.remove(descriptor) } }

  private func answer(_ request: ServerRequest, on connection: ServerConnection) {
    let question = ServedQuestion(request.body)
    let key = question.key
    let step: Step = locked {
      received.append(request)
      let number = askedCounts[key, default: 0]
      askedCounts[key] = number + 1
      underWay += 1
      mostUnderWay = max(mostUnderWay, underWay)
      return self.step(key: key, attempt: number, arrival: received.count - 1, question)
    }
    defer { locked { underWay -= 1 } }
    if latency > 0 { Thread.sleep(forTimeInterval: latency) }
    let reply = ServedReply(server: self, question: question, connection: connection)
    if reply.send(step) { locked { served[key, default: 0] += 1 } }
  }

  private func step(
    key: String, attempt: Int, arrival: Int, _ question: ServedQuestion
  ) -> Step {
    switch plan {
    case .script(let steps): return arrival < steps.count ? steps[arrival] : .answer
    case .share(let share, let seed, let faults):
      var random = SplitMix(state: seed &+ UInt64(attempt) &* 0x1234_5678_9ABC_DEF1)
      for byte in key.utf8 { random.state = (random.state ^ UInt64(byte)) &* 0x100_0000_01B3 }
      let usable = faults.filter { question.stream || !$0.needsStream }
      guard Double(random.next() >> 11) / Double(1 << 53) < share, !usable.isEmpty else {
        return .answer
      }
      return .fault(usable[random.index(usable.count)])
    }
  }

  // MARK: Sockets

  /// A socket of 127.0.0.1 that listens.
  public static func listeningSocket(
    port: UInt16, backlog: Int32
  ) throws -> (descriptor: Int32, port: UInt16) {
    #if canImport(Darwin)
      let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #else
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #endif
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, size) == 0 && listen(descriptor, backlog) == 0
          && getsockname(descriptor, address, &size) == 0
      }
    }
    guard descriptor >= 0, bound else {
      let code = errno
      if descriptor >= 0 { close(descriptor) }
      throw NSError(domain: NSPOSIXErrorDomain, code: Int(code))
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }
}

/// What a request asks, as far as the server minds.
struct ServedQuestion {
  var content = ""
  var seed = 0
  var choices = 1
  var stream = false
  var model = ""

  var key: String { "\(seed):\(content)" }

  init(_ body: [UInt8]) {
    guard case .object(let object)? = try? JSONValue(parsing: body, source: "request") else {
      return
    }
    if case .array(let messages)? = object["messages"], case .object(let last)? = messages.last,
      case .string(let content)? = last["content"]
    {
      self.content = content
    }
    if case .number(let number)? = object["seed"] { seed = number.int ?? 0 }
    if case .number(let number)? = object["n"] { choices = min(number.int ?? 1, 64) }
    if case .bool(let bool)? = object["stream"] { stream = bool }
    if case .string(let text)? = object["model"] { model = text }
  }
}
