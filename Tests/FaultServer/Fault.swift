/// What a server does wrong, or oddly, with one request.
public enum Fault: String, CaseIterable, Sendable {
  // The connection.
  case resetBeforeHeaders, closedBeforeHeaders, resetAfterHeaders, stallBeforeHeaders
  case stallAfterHeaders, drip, notHTTP, hugeHeader
  // Bodies that stop early.
  case contentLengthCut, chunkCut, cutWithoutLength
  // Other statuses.
  case status408, status409, status425, status429, status429Seconds, status429Milliseconds
  case status500, status502, status503, status504, noContent
  // Bodies that are no answer.
  case errorWith200, errorInStream, empty, page, wrongContentType, invalidUTF8, loneSurrogate
  case twoObjects, truncatedObject, hugeBody, gzip, gzipBomb, notAnObject
  // Answers that are not whole.
  case missingDone, missingFinish, duplicateEvent, duplicateEventID, duplicateFinish
  case textAfterFinish, textAfterDone, twoIdentities
  case missingChoice, extraChoice, wrongIndex, repeatedIndex, emptyContent, blankContent
  case missingModel
  // Redirects.
  case redirectSamePlace, redirectElsewhere, redirectLoop
  // What is odd and yet right.
  case splitCharacters, otherOrder, comments, carriageReturns, severalDataLines, wholeWithoutLength
  case answerWithoutStream, tokensTogether
  // What asking again does not mend.
  case status400, status401, status402, status403, status404, status413, status422, status451
  case unknownModel, contentFilter, toolCalls, unknownFinish

  /// Whether an answer follows if one asks again, or is given at once.
  public var isPassing: Bool {
    switch self {
    case .status400, .status401, .status402, .status403, .status404, .status413, .status422,
      .status451, .unknownModel, .contentFilter, .toolCalls, .unknownFinish:
      false
    default: true
    }
  }

  /// Whether it is no fault at all: the reply is a whole answer.
  public var isHarmless: Bool {
    switch self {
    case .splitCharacters, .otherOrder, .comments, .carriageReturns, .severalDataLines,
      .wholeWithoutLength, .answerWithoutStream, .tokensTogether:
      true
    default: false
    }
  }

  /// Whether only streamed replies can have it.
  public var needsStream: Bool {
    switch self {
    case .drip, .errorInStream, .missingDone, .duplicateEvent, .duplicateEventID,
      .duplicateFinish, .textAfterFinish, .textAfterDone, .twoIdentities, .splitCharacters,
      .otherOrder, .comments, .carriageReturns, .severalDataLines, .answerWithoutStream,
      .tokensTogether:
      true
    default: false
    }
  }

  /// Whether it takes as long as the client waits.
  public var isSlow: Bool {
    switch self {
    case .stallBeforeHeaders, .stallAfterHeaders, .drip, .hugeBody, .gzipBomb: true
    default: false
    }
  }

  /// The faults that a share of the requests has, where nobody says which: those that pass, without
  /// the large ones.
  public static let passing = allCases.filter { $0.isPassing && $0 != .hugeBody && $0 != .gzipBomb }
}
