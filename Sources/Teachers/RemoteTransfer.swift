import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// How long the parts of a transfer may take, in seconds.
struct RemoteDeadlines: Equatable, Sendable {
  var connect: Double
  var firstByte: Double
  var idle: Double
  var total: Double
}

/// One request on its way, and the reply to it, with deadlines of its own.
///
/// Of URLSession's own ways, these are turned off: redirects (on Linux they take the key along),
/// cookies, caches, stored passwords, time-outs (on Linux a drip of bytes keeps them off). Proxies
/// are taken from the environment, as always.
///
/// Every request has a session, and so a connection, of its own. A connection that is used again
/// may have been closed by the server meanwhile; on Linux, the request then goes out a second time
/// without its body, and nobody ever answers. To connect takes no time beside what an answer takes.
///
/// Everything below happens on one serial queue, which is also the session's.
final class RemoteTransfer: NSObject, @unchecked Sendable {
  private let operations: OperationQueue
  private let queue: DispatchQueue
  private let request: URLRequest
  private let deadlines: RemoteDeadlines
  private let readHead: @Sendable (HTTPURLResponse) -> ReplyHead
  private var reader: ChatCompletionReader

  private var session: URLSession?
  private var timer: (any DispatchSourceTimer)?
  private var continuation: CheckedContinuation<Result<ChatCompletion, ReplyFault>, Never>?
  private var result: Result<ChatCompletion, ReplyFault>?
  private var start = 0.0
  private var sentAt: Double?
  /// When the head of a reply came that is no answer.
  private var errorAt: Double?
  private var lastByteAt: Double?
  private var hasBegun = false

  /// So long, in seconds, the body of an error is waited for. Its status is all that counts, and
  /// Foundation on Linux never ends a 401 that offers `Basic`.
  private static let errorSeconds = 2.0

  /// - Parameters:
  ///   - operations: Operations on `queue`, one at a time.
  ///   - queue: A serial queue; several transfers share it.
  ///   - readHead: Takes from the head of a reply what matters.
  init(
    _ request: URLRequest, reader: ChatCompletionReader, deadlines: RemoteDeadlines,
    on operations: OperationQueue, queue: DispatchQueue,
    readHead: @escaping @Sendable (HTTPURLResponse) -> ReplyHead
  ) {
    self.request = request
    self.reader = reader
    self.deadlines = deadlines
    self.operations = operations
    self.queue = queue
    self.readHead = readHead
  }

  /// Sends the request, and waits for the answer or for what is wrong with it.
  ///
  /// Cancelling the task ends the transfer at once, with a fault whose remedy is `cancelled`.
  func answer() async -> Result<ChatCompletion, ReplyFault> {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        queue.async { self.begin(continuation) }
      }
    } onCancel: {
      queue.async {
        self.finish(.failure(ReplyFault(.cancelled, kind: "cancelled", "was cancelled.")))
      }
    }
  }

  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

  private func begin(
    _ continuation: CheckedContinuation<Result<ChatCompletion, ReplyFault>, Never>
  ) {
    if let result {
      continuation.resume(returning: result)
      return
    }
    self.continuation = continuation
    start = Self.now
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpShouldSetCookies = false
    configuration.httpCookieAcceptPolicy = .never
    configuration.httpCookieStorage = nil
    configuration.urlCache = nil
    configuration.urlCredentialStorage = nil
    configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
    configuration.timeoutIntervalForRequest = deadlines.total * 2 + 60
    configuration.timeoutIntervalForResource = deadlines.total * 2 + 60
    let session = URLSession(
      configuration: configuration, delegate: self, delegateQueue: operations)
    self.session = session
    setTimer()
    session.dataTask(with: request).resume()
  }

  private func finish(_ result: Result<ChatCompletion, ReplyFault>) {
    guard self.result == nil else { return }
    self.result = result
    timer?.cancel()
    timer = nil
    // The session keeps its delegate alive until here.
    session?.invalidateAndCancel()
    session = nil
    continuation?.resume(returning: result)
    continuation = nil
  }

  // MARK: Deadlines

  /// The deadline that comes next, and what it is called.
  private var next: (time: Double, name: String, words: String) {
    var next: (time: Double, name: String, words: String)
    if let errorAt {
      return (errorAt + Self.errorSeconds, "", "")
    } else if let lastByteAt {
      next = (
        lastByteAt + deadlines.idle, "idle",
        "fell silent within the answer for \(seconds(deadlines.idle)) ('idleSeconds')."
      )
    } else if let sentAt {
      next = (
        sentAt + deadlines.firstByte, "first byte",
        "sent nothing for \(seconds(deadlines.firstByte)) ('firstByteSeconds')."
      )
    } else {
      next = (
        start + deadlines.connect, "connect",
        "could not be reached within \(seconds(deadlines.connect)) ('connectSeconds'). Is the "
          + "server running, and is 'url' right?"
      )
    }
    let end = start + deadlines.total
    guard end < next.time else { return next }
    return (
      end, "total", "did not finish the answer within \(seconds(deadlines.total)) ('totalSeconds')."
    )
  }

  private func seconds(_ value: Double) -> String {
    let text = value == value.rounded() ? "\(Int(min(value, 1e9)))" : "\(value)"
    return text == "1" ? "1 second" : "\(text) seconds"
  }

  /// Looks again when the next deadline comes. It may have moved until then, as it does with every
  /// byte; it is set anew where it may come sooner.
  private func setTimer() {
    timer?.cancel()
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(
      deadline: .now() + max(0, next.time - Self.now) + 0.001, leeway: .milliseconds(20))
    timer.setEventHandler { [weak self] in self?.lookAtDeadline() }
    self.timer = timer
    timer.resume()
  }

  private func lookAtDeadline() {
    guard result == nil else { return }
    let next = next
    guard next.time <= Self.now else {
      setTimer()
      return
    }
    guard errorAt == nil else {
      endReading()
      return
    }
    // Whoever can't be reached may not be there at all.
    var fault = ReplyFault(
      next.name == "connect" ? .againIfServerIsKnown : .again, kind: "time-out: \(next.name)",
      next.words)
    fault.isTransport = true
    finish(.failure(fault))
  }

  // MARK: Reading

  /// Carries out a step of reading; a fault ends the transfer.
  private func read(_ step: () throws(ReplyFault) -> Void) {
    do throws(ReplyFault) {
      try step()
    } catch {
      finish(.failure(error))
    }
  }

  private func beginReading(_ response: URLResponse?) {
    guard !hasBegun, let response = response as? HTTPURLResponse else { return }
    hasBegun = true
    let head = readHead(response)
    read { () throws(ReplyFault) in try reader.begin(head) }
    guard result == nil, head.status != 200 else { return }
    errorAt = Self.now
    if reader.hasSeenEnough { endReading() } else { setTimer() }
  }

  private func add(_ data: Data) {
    let isFirst = lastByteAt == nil
    lastByteAt = Self.now
    var fault: ReplyFault?
    data.withUnsafeBytes { bytes in
      do throws(ReplyFault) {
        try reader.add(bytes)
      } catch {
        fault = error
      }
    }
    if let fault {
      finish(.failure(fault))
    } else if reader.hasSeenEnough {
      endReading()
    } else if isFirst {
      setTimer()
    }
  }

  private func endReading() {
    read { () throws(ReplyFault) in finish(.success(try reader.end())) }
  }
}

// MARK: - What the session tells

extension RemoteTransfer: URLSessionDataDelegate {
  func urlSession(
    _ session: URLSession, task: URLSessionTask, didSendBodyData bytesSent: Int64,
    totalBytesSent: Int64, totalBytesExpectedToSend: Int64
  ) {
    guard result == nil, sentAt == nil else { return }
    sentAt = Self.now
    setTimer()
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    if result == nil {
      if sentAt == nil { sentAt = Self.now }
      beginReading(response)
    }
    completionHandler(result == nil ? .allow : .cancel)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    guard result == nil else { return }
    beginReading(dataTask.response)
    if result == nil { add(data) }
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
    completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    completionHandler(nil)
    if result == nil { beginReading(response) }
  }

  /// A server that asks for a name and a password gets none; one that shows its certificate is
  /// judged by the system.
  func urlSession(
    _ session: URLSession, task: URLSessionTask, didReceive challenge: URLAuthenticationChallenge,
    completionHandler:
      @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
  ) {
    completionHandler(.performDefaultHandling, nil)
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
  ) {
    guard result == nil else { return }
    beginReading(task.response)
    guard result == nil else { return }
    // A stream that said it is over is whole, whatever happens to its connection.
    guard let error, !reader.isDone else {
      endReading()
      return
    }
    finish(.failure(TransportFault.fault(error, isWithinAnswer: hasBegun)))
  }
}

extension ReplyHead {
  init(_ response: HTTPURLResponse, now: Date, longestWait: Double) {
    func header(_ name: String) -> String? {
      for (key, value) in response.allHeaderFields {
        guard let key = key as? String, key.lowercased() == name else { continue }
        return value as? String
      }
      return nil
    }
    let place = header("location").map { location in
      String(location.unicodeScalars.prefix { $0 != "?" && $0 != "#" })
    }
    self.init(
      status: response.statusCode,
      contentType: header("content-type").map { type in
        String(type.prefix { $0 != ";" }).trimmingCharacters(in: .whitespaces).lowercased()
      },
      contentEncoding: header("content-encoding"),
      contentLength: header("content-length").flatMap { Int($0) },
      wait: WaitRequest(header: header, now: now, longest: longestWait),
      location: place?.isEmpty == true ? nil : place)
  }
}
