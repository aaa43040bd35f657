import Foundation

/// What a teacher remembers of all its requests: what retries are left, whether the server was ever
/// there, how long answers are.
final class RemoteLedger: @unchecked Sendable {
  private let lock = NSLock()
  private let allowed: Int
  private var retries = 0
  /// Whether the server ever replied, in whatever way.
  private var isServerKnown = false
  private var lostInARow = 0
  private var meanTokens: Double?

  /// So many questions in a row, ended by the network, stop the job.
  static let mostLostInARow = 20

  /// - Parameter retries: How many the job has.
  init(retries: Int) { allowed = retries }

  /// The tokens that an answer probably has: as many as the last ones had, on average; before there
  /// are any, as many as it may have.
  func expectedTokens(most: Int, samples: Int) -> Int {
    lock.lock()
    defer { lock.unlock() }
    let each = min(max(0, most), 1 << 30)
    let mean = meanTokens.map { min(Int($0), each) } ?? each
    return mean * samples
  }

  func noteAnswer(tokens: Int?, samples: Int) {
    lock.lock()
    defer { lock.unlock() }
    isServerKnown = true
    lostInARow = 0
    guard let tokens else { return }
    let each = Double(tokens) / Double(max(1, samples))
    // About the last twenty answers count.
    meanTokens = meanTokens.map { $0 + (each - $0) / 20 } ?? each
  }

  /// Decides whether a request that failed is given up.
  ///
  /// - Parameters:
  ///   - attempts: How often it was sent.
  ///   - retries: How often it may be sent again.
  /// - Returns: The error; nil if the request is to be sent again.
  func error(
    _ fault: ReplyFault, attempts: Int, retries most: Int, place: String, teacher: String
  ) -> TeacherError? {
    lock.lock()
    defer { lock.unlock() }
    if !fault.isTransport, fault.remedy != .cancelled, fault.remedy != .againIfServerIsKnown {
      isServerKnown = true
      lostInARow = 0
    }
    func error(_ scope: TeacherError.Scope, _ words: String) -> TeacherError {
      TeacherError(scope, kind: fault.kind, words)
    }
    let sentence = "\(teacher) \(fault.words)"
    switch fault.remedy {
    case .cancelled:
      return error(.cancelled, "\(place): asking \(teacher) was cancelled.")
    case .stopJob: return error(.job, sentence)
    case .giveUpQuestion: return error(.question, "\(place): \(sentence)")
    case .giveUpAttempt: return error(.attempt, "\(place): \(sentence)")
    case .againIfServerIsKnown where !isServerKnown: return error(.job, sentence)
    case .again, .againIfServerIsKnown: break
    }
    if attempts > most {
      if fault.isTransport {
        lostInARow += 1
        if lostInARow >= Self.mostLostInARow {
          return error(
            .job, "\(sentence) So it ended with \(lostInARow) questions in a row.")
        }
      }
      let times = attempts == 1 ? "once" : "\(attempts) times"
      return error(.attempt, "\(place): \(sentence) It was asked \(times).")
    }
    guard retries < allowed else {
      return error(
        .job, "\(sentence) All \(allowed) retries of the job ('retriesPerJob') are used up.")
    }
    retries += 1
    return nil
  }
}
