import Storage

/// The bodies of answers, whole and as streams, and what faults make of them.
extension ServedReply {
  private func served(_ choice: Int) -> ServedAnswer {
    var answer = ServedAnswer(question: question.content, seed: question.seed, choice: choice)
    if case .none = server.style { answer.reasoningTokens = [] }
    return answer
  }

  /// How many choices there are, and their indices.
  private func indices(_ fault: Fault?) -> [Int] {
    var indices = Array(0..<question.choices)
    switch fault {
    case .missingChoice: indices.removeLast()
    case .extraChoice: indices.append(indices.count)
    case .wrongIndex: indices[indices.count - 1] += 7
    case .repeatedIndex: indices.append(0)
    default: break
    }
    return indices
  }

  private func text(_ string: String) -> JSONValue { .string(string) }
  private func object(_ members: [(key: String, value: JSONValue)]) -> JSONValue {
    .object(JSONObject(members: members))
  }
  private func number(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }

  private func usage(_ fault: Fault?) -> JSONValue {
    let count = (0..<question.choices).map {
      let answer = served($0)
      return answer.reasoningTokens.count + tagCount + answer.contentTokens.count
    }.reduce(0, +)
    return object([
      ("prompt_tokens", number(question.content.utf8.count)), ("completion_tokens", number(count)),
    ])
  }

  private var tagCount: Int {
    switch server.style {
    case .tags: 2
    case .closingTag: 1
    case .field, .none: 0
    }
  }

  private func head(_ kind: String, _ fault: Fault?) -> [(key: String, value: JSONValue)] {
    [("id", text("chatcmpl-1")), ("object", text(kind)), ("created", number(1))]
      + (fault == .missingModel ? [] : [("model", text(server.model))])
  }

  private func finish(_ fault: Fault?) -> JSONValue {
    switch fault {
    case .missingFinish: .null
    case .contentFilter: text("content_filter")
    case .toolCalls: text("tool_calls")
    case .unknownFinish: text("tired")
    default: text("stop")
    }
  }

  // MARK: Whole

  func wholeBody(_ fault: Fault?) -> [UInt8] {
    let choices = indices(fault).map { index -> JSONValue in
      let answer = served(index)
      var content = answer.content
      if fault == .emptyContent { content = "" }
      if fault == .blankContent { content = " \n" }
      var message: [(key: String, value: JSONValue)] = [("role", text("assistant"))]
      switch server.style {
      case .field(let name):
        message += [(name, text(answer.reasoning)), ("content", text(content))]
      case .tags:
        message.append(("content", text("<think>" + answer.reasoning + "</think>" + content)))
      case .closingTag:
        message.append(("content", text(answer.reasoning + "</think>" + content)))
      case .none: message.append(("content", text(content)))
      }
      return object([
        ("index", number(index)), ("message", object(message)), ("finish_reason", finish(fault)),
      ])
    }
    var members = head("chat.completion", fault)
    members += [("choices", .array(choices)), ("usage", usage(fault))]
    var body = Array(object(members).serialized())
    switch fault {
    case .twoObjects: body += body
    case .truncatedObject: body.removeLast(3)
    case .invalidUTF8: body = replaced(body, with: [0xC3, 0x28])
    case .loneSurrogate: body = replaced(body, with: Array("\\ud83d".utf8))
    default: break
    }
    return body
  }

  /// The body with other bytes behind the first "answer".
  private func replaced(_ body: [UInt8], with bytes: [UInt8]) -> [UInt8] {
    let word = Array("answer".utf8)
    for start in 0..<max(0, body.count - word.count)
    where body[start..<(start + word.count)].elementsEqual(word) {
      return Array(body[..<start]) + bytes + Array(body[(start + word.count)...])
    }
    return body
  }

  // MARK: Streamed

  func streamBody(_ fault: Fault?) -> [UInt8] {
    var events = tokenEvents(fault)
    let order = fault == .otherOrder ? indices(fault).reversed() : indices(fault)
    for index in order where fault != .missingFinish {
      events.append(event(index, [], finish: finish(fault), fault))
    }
    switch fault {
    case .duplicateEvent: if events.count > 3 { events.insert(events[3], at: 3) }
    case .duplicateFinish: if let last = events.last { events.append(last) }
    case .textAfterFinish: events.append(event(0, [("content", text("more"))], fault))
    case .errorInStream:
      events.removeLast(events.count / 2)
      events.append(#"{"error":{"message":"Engine died.","type":"server_error"}}"#)
    case .twoIdentities:
      if events.count > 3 { events[3] = events[3].replacing("chatcmpl-1", with: "chatcmpl-2") }
    case .truncatedObject: events[1].removeLast(2)
    case .twoObjects: events[1] += events[1]
    default: break
    }
    var members = head("chat.completion.chunk", fault)
    members += [("choices", .array([])), ("usage", usage(fault))]
    events.append(String(decoding: object(members).serialized(), as: UTF8.self))
    if fault != .missingDone { events.append("[DONE]") }
    if fault == .textAfterDone { events.append(event(0, [("content", text("more"))], fault)) }
    return written(events, fault)
  }

  /// The tokens of all choices in turn.
  private func tokenEvents(_ fault: Fault?) -> [String] {
    let order = fault == .otherOrder ? indices(fault).reversed() : indices(fault)
    var queues: [(index: Int, deltas: [[(key: String, value: JSONValue)]])] = order.map { index in
      let answer = served(index)
      var content = answer.contentTokens
      if fault == .emptyContent { content = [] }
      if fault == .blankContent { content = [" ", "\n"] }
      let contentDeltas = content.map { [("content", text($0))] }
      let first: [[(key: String, value: JSONValue)]] = [
        [("role", text("assistant")), ("content", text(""))]
      ]
      switch server.style {
      case .field(let name):
        return (index, first + answer.reasoningTokens.map { [(name, text($0))] } + contentDeltas)
      case .tags, .closingTag:
        var tokens = answer.reasoningTokens
        if case .tags = server.style { tokens.insert("<think>", at: 0) }
        tokens.append("</think>")
        return (index, first + tokens.map { [("content", text($0))] } + contentDeltas)
      case .none: return (index, first + contentDeltas)
      }
    }
    if fault == .tokensTogether {
      for i in queues.indices { queues[i].deltas = joined(queues[i].deltas) }
    }
    var events: [String] = []
    while queues.contains(where: { !$0.deltas.isEmpty }) {
      for i in queues.indices where !queues[i].deltas.isEmpty {
        events.append(event(queues[i].index, queues[i].deltas.removeFirst(), fault))
      }
    }
    return events
  }

  /// Two deltas of the same kind in one, where they follow one another.
  private func joined(
    _ deltas: [[(key: String, value: JSONValue)]]
  ) -> [[(key: String, value: JSONValue)]] {
    var result: [[(key: String, value: JSONValue)]] = []
    for delta in deltas {
      if let last = result.last, last.count == 1, delta.count == 1, last[0].key == delta[0].key,
        case .string(let a) = last[0].value, case .string(let b) = delta[0].value, a.utf8.count < 9
      {
        result[result.count - 1] = [(delta[0].key, text(a + b))]
      } else {
        result.append(delta)
      }
    }
    return result
  }

  private func event(
    _ index: Int, _ delta: [(key: String, value: JSONValue)], finish: JSONValue = .null,
    _ fault: Fault?
  ) -> String {
    var members = head("chat.completion.chunk", fault)
    members.append(
      (
        "choices",
        .array([
          object([("index", number(index)), ("delta", object(delta)), ("finish_reason", finish)])
        ])
      ))
    return String(decoding: object(members).serialized(), as: UTF8.self)
  }

  private func written(_ events: [String], _ fault: Fault?) -> [UInt8] {
    var bytes: [UInt8] = []
    let lineEnd = fault == .carriageReturns ? "\r" : "\n"
    for (i, event) in events.enumerated() {
      if fault == .comments { bytes += Array(": waiting\n\nevent: message\nretry: 10\n".utf8) }
      if fault == .duplicateEventID { bytes += Array("id: \(i == 4 ? 3 : i)\n".utf8) }
      if fault == .severalDataLines, let comma = event.firstIndex(of: ",") {
        // A line feed between two tokens of JSON is white space.
        bytes += Array("data:\(event[...comma])\ndata: \(event[event.index(after: comma)...])".utf8)
      } else {
        bytes += Array("data: \(event)".utf8)
      }
      bytes += Array((lineEnd + lineEnd).utf8)
    }
    switch fault {
    case .invalidUTF8: return replaced(bytes, with: [0xC3, 0x28])
    case .loneSurrogate: return replaced(bytes, with: Array("\\ud83d".utf8))
    default: return bytes
    }
  }
}
