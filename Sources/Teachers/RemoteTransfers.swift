import Foundation
import Storage

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

/// Sends requests and reads the replies, with deadlines of its own.
///
/// One session for all requests of a teacher: on Linux, each session has threads that stay for a
/// while. Everything below happens on one serial queue, which also is the session's.
///
/// Of URLSession's own ways, these are turned off: redirects (on Linux they take the key along),
/// cookies, caches, stored passwords, time-outs (on Linux a drip of bytes keeps them off). Proxies
/// are taken from the environment, as always.
final class RemoteTransfers: NSObject, @unchecked Sendable {
  private let queue = DispatchQueue(label: "distill.remote")
  private var session: URLSession?
  private var open: [Int: Transfer] = [:]
  private let longestWait: Double
  /// So long, in seconds, the body of an error is waited for. Its status is all that counts, and
  /// Foundation on Linux never ends a 401 that offers `Basic`.
  static let errorSeconds = 2.0
  private let date: @Sendable () -> Date

  /// A request that is under way. It is touched on the queue only.
  private final class Transfer: @unchecked Sendable {
    let deadlines: RemoteDeadlines
    var reader: ChatCompletionReader
    var task: URLSessionDataTask?
    var timer: (any DispatchSourceTimer)?
    var continuation: CheckedContinuation<Result<ChatCompletion, ReplyFault>, Never>?
    var result: Result<ChatCompletion, ReplyFault>?
    var start = 0.0
    var sentAt: Double?
    /// When the head of a reply came that is no answer.
    var errorAt: Double?
    var lastByteAt: Double?
    var hasBegun = false
    /// Whether the timer knows that the body has begun.
    var hasTimerForBody = false

    init(reader: ChatCompletionReader, deadlines: RemoteDeadlines) {
      self.reader = reader
      self.deadlines = deadlines
    }

    /// The deadline that comes next, and what it is called.
    var next: (time: Double, name: String, words: String) {
      var next: (time: Double, name: String, words: String)
      if let errorAt {
        return (errorAt + RemoteTransfers.errorSeconds, "", "")
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
          "could not be reached within \(seconds(deadlines.connect)) ('connectSeconds'). "
            + "Is the server running, and is 'url' right?"
        )
      }
      let end = start + deadlines.total
      guard end < next.time else { return next }
      return (
        end, "total",
        "did not finish the answer within \(seconds(deadlines.total)) ('totalSeconds')."
      )
    }

    private func seconds(_ value: Double) -> String {
      let text = value == value.rounded() ? "\(Int(min(value, 1e9)))" : "\(value)"
      return text == "1" ? "1 second" : "\(text) seconds"
    }
  }

  init(
    requestsInFlight: Int, longestRequest: Double, longestWait: Double,
    date: @escaping @Sendable () -> Date
  ) {
    self.longestWait = longestWait
    self.date = date
    super.init()
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpShouldSetCookies = false
    configuration.httpCookieAcceptPolicy = .never
    configuration.httpCookieStorage = nil
    configuration.urlCache = nil
    configuration.urlCredentialStorage = nil
    configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
    // Transfers that were given up may take a moment to end; nobody shall wait for them.
    configuration.httpMaximumConnectionsPerHost = requestsInFlight * 2 + 2
    configuration.timeoutIntervalForRequest = longestRequest * 2 + 60
    configuration.timeoutIntervalForResource = longestRequest * 2 + 60
    let operations = OperationQueue()
    operations.maxConcurrentOperationCount = 1
    operations.underlyingQueue = queue
    session = URLSession(configuration: configuration, delegate: self, delegateQueue: operations)
  }

  /// Ends all transfers; no new ones begin. The session keeps this object alive until then.
  func end() {
    queue.async { [self] in
      for transfer in open.values {
        finish(
          transfer, .failure(ReplyFault(.cancelled, kind: "cancelled", "is not asked any more.")))
      }
      session?.invalidateAndCancel()
      session = nil
    }
  }

  /// Sends a request, and waits for the answer or for what is wrong with it.
  ///
  /// Cancelling the task ends the transfer at once, with a fault whose remedy is `cancelled`.
  func answer(
    to request: URLRequest, reader: ChatCompletionReader, deadlines: RemoteDeadlines
  ) async -> Result<ChatCompletion, ReplyFault> {
    let transfer = Transfer(reader: reader, deadlines: deadlines)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        queue.async { [self] in begin(transfer, request, continuation) }
      }
    } onCancel: {
      queue.async { [self] in
        finish(transfer, .failure(ReplyFault(.cancelled, kind: "cancelled", "was cancelled.")))
      }
    }
  }

  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 }

  private func begin(
    _ transfer: Transfer, _ request: URLRequest,
    _ continuation: CheckedContinuation<Result<ChatCompletion, ReplyFault>, Never>
  ) {
    if let result = transfer.result {
      continuation.resume(returning: result)
      return
    }
    guard let session else {
      continuation.resume(
        returning: .failure(ReplyFault(.cancelled, kind: "cancelled", "is not asked any more.")))
      return
    }
    transfer.continuation = continuation
    transfer.start = Self.now
    let task = session.dataTask(with: request)
    transfer.task = task
    open[task.taskIdentifier] = transfer
    setTimer(transfer)
    task.resume()
  }

  /// Looks again when the next deadline comes. It may have moved until then, as it does with every
  /// byte.
  private func setTimer(_ transfer: Transfer) {
    transfer.timer?.cancel()
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(
      deadline: .now() + max(0, transfer.next.time - Self.now) + 0.001, leeway: .milliseconds(20))
    timer.setEventHandler { [weak self, weak transfer] in
      guard let self, let transfer, transfer.result == nil else { return }
      let next = transfer.next
      guard next.time <= Self.now else {
        self.setTimer(transfer)
        return
      }
      if transfer.errorAt != nil {
        self.endReading(transfer)
        return
      }
      // Whoever can't be reached may not be there at all.
      var fault = ReplyFault(
        next.name == "connect" ? .againIfServerIsKnown : .again, kind: "time-out: \(next.name)",
        next.words)
      fault.isTransport = true
      self.finish(transfer, .failure(fault))
    }
    transfer.timer = timer
    timer.resume()
  }

  private func finish(_ transfer: Transfer, _ result: Result<ChatCompletion, ReplyFault>) {
    guard transfer.result == nil else { return }
    transfer.result = result
    transfer.timer?.cancel()
    transfer.timer = nil
    if let task = transfer.task {
      open[task.taskIdentifier] = nil
      task.cancel()
      transfer.task = nil
    }
    transfer.continuation?.resume(returning: result)
    transfer.continuation = nil
  }

  /// Carries out a step of reading; a fault ends the transfer.
  private func read(_ transfer: Transfer, _ step: () throws(ReplyFault) -> Void) {
    do throws(ReplyFault) {
      try step()
    } catch {
      finish(transfer, .failure(error))
    }
  }

  private func endReading(_ transfer: Transfer) {
    read(transfer) { () throws(ReplyFault) in
      finish(transfer, .success(try transfer.reader.end()))
    }
  }

  private func beginReading(_ transfer: Transfer, _ response: URLResponse?) {
    guard !transfer.hasBegun, let response = response as? HTTPURLResponse else { return }
    transfer.hasBegun = true
    let head = ReplyHead(response, now: date(), longestWait: longestWait)
    read(transfer) { () throws(ReplyFault) in try transfer.reader.begin(head) }
    guard transfer.result == nil, head.status != 200 else { return }
    transfer.errorAt = Self.now
    if transfer.reader.hasSeenEnough { endReading(transfer) } else { setTimer(transfer) }
  }
}

// MARK: - What the session tells

extension RemoteTransfers: URLSessionDataDelegate {
  func urlSession(
    _ session: URLSession, task: URLSessionTask, didSendBodyData bytesSent: Int64,
    totalBytesSent: Int64, totalBytesExpectedToSend: Int64
  ) {
    guard let transfer = open[task.taskIdentifier] else { return }
    if transfer.sentAt == nil {
      transfer.sentAt = Self.now
      setTimer(transfer)
    }
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
  ) {
    if let transfer = open[dataTask.taskIdentifier] {
      if transfer.sentAt == nil { transfer.sentAt = Self.now }
      beginReading(transfer, response)
    }
    completionHandler(open[dataTask.taskIdentifier] == nil ? .cancel : .allow)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    guard let transfer = open[dataTask.taskIdentifier] else { return }
    transfer.lastByteAt = Self.now
    // HTTP/0.9 has no head; it comes as a reply of status 200 without a content type.
    beginReading(transfer, dataTask.response)
    guard transfer.result == nil else { return }
    read(transfer) { () throws(ReplyFault) in
      let result: Result<Void, ReplyFault> = data.withUnsafeBytes { bytes in
        do throws(ReplyFault) {
          return .success(try transfer.reader.add(bytes))
        } catch {
          return .failure(error)
        }
      }
      try result.get()
    }
    guard transfer.result == nil else { return }
    if transfer.reader.hasSeenEnough { endReading(transfer) } else { setTimerIfDue(transfer) }
  }

  /// The first byte changes which deadline comes next; later ones only move it away.
  private func setTimerIfDue(_ transfer: Transfer) {
    guard !transfer.hasTimerForBody else { return }
    transfer.hasTimerForBody = true
    setTimer(transfer)
  }

  func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
    completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    completionHandler(nil)
    guard let transfer = open[task.taskIdentifier] else { return }
    beginReading(transfer, response)
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
    guard let transfer = open[task.taskIdentifier] else { return }
    beginReading(transfer, task.response)
    guard transfer.result == nil else { return }
    // A stream that said it is over is whole, whatever happens to its connection.
    guard let error, !transfer.reader.isDone else {
      endReading(transfer)
      return
    }
    finish(transfer, .failure(TransportFault.fault(error, isWithinAnswer: transfer.hasBegun)))
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
      wait: WaitRequest(header: header, now: now, longest: longestWait), location: place?.isEmpty == true ? nil : place)
  }
}

/// What the network did.
enum TransportFault {
  /// - Parameter isWithinAnswer: Whether the reply's head was there already.
  static func fault(_ error: any Error, isWithinAnswer: Bool) -> ReplyFault {
    let code = (error as? URLError)?.code ?? URLError.Code(rawValue: (error as NSError).code)
    let words = (error as NSError).localizedDescription
    var fault: ReplyFault
    switch code {
    case .cannotConnectToHost:
      fault = ReplyFault(
        .againIfServerIsKnown, kind: "connection refused",
        "refuses connections. Is the server running, and is 'url' right?")
    case .cannotFindHost, .dnsLookupFailed:
      fault = ReplyFault(
        .againIfServerIsKnown, kind: "unknown host",
        "cannot be found: its host's name has no address. Is 'url' right?")
    case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate,
      .serverCertificateNotYetValid, .serverCertificateHasUnknownRoot, .clientCertificateRejected,
      .clientCertificateRequired:
      fault = noTLS("")
    // On Linux, all that is wrong with TLS has no code of its own; libcurl's words tell it.
    case .unknown where !isWithinAnswer && words.contains("SSL"):
      fault = noTLS(" (\(quoted(words)))")
    case .badURL:
      fault = ReplyFault(
        .stopJob, kind: "URL",
        "has an address that this system's Foundation does not take. If it is an IPv6 address, "
          + "write the host's name in 'url'.")
    case .unsupportedURL:
      // The address was looked at before; what libcurl does not support is then the reply.
      fault = ReplyFault(
        .againIfServerIsKnown, kind: "not HTTP", "does not speak HTTP. Is 'url' right?")
    case .notConnectedToInternet:
      fault = ReplyFault(
        .againIfServerIsKnown, kind: "no network",
        "cannot be reached: this machine has no way there. Is 'url' right?")
    default:
      fault =
        isWithinAnswer
        ? ReplyFault(.again, kind: "cut short", "broke the connection off within the answer.")
        : ReplyFault(.again, kind: "connection lost", "broke the connection off without an answer.")
    }
    fault.isTransport = true
    return fault
  }

  private static func noTLS(_ detail: String) -> ReplyFault {
    ReplyFault(
      .againIfServerIsKnown, kind: "TLS",
      "could not prove who it is, or speaks no TLS\(detail). Is its certificate valid, for this name, "
        + "and from an authority that this system trusts?")
  }
}
