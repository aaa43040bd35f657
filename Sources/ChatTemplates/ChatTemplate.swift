import Foundation
import Storage

/// A chat with a template applied to it.
public struct RenderedChat: Equatable, Sendable {
  /// The text, in UTF-8.
  public var text: [UInt8]
  /// The bytes that came from messages and tools: ascending, apart from one another.
  ///
  /// Whoever encodes the text reads special tokens outside of these only. The usual roles, such
  /// as `user`, are not among them, and digits of numbers that fit in 64 bits neither.
  public var inputRanges: [Range<Int>]
  /// What each `{% generation %}` block enclosed, in order; those inside macros and of texts that
  /// were kept in a variable are not known.
  public var generationRanges: [Range<Int>]

  public init(text: [UInt8], inputRanges: [Range<Int>], generationRanges: [Range<Int>]) {
    self.text = text
    self.inputRanges = inputRanges
    self.generationRanges = generationRanges
  }
}

/// A chat template: the part of Jinja that checkpoints use, as transformers renders it.
///
/// A template is a program from somebody else. It can read its variables and nothing else, it
/// can end only with a text or an error, and its limits bound its time, memory and stack.
public struct ChatTemplate: Sendable {
  /// The name in errors.
  public let name: String
  public let limits: TemplateLimits
  private let statements: [Statement]
  private let names: [String]

  /// Reads a template.
  ///
  /// - Parameters:
  ///   - source: The template in UTF-8.
  ///   - name: Its name in errors, usually the file's.
  /// - Throws: `ChatTemplateError` if it is no template, uses what is not known here, or is
  ///   longer or deeper than the limits.
  public init(_ source: [UInt8], name: String, limits: TemplateLimits = .default) throws {
    self.name = name
    self.limits = limits
    guard source.count <= limits.template else {
      throw ChatTemplateError(
        kind: .limit, template: name, line: 1,
        message: "the template has \(source.count) bytes; at most \(limits.template) are read.")
    }
    if let place = Self.firstInvalid(in: source) {
      throw ChatTemplateError(
        kind: .syntax, template: name,
        line: source[..<place].reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) },
        message: "bytes that are no UTF-8. Save the template as UTF-8.")
    }
    var lexer = TemplateLexer(source)
    do {
      try lexer.cut()
    } catch let fault as TemplateFault {
      throw ChatTemplateError(
        kind: fault.kind, template: name, line: lexer.line, message: fault.message)
    }
    var parser = TemplateParser(lexer, limits: limits)
    do {
      statements = try OwnStack.run { try parser.parse() }
    } catch let fault as TemplateFault {
      throw ChatTemplateError(
        kind: fault.kind, template: name, line: parser.line, message: fault.message)
    }
    names = parser.names
  }

  /// Where bytes stop being UTF-8; nil if they do not.
  private static func firstInvalid(in bytes: [UInt8]) -> Int? {
    if String(validating: bytes, as: UTF8.self) != nil { return nil }
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var place = 0
    while case .scalarValue(let scalar) = decoder.decode(&iterator) {
      place += String(scalar).utf8.count
    }
    return min(place, bytes.count)
  }

  /// Whether it asks for the time: what it renders then depends on when.
  public var usesDate: Bool { names.contains("strftime_now") }

  /// Renders a conversation.
  ///
  /// The template sees `messages`, `tools` (`none` without tools), `documents` (`none` unless
  /// among the variables) and `add_generation_prompt`. As in transformers, what a message says
  /// under `reasoning_content`, `thinking` or `reasoning` is found under the first two.
  ///
  /// - Parameters:
  ///   - messages: Objects with `role` and `content`, usually. All their text is input.
  ///   - tools: Their schemas; input too.
  ///   - addGenerationPrompt: Whether the text ends where the assistant begins.
  ///   - variables: `bos_token`, `enable_thinking` and the like. Texts among them are the
  ///     template's own; what is inside arrays and objects is input.
  ///   - now: What `strftime_now` tells.
  /// - Throws: `ChatTemplateError`.
  public func render(
    _ messages: [JSONValue], tools: [JSONValue]? = nil, addGenerationPrompt: Bool,
    variables: [String: JSONValue] = [:], now: TemplateDate = .now
  ) throws -> RenderedChat {
    try OwnStack.run {
      let interpreter = Interpreter(names: names, limits: limits, date: now)
      do {
        let output = try interpreter.run(
          statements,
          variables: try interpreter.variables(
            messages, tools, addGenerationPrompt: addGenerationPrompt, variables))
        return RenderedChat(
          text: output.text.bytes, inputRanges: output.text.inputRanges,
          generationRanges: output.generationRanges)
      } catch let fault as TemplateFault {
        throw ChatTemplateError(
          kind: fault.kind, template: name, line: interpreter.line, message: fault.message)
      }
    }
  }
}

extension Interpreter {
  /// The variables of a rendering.
  fileprivate func variables(
    _ messages: [JSONValue], _ tools: [JSONValue]?, addGenerationPrompt: Bool,
    _ others: [String: JSONValue]
  ) throws -> [String: TemplateValue] {
    var variables: [String: TemplateValue] = ["documents": .none]
    try budget.chargeElements(messages.count)
    variables["messages"] = try list(messages.map { try message(Self.withReasoning($0)) })
    variables["tools"] =
      try tools.map { try value(.array($0), isInput: true) } ?? TemplateValue.none
    variables["add_generation_prompt"] = .bool(addGenerationPrompt)
    for (name, json) in others {
      let isInput =
        switch json {
        case .array, .object: true
        default: false
        }
      variables[name] = try value(json, isInput: isInput)
    }
    return variables
  }

  /// A message whose reasoning is found under the names that templates know.
  private static func withReasoning(_ message: JSONValue) -> JSONValue {
    guard case .object(let object) = message else { return message }
    let found = ["reasoning_content", "thinking", "reasoning"].lazy.compactMap { name in
      object[name].flatMap { $0 == .null ? nil : $0 }
    }
    guard let reasoning = found.first else { return message }
    var members = object.members
    if object["thinking"] == nil { members.insert(("thinking", reasoning), at: 0) }
    if let place = members.firstIndex(where: { $0.key.utf8.elementsEqual("reasoning_content".utf8) }
    ) {
      members[place].value = reasoning
    } else {
      members.append(("reasoning_content", reasoning))
    }
    return .object(JSONObject(members: members))
  }

  /// The roles that templates know. They are no input, because some templates make special
  /// tokens of them, as `'<|' + message.role + '|>'`; any other text in their place is.
  private static let roles: Set<String> = [
    "assistant", "developer", "function", "ipython", "model", "system", "tool", "user",
  ]

  /// A message as the template sees it.
  private func message(_ json: JSONValue) throws -> TemplateValue {
    let value = try value(json, isInput: true, depth: 1)
    if case .dictionary(let message) = value,
      case .string(let role)? = message.value(Array("role".utf8)), Self.roles.contains(role.string)
    {
      try message.set(.text("role"), .string(TemplateText(role.bytes)), budget)
    }
    return value
  }

  /// A JSON value as the template sees it.
  func value(_ json: JSONValue, isInput: Bool, depth: Int = 0) throws -> TemplateValue {
    try budget.charge()
    switch json {
    case .null: return .none
    case .bool(let value): return .bool(value)
    case .string(let string):
      try budget.chargeText(bytes: string.utf8.count)
      return .string(TemplateText(string, isInput: isInput))
    case .number(let number):
      if let int = number.int { return .int(int) }
      let digits = number.text.utf8.drop { $0 == UInt8(ascii: "-") }
      if digits.allSatisfy({ (0x30...0x39).contains($0) }) {
        try budget.chargeText(bytes: digits.count)
        return .largeInteger(TemplateText(number.text, isInput: isInput))
      }
      return .float(Double(number.text) ?? .infinity)
    case .array(let elements):
      try budget.check(depth: depth + 1)
      try budget.chargeElements(elements.count)
      return try list(elements.map { try value($0, isInput: isInput, depth: depth + 1) })
    case .object(let object):
      try budget.check(depth: depth + 1)
      let dictionary = TemplateDictionary()
      for (key, member) in object.members {
        try budget.chargeText(bytes: key.utf8.count)
        try dictionary.set(
          .string(TemplateText(key, isInput: isInput)),
          try value(member, isInput: isInput, depth: depth + 1), budget)
      }
      return .dictionary(dictionary)
    }
  }
}
