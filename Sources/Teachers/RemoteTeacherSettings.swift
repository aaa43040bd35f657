import Foundation
import Storage

/// A server that answers questions as OpenAI's `/chat/completions` does, and how it is treated.
///
/// Of a recipe, only `url` and `model` must be there; the rest has the values of `init`.
public struct RemoteTeacherSettings: Codable, Equatable, Sendable {
  /// The server's address, such as `http://localhost:8000/v1`; `/chat/completions` is added unless
  /// it is there.
  public var url: String
  /// The model's name, as the server knows it.
  public var model: String
  /// Where the key is; nil for servers that ask for none.
  public var key: SecretSource?
  /// Whether a key may go to a server elsewhere without TLS, for all on the way to read.
  public var allowsPlainHTTP: Bool
  /// Whether answers come token by token, so that silence is noticed early.
  public var stream: Bool
  /// How many samples one request asks for (`n`). Servers tell the tokens of a request, not of a
  /// sample: with more than one, answers come without their counts.
  public var samplesPerRequest: Int
  /// Further members of the request, such as `top_k` or `chat_template_kwargs`.
  public var extra: RemoteExtra?

  /// The most requests under way at once. After a 429 there are fewer for a while.
  public var requestsInFlight: Int
  /// The most requests that begin in any minute; nil for no limit.
  public var requestsPerMinute: Int?
  /// The most tokens, prompts and answers together, of the requests that begin in any minute; nil
  /// for no limit.
  public var tokensPerMinute: Int?

  /// Seconds until the request must be sent.
  public var connectSeconds: Double
  /// Seconds from there to the first byte of the answer. Without `stream`, that is the whole time
  /// that the answer takes.
  public var firstByteSeconds: Double
  /// The longest silence within an answer, in seconds.
  public var idleSeconds: Double
  /// Seconds that a request may take from beginning to end.
  public var totalSeconds: Double

  /// How often a request is sent again before its question is given up.
  public var retriesPerQuestion: Int
  /// How often requests are sent again altogether before the job stops.
  public var retriesPerJob: Int
  /// The longest time, in seconds, that a server's wish to be left alone is followed.
  public var longestWaitSeconds: Double

  public init(
    url: String, model: String, key: SecretSource? = nil, allowsPlainHTTP: Bool = false,
    stream: Bool = true, samplesPerRequest: Int = 1, extra: RemoteExtra? = nil,
    requestsInFlight: Int = 16, requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil,
    connectSeconds: Double = 10, firstByteSeconds: Double = 600, idleSeconds: Double = 120,
    totalSeconds: Double = 3600, retriesPerQuestion: Int = 8, retriesPerJob: Int = 10_000,
    longestWaitSeconds: Double = 600
  ) {
    self.url = url
    self.model = model
    self.key = key
    self.allowsPlainHTTP = allowsPlainHTTP
    self.stream = stream
    self.samplesPerRequest = samplesPerRequest
    self.extra = extra
    self.requestsInFlight = requestsInFlight
    self.requestsPerMinute = requestsPerMinute
    self.tokensPerMinute = tokensPerMinute
    self.connectSeconds = connectSeconds
    self.firstByteSeconds = firstByteSeconds
    self.idleSeconds = idleSeconds
    self.totalSeconds = totalSeconds
    self.retriesPerQuestion = retriesPerQuestion
    self.retriesPerJob = retriesPerJob
    self.longestWaitSeconds = longestWaitSeconds
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func value<T: Decodable>(_ key: CodingKeys, _ standard: T) throws -> T {
      try container.decodeIfPresent(T.self, forKey: key) ?? standard
    }
    self.init(
      url: try container.decode(String.self, forKey: .url),
      model: try container.decode(String.self, forKey: .model))
    key = try container.decodeIfPresent(SecretSource.self, forKey: .key)
    allowsPlainHTTP = try value(.allowsPlainHTTP, allowsPlainHTTP)
    stream = try value(.stream, stream)
    samplesPerRequest = try value(.samplesPerRequest, samplesPerRequest)
    extra = try container.decodeIfPresent(RemoteExtra.self, forKey: .extra)
    requestsInFlight = try value(.requestsInFlight, requestsInFlight)
    requestsPerMinute = try container.decodeIfPresent(Int.self, forKey: .requestsPerMinute)
    tokensPerMinute = try container.decodeIfPresent(Int.self, forKey: .tokensPerMinute)
    connectSeconds = try value(.connectSeconds, connectSeconds)
    firstByteSeconds = try value(.firstByteSeconds, firstByteSeconds)
    idleSeconds = try value(.idleSeconds, idleSeconds)
    totalSeconds = try value(.totalSeconds, totalSeconds)
    retriesPerQuestion = try value(.retriesPerQuestion, retriesPerQuestion)
    retriesPerJob = try value(.retriesPerJob, retriesPerJob)
    longestWaitSeconds = try value(.longestWaitSeconds, longestWaitSeconds)
  }

  // MARK: -

  /// What cannot be meant although it can be read, a sentence each. No sentence holds what a URL or
  /// a key says.
  ///
  /// - Parameters:
  ///   - place: What the sentences begin with.
  ///   - path: What stands before the names of the keys, such as `teacher.`.
  public func findings(place: String = "The recipe", path: String = "") -> [String] {
    var found: [String] = []
    func check(_ holds: Bool, _ name: String, _ words: String) {
      if !holds { found.append("\(place): '\(path)\(name)' \(words).") }
    }
    func check(_ value: Int?, _ name: String, _ range: ClosedRange<Int>) {
      guard let value else { return }
      check(
        range.contains(value), name,
        "is \(value); it must lie between \(range.lowerBound) and \(range.upperBound)")
    }
    func check(seconds: Double, _ name: String) {
      check(
        seconds >= 0.01 && seconds <= 1e6, name,
        "is \(seconds); it must lie between 0.01 and 1000000")
    }
    do throws(RemoteAddressError) {
      let address = try RemoteAddress(url)
      check(
        key == nil || address.usesTLS || address.isPrivate || allowsPlainHTTP, "url",
        "begins with 'http://', which would show the key to everybody on the way. Write "
          + "'https://', or 'allowsPlainHTTP: true' if that is meant")
    } catch {
      check(false, "url", error.words)
    }
    check(
      !model.isEmpty && model.utf8.count <= 512 && model.utf8.allSatisfy { $0 >= 0x20 }, "model",
      "is \(quoted(model)), not a model's name")
    check(samplesPerRequest, "samplesPerRequest", 1...128)
    check(requestsInFlight, "requestsInFlight", 1...1024)
    check(requestsPerMinute, "requestsPerMinute", 1...1_000_000)
    check(tokensPerMinute, "tokensPerMinute", 1...1_000_000_000)
    check(seconds: connectSeconds, "connectSeconds")
    check(seconds: firstByteSeconds, "firstByteSeconds")
    check(seconds: idleSeconds, "idleSeconds")
    check(seconds: totalSeconds, "totalSeconds")
    check(seconds: longestWaitSeconds, "longestWaitSeconds")
    check(retriesPerQuestion, "retriesPerQuestion", 0...1000)
    check(retriesPerJob, "retriesPerJob", 0...1_000_000_000)
    for name in extra?.members.members.map(\.key) ?? [] {
      check(
        !RemoteExtra.ownNames.contains(name), "extra",
        "has \(quoted(name)), which is set from elsewhere. Take it out")
      check(
        !RemoteExtra.secretNames.contains(name.lowercased()), "extra",
        "has \(quoted(name)). Keys do not belong in a recipe; give it with 'key'")
    }
    return found
  }
}

/// Further members of requests, as JSON.
public struct RemoteExtra: Codable, Equatable, Sendable {
  public var members: JSONObject

  public init(_ members: JSONObject) { self.members = members }

  /// What requests have anyway.
  static let ownNames: Set<String> = [
    "model", "messages", "temperature", "top_p", "max_tokens", "n", "seed", "stop", "stream",
    "stream_options",
  ]
  static let secretNames: Set<String> = ["api_key", "apikey", "key", "authorization", "token"]

  private static let deepest = 32

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  public init(from decoder: any Decoder) throws {
    members = try Self.object(decoder.container(keyedBy: Name.self))
  }

  private static func object(_ container: KeyedDecodingContainer<Name>) throws -> JSONObject {
    // Foundation gives the keys in no order; requests shall be the same every time.
    let keys = container.allKeys.sorted {
      $0.stringValue.utf8.lexicographicallyPrecedes($1.stringValue.utf8)
    }
    return JSONObject(
      members: try keys.map {
        ($0.stringValue, try container.decode(Element.self, forKey: $0).value)
      })
  }

  public func encode(to encoder: any Encoder) throws {
    try Element(value: .object(members)).encode(to: encoder)
  }

  private struct Element: Codable {
    let value: JSONValue

    init(value: JSONValue) { self.value = value }

    init(from decoder: any Decoder) throws {
      guard decoder.codingPath.count <= RemoteExtra.deepest else {
        throw DecodingError.dataCorrupted(
          .init(codingPath: decoder.codingPath, debugDescription: "lies too deep"))
      }
      if let single = try? decoder.singleValueContainer() {
        if single.decodeNil() {
          value = .null
          return
        }
        if let bool = try? single.decode(Bool.self) {
          value = .bool(bool)
          return
        }
        if let number = try? single.decode(Int.self) {
          value = .number(JSONNumber(number))
          return
        }
        if let number = try? single.decode(Double.self), let number = JSONNumber(number) {
          value = .number(number)
          return
        }
        if let text = try? single.decode(String.self) {
          value = .string(text)
          return
        }
      }
      if var list = try? decoder.unkeyedContainer() {
        var elements: [JSONValue] = []
        while !list.isAtEnd { elements.append(try list.decode(Element.self).value) }
        value = .array(elements)
        return
      }
      value = .object(try RemoteExtra.object(decoder.container(keyedBy: Name.self)))
    }

    func encode(to encoder: any Encoder) throws {
      switch value {
      case .null:
        var container = encoder.singleValueContainer()
        try container.encodeNil()
      case .bool(let bool):
        var container = encoder.singleValueContainer()
        try container.encode(bool)
      case .number(let number):
        var container = encoder.singleValueContainer()
        if let int = number.int {
          try container.encode(int)
        } else {
          try container.encode(number.double ?? 0)
        }
      case .string(let text):
        var container = encoder.singleValueContainer()
        try container.encode(text)
      case .array(let elements):
        var container = encoder.unkeyedContainer()
        for element in elements { try container.encode(Element(value: element)) }
      case .object(let object):
        var container = encoder.container(keyedBy: Name.self)
        for member in object.members {
          try container.encode(
            Element(value: member.value), forKey: Name(stringValue: member.key))
        }
      }
    }
  }
}
