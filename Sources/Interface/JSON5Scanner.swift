/// Reads JSON5 (<https://spec.json5.org>) into a tree that knows where each part stands.
///
/// Foundation reads JSON5 too, but it tells neither the line of a mistake nor that a key is
/// written twice. A text that does not parse is thrown as a finding; what parses but cannot be
/// meant (a key twice, a number that no number type holds) is collected in `findings`.
struct JSON5Scanner {
  /// How deep lists and objects may be nested, so that reading them cannot exhaust the stack.
  static let depthLimit = 64

  private(set) var findings: [Finding] = []
  let text: RecipeText
  var position = 0
  private let override: Int?
  private var path: [String] = []

  init(_ text: RecipeText, override: Int? = nil) {
    self.text = text
    self.override = override
  }

  /// The one value of the text.
  mutating func document() throws -> RecipeValue {
    guard text.isUTF8 else {
      throw finding("what follows is not UTF-8; save the file as UTF-8", at: text.end)
    }
    try skipBlanks()
    guard peek() != nil else {
      throw finding("the text is empty; it must hold an object, such as '{ seed: 1 }'")
    }
    let value = try self.value()
    try skipBlanks()
    guard peek() == nil else { throw finding("expected the end of the text, but found \(found)") }
    return value
  }

  private mutating func value() throws -> RecipeValue {
    let start = place()
    let content: RecipeValue.Content
    guard let scalar = peek() else { throw finding("expected a value, but found \(found)") }
    switch scalar {
    case "{": content = try object()
    case "[": content = try list()
    case "\"", "'": content = .text(try string())
    case "0"..."9", "+", "-", ".": content = try number()
    case _ where isIdentifierPart(scalar): content = try word()
    default: throw finding("expected a value, but found \(found)")
    }
    return RecipeValue(content: content, place: start)
  }

  private mutating func object() throws -> RecipeValue.Content {
    let start = position
    var object = RecipeObject()
    try enter()
    defer { path.removeLast() }
    while true {
      try skipBlanks()
      guard let scalar = peek() else { throw unclosed("object", from: start, close: "}") }
      if scalar == "}" { break }
      let keyPlace = place()
      let key = try self.key()
      path[path.count - 1] = key
      try skipBlanks()
      guard peek() != nil else { throw unclosed("object", from: start, close: "}") }
      guard take(":") else {
        throw finding("expected ':' after the key \(quoted(key)), but found \(found)")
      }
      try skipBlanks()
      guard peek() != nil else { throw unclosed("object", from: start, close: "}") }
      let value = try self.value()
      if let first = object.set(key, to: value, at: keyPlace) {
        findings.append(repetition(at: keyPlace, after: first))
      }
      try skipBlanks()
      guard let next = peek() else { throw unclosed("object", from: start, close: "}") }
      guard next == "}" || take(",") else {
        throw finding(
          "expected ',' or '}' after the value of \(quoted(key)), but found \(found)")
      }
    }
    position += 1
    return .object(object)
  }

  private mutating func list() throws -> RecipeValue.Content {
    let start = position
    var elements: [RecipeValue] = []
    try enter()
    defer { path.removeLast() }
    while true {
      try skipBlanks()
      guard let scalar = peek() else { throw unclosed("list", from: start, close: "]") }
      if scalar == "]" { break }
      path[path.count - 1] = "\(elements.count)"
      elements.append(try value())
      try skipBlanks()
      guard let next = peek() else { throw unclosed("list", from: start, close: "]") }
      guard next == "]" || take(",") else {
        throw finding("expected ',' or ']' after an element of the list, but found \(found)")
      }
    }
    position += 1
    return .list(elements)
  }

  private func repetition(at place: Place, after first: Place) -> Finding {
    // Counting lines takes time, and of a thousand findings only the first are read.
    let line =
      override == nil && findings.count < 100
      ? ", first in line \(text.position(of: first.offset).line)" : ""
    return Finding(
      place: place,
      words: "the key \(quoted(path.joined(separator: "."))) is written twice\(line). Keep one.")
  }

  private mutating func enter() throws {
    guard path.count < Self.depthLimit else {
      throw finding("lists and objects are nested more than \(Self.depthLimit) deep")
    }
    path.append("")
    position += 1
  }

  private mutating func key() throws -> String {
    switch peek() {
    case "\"", "'": return try string()
    case let scalar? where isIdentifierPart(scalar) || scalar == "\\": break
    default: throw finding("expected a key or '}', but found \(found)")
    }
    let start = place()
    var key = String.UnicodeScalarView()
    while let scalar = peek() {
      if scalar == "\\" {
        position += 1
        guard take("u") else { throw finding("a key may only hold escapes such as '\\u0041'") }
        key.append(try unicodeEscape())
      } else if isIdentifierPart(scalar) {
        key.append(scalar)
        position += 1
      } else {
        break
      }
    }
    guard let first = key.first, isIdentifierStart(first), key.allSatisfy(isIdentifierPart) else {
      throw Finding(place: start, words: "the key \(quoted(String(key))) needs quotes.")
    }
    return String(key)
  }

  private mutating func word() throws -> RecipeValue.Content {
    let start = position
    let word = run(while: isIdentifierPart)
    switch word {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null": return .null
    case "None", "nil": throw finding("\(quoted(word)) is written 'null' here", at: start)
    case "Infinity", "NaN": return unusable(word, "is not a number that a recipe can use", start)
    default:
      let near = hint(for: word, in: ["true", "false", "null"])
      throw finding("the text \(quoted(word)) needs quotes.\(near)", at: start)
    }
  }

  private mutating func number() throws -> RecipeValue.Content {
    let start = position
    let written = run { isIdentifierPart($0) || "+-.".unicodeScalars.contains($0) }
    switch JSON5Number(written) {
    case .plain(let digits): return .number(digits)
    case .tooLarge: return unusable(written, "is larger than any number can be", start)
    case .tooSmall: return unusable(written, "is too near to 0; a number would be 0", start)
    case .notFinite: return unusable(written, "is not a number that a recipe can use", start)
    case nil: throw finding("\(quoted(written)) is not a number", at: start)
    }
  }

  /// Notes a number that parses but cannot be used; 0 stands in for it until all is read.
  private mutating func unusable(
    _ written: String, _ reason: String, _ start: Int
  ) -> RecipeValue.Content {
    let name = path.isEmpty ? "" : "\(quoted(path.joined(separator: "."))): "
    findings.append(finding("\(name)\(quoted(written)) \(reason)", at: start))
    return .number("0")
  }
}

// MARK: - Characters

extension JSON5Scanner {
  func peek() -> Unicode.Scalar? { text[position] }

  mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek() == scalar else { return false }
    position += 1
    return true
  }

  mutating func run(while condition: (Unicode.Scalar) -> Bool) -> String {
    var scalars = String.UnicodeScalarView()
    while let scalar = peek(), condition(scalar) {
      scalars.append(scalar)
      position += 1
    }
    return String(scalars)
  }

  /// Skips white space and comments.
  mutating func skipBlanks() throws {
    while let scalar = peek() {
      if isBlank(scalar) {
        position += 1
      } else if scalar == "/", text[position + 1] == "/" {
        while let next = peek(), !isLineEnd(next) { position += 1 }
      } else if scalar == "/", text[position + 1] == "*" {
        let start = position
        position += 2
        while peek() != "*" || text[position + 1] != "/" {
          guard peek() != nil else {
            throw finding("the comment that begins here is not closed; add '*/'", at: start)
          }
          position += 1
        }
        position += 2
      } else {
        return
      }
    }
  }

  func place(_ offset: Int? = nil) -> Place {
    Place(override: override, offset: offset ?? position)
  }

  func finding(_ words: String, at offset: Int? = nil) -> Finding {
    Finding(
      place: place(offset), words: words + (words.last == "?" || words.last == "." ? "" : "."))
  }

  /// What stands at the position, in words.
  var found: String {
    guard let scalar = peek() else { return "the end of the text" }
    guard isIdentifierPart(scalar) else { return quoted(String(scalar)) }
    var rest = self
    return quoted(rest.run(while: isIdentifierPart))
  }

  func unclosed(_ kind: String, from start: Int, close: String) -> Finding {
    finding("the \(kind) that begins here is not closed; add '\(close)'", at: start)
  }
}

func isLineEnd(_ scalar: Unicode.Scalar) -> Bool {
  scalar == "\n" || scalar == "\r" || scalar == "\u{2028}" || scalar == "\u{2029}"
}

private func isBlank(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar {
  case " ", "\t", "\n", "\r", "\u{0B}", "\u{0C}", "\u{A0}", "\u{FEFF}", "\u{2028}", "\u{2029}":
    true
  default: scalar.properties.generalCategory == .spaceSeparator
  }
}

private func isIdentifierStart(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
    .letterNumber:
    true
  default: scalar == "$" || scalar == "_"
  }
}

private func isIdentifierPart(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .spacingMark, .decimalNumber, .connectorPunctuation: true
  default: isIdentifierStart(scalar) || scalar == "\u{200C}" || scalar == "\u{200D}"
  }
}
