import Foundation
import Storage

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A teacher behind a server that speaks OpenAI's `/chat/completions`.
///
/// It waits, tries again and slows down by itself; `RemoteTeacherSettings` says how much. An answer
/// is returned only if it came whole. One value serves any number of tasks.
public final class RemoteTeacher: Teacher {
  public let name: String
  public var identity: JSONValue {
    var members: [(key: String, value: JSONValue)] = [
      ("kind", .string("remote")), ("url", .string(address.url.absoluteString)),
      ("model", .string(settings.model)),
    ]
    if let extra = settings.extra { members.append(("extra", .object(extra.members))) }
    return .object(JSONObject(members: members))
  }
  public var concurrency: Int { settings.requestsInFlight }
  /// What one request asks for: with more, the failure of one request would lose the answers of the
  /// others.
  public var samplesPerQuestion: Int { settings.samplesPerRequest }

  private let settings: RemoteTeacherSettings
  private let address: RemoteAddress
  private let secret: Secret?
  private let clock: RemoteClock
  private let observe: @Sendable (TeacherEvent) -> Void
  private let queue = DispatchQueue(label: "distill.remote")
  private let operations = OperationQueue()
  private let traffic: RemoteTraffic
  private let ledger: RemoteLedger
  private let policy = RetryPolicy()
  let longestBody: Int

  /// Prepares a teacher; nothing is sent yet.
  ///
  /// - Parameters:
  ///   - environment: Where the key's variable is looked up. The key is read once, here.
  ///   - clock: What waiting and chance go by. Deadlines of transfers go by the machine's own.
  ///   - observer: Is told of every event, from any thread; it must be quick.
  /// - Throws: `TeacherError` with scope `job`, if settings or key cannot be used.
  public convenience init(
    _ settings: RemoteTeacherSettings,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    clock: RemoteClock = .system, observer: @escaping @Sendable (TeacherEvent) -> Void = { _ in }
  ) throws(TeacherError) {
    try self.init(
      settings, environment: environment, clock: clock, longestBody: 64 << 20, observer: observer)
  }

  init(
    _ settings: RemoteTeacherSettings, environment: [String: String], clock: RemoteClock,
    longestBody: Int, observer: @escaping @Sendable (TeacherEvent) -> Void
  ) throws(TeacherError) {
    let findings = settings.findings(place: "The teacher")
    guard findings.isEmpty else {
      throw TeacherError(.job, kind: "settings", findings.joined(separator: "\n"))
    }
    do throws(RemoteAddressError) {
      address = try RemoteAddress(settings.url)
    } catch {
      throw TeacherError(.job, kind: "settings", "The teacher: 'url' \(error.words).")
    }
    do throws(SecretError) {
      secret = try settings.key?.secret(environment: environment)
    } catch {
      throw TeacherError(.job, kind: "key", "The teacher: \(error)")
    }
    self.settings = settings
    self.clock = clock
    self.longestBody = longestBody
    observe = observer
    name = "\(settings.model) at \(address.base)"
    operations.maxConcurrentOperationCount = 1
    operations.underlyingQueue = queue
    traffic = RemoteTraffic(settings: settings, clock: clock, observe: observer)
    ledger = RemoteLedger(retries: settings.retriesPerJob)
  }

  // MARK: Asking

  /// Asks the server, once for every `samplesPerRequest` of the question's samples, side by side.
  ///
  /// If one of the requests fails for good, the others are ended and their answers are lost:
  /// whoever wants to keep each answer asks for one sample, or for one request's samples, at a
  /// time.
  public func answers(
    to question: TeacherQuestion
  ) async throws(TeacherError) -> [TeacherAnswer] {
    let size = settings.samplesPerRequest
    let end = question.samples.upperBound
    let requests = stride(from: question.samples.lowerBound, to: end, by: size)
      .map { $0..<min($0 + size, end) }
    if requests.count == 1 { return try await answers(to: question, requests[0]) }
    let results = await withTaskGroup(of: Outcome.self, returning: [Outcome].self) { group in
      for samples in requests { group.addTask { await self.outcome(question, samples) } }
      var results: [Outcome] = []
      for await result in group {
        results.append(result)
        // Those that are cancelled because of the first failure come after it.
        if case .failure = result.answers { group.cancelAll() }
      }
      return results
    }
    for result in results {
      if case .failure(let error) = result.answers { throw error }
    }
    let ordered = results.sorted { $0.first < $1.first }
    return ordered.flatMap { (try? $0.answers.get()) ?? [] }
  }

  /// What became of one request.
  private struct Outcome: Sendable {
    let first: Int
    let answers: Result<[TeacherAnswer], TeacherError>
  }

  private func outcome(_ question: TeacherQuestion, _ samples: Range<Int>) async -> Outcome {
    do throws(TeacherError) {
      // Swift 6.3.1, when it optimizes, loses the answers in `.success(try await answers(…))`.
      let some = try await answers(to: question, samples)
      return Outcome(first: samples.lowerBound, answers: .success(some))
    } catch {
      return Outcome(first: samples.lowerBound, answers: .failure(error))
    }
  }

  /// Sends one request as often as it takes.
  private func answers(
    to question: TeacherQuestion, _ samples: Range<Int>
  ) async throws(TeacherError) -> [TeacherAnswer] {
    let content = ChatCompletionRequest(settings: settings, question: question, samples: samples)
    let body: Data
    do throws(ReplyFault) {
      body = try content.body()
    } catch {
      throw TeacherError(.question, kind: error.kind, "\(question.place): \(name) \(error.words)")
    }
    let request = urlRequest(body)
    var attempts = 0
    while true {
      let estimate =
        content.estimatedPromptTokens
        + ledger.expectedTokens(
          most: question.settings.maxTokens, samples: samples.count)
      guard let pass = await traffic.enter(estimate: Double(estimate)) else {
        throw cancelled(question)
      }
      attempts += 1
      observe(.sent)
      let start = clock.now()
      let result = await transfer(request, samples.count).answer()
      let seconds = clock.now() - start
      switch result {
      case .success(let completion):
        ledger.noteAnswer(tokens: completion.completionTokens, samples: samples.count)
        traffic.leave(pass, tokens: total(completion, content), isAnswered: true)
        observe(.answered(tokens: completion.completionTokens, seconds: seconds))
        return answers(completion, attempts: attempts, seconds: seconds)
      case .failure(let fault):
        var wait = 0.0
        if fault.remedy == .again || fault.remedy == .againIfServerIsKnown {
          wait = policy.seconds(
            count: attempts, retryAfter: fault.retryAfter, share: clock.random())
        }
        if fault.slowsAll { traffic.slow(pass, seconds: fault.retryAfter ?? wait) }
        traffic.leave(pass, tokens: nil, isAnswered: false)
        if let error = ledger.error(
          fault, attempts: attempts, retries: settings.retriesPerQuestion, place: question.place,
          teacher: name)
        {
          throw error
        }
        observe(.retried(kind: fault.kind))
        observe(.waiting(seconds: wait, why: .retry))
        do { try await clock.sleep(wait) } catch { throw cancelled(question) }
      }
    }
  }

  private func cancelled(_ question: TeacherQuestion) -> TeacherError {
    TeacherError(.cancelled, kind: "cancelled", "\(question.place): asking \(name) was cancelled.")
  }

  private func urlRequest(_ body: Data) -> URLRequest {
    var request = URLRequest(url: address.url)
    request.httpMethod = "POST"
    request.httpBody = body
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.setValue(
      settings.stream ? "text/event-stream, application/json" : "application/json",
      forHTTPHeaderField: "Accept")
    // Compressed answers could be a thousand times as large as what is sent.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    request.setValue("distill", forHTTPHeaderField: "User-Agent")
    request.setValue("close", forHTTPHeaderField: "Connection")
    if let secret {
      request.setValue(secret.authorization, forHTTPHeaderField: "Authorization")
    }
    return request
  }

  private func transfer(_ request: URLRequest, _ choices: Int) -> RemoteTransfer {
    let status = ReplyStatus(
      model: settings.model, texts: ServerText(secret: secret),
      addressHasNoPath: address.hasNoPath)
    let reader = ChatCompletionReader(
      .init(
        choices: choices, stream: settings.stream, status: status, longestBody: longestBody))
    let deadlines = RemoteDeadlines(
      connect: settings.connectSeconds, firstByte: settings.firstByteSeconds,
      idle: settings.idleSeconds, total: settings.totalSeconds)
    let longestWait = settings.longestWaitSeconds
    return RemoteTransfer(
      request, reader: reader, deadlines: deadlines, on: operations, queue: queue
    ) { [clock] response in
      ReplyHead(response, now: clock.date(), longestWait: longestWait)
    }
  }

  private func total(_ completion: ChatCompletion, _ content: ChatCompletionRequest) -> Int? {
    completion.completionTokens.map {
      $0 + (completion.promptTokens ?? content.estimatedPromptTokens)
    }
  }

  private func answers(
    _ completion: ChatCompletion, attempts: Int, seconds: Double
  ) -> [TeacherAnswer] {
    completion.choices.map { choice in
      TeacherAnswer(
        reasoning: choice.reasoning, content: choice.content, finishReason: choice.finish,
        promptTokens: completion.promptTokens,
        completionTokens: completion.choices.count == 1 ? completion.completionTokens : nil,
        model: completion.model, attempts: attempts, seconds: seconds)
    }
  }
}
