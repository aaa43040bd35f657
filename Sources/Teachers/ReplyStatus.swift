import Foundation

/// What a status other than 200 means for the question and for the job.
struct ReplyStatus {
  let model: String
  let texts: ServerText
  /// Whether the address has no path, which a 404 may come from.
  var addressHasNoPath = false

  /// - Parameters:
  ///   - status: The HTTP status, or the number that an error within a reply gives as its code.
  ///   - body: The beginning of the body.
  ///   - wait: What the server said about waiting.
  func fault(status: Int, body: [UInt8], wait: WaitRequest = WaitRequest()) -> ReplyFault {
    let (text, error) = texts.message(ofBody: body)
    return fault(status: status, text: text, error: error, wait: wait)
  }

  func fault(
    status: Int, text: String?, error: ErrorObject?, wait: WaitRequest
  ) -> ReplyFault {
    let said = "answered with status \(status)" + (text.map { ": \($0)." } ?? ".")
    var fault = ReplyFault(remedy(status), kind: "HTTP \(status)", said)
    switch status {
    case 401, 403:
      fault.words += " Is the key right, and may it use the model?"
    case 402: fault.words += " The account must be filled up."
    case 404, 405:
      fault.words +=
        addressHasNoPath ? " The 'url' usually ends in '/v1'." : " Are 'url' and 'model' right?"
    case 407: fault.words += " The proxy asks for a name and a password."
    default: break
    }
    if [400, 404, 422].contains(status), error?.isAbout(unknownModel: model) == true {
      fault.remedy = .stopJob
      fault.kind = "unknown model"
      fault.words = said + " Set 'model' to one that the server has."
    }
    if status == 429, error?.code == "insufficient_quota" || error?.type == "insufficient_quota" {
      fault.remedy = .stopJob
      fault.kind = "no quota"
      fault.words = said + " The account must be filled up."
      return fault
    }
    guard !Self.isNeverRepeated(status) else { return fault }
    if let shouldRetry = wait.shouldRetry {
      // The server knows better, except where H4's list says that asking again is always in vain.
      if shouldRetry, fault.remedy != .again {
        fault = ReplyFault(.again, kind: fault.kind, said)
      } else if !shouldRetry, fault.remedy == .again {
        fault.remedy = .giveUpAttempt
        fault.words += " It says not to ask again."
      }
    }
    guard fault.remedy == .again else { return fault }
    fault.retryAfter = wait.seconds
    fault.slowsAll = status == 429 || (status == 503 && wait.seconds != nil)
    return fault
  }

  /// Statuses after which the same request is never sent again, whatever else the reply says.
  static func isNeverRepeated(_ status: Int) -> Bool { [400, 401, 403, 404, 422].contains(status) }

  private func remedy(_ status: Int) -> ReplyFault.Remedy {
    switch status {
    case 300..<400: .againIfServerIsKnown
    case 401, 402, 403, 404, 405, 407: .stopJob
    case 408, 409, 425, 429: .again
    case 400..<500: .giveUpQuestion
    default: .again
    }
  }
}
