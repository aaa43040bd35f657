import Storage

/// Why a text is no regular expression that is read here, as the end of a sentence and the next.
public struct ModulePatternError: Error, Equatable, CustomStringConvertible {
  /// Such as "'(' at character 5 is not closed.".
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Reads a regular expression in Python's grammar, as far as `ModulePattern` goes.
struct ModulePatternParser {
  typealias Part = ModulePattern.Part
  typealias CharacterSet = ModulePattern.CharacterSet

  private let scalars: [Unicode.Scalar]
  private var position = 0
  private var parts: [Part] = []
  private let byteCount: Int

  /// Groups within groups; each takes a few calls of the stack.
  private static let deepest = 100

  init(_ text: String) {
    byteCount = text.utf8.count
    // Longer ones are refused before they are looked at.
    scalars = byteCount <= ModulePattern.longest ? Array(text.unicodeScalars) : []
  }

  mutating func parse() throws(ModulePatternError) -> [Part] {
    guard byteCount <= ModulePattern.longest else {
      throw ModulePatternError(
        "it has \(byteCount) bytes; expressions of at most \(ModulePattern.longest) are read.")
    }
    let whole = try choice(depth: 0)
    guard position == scalars.count else {
      throw error("')' at character \(position + 1) closes nothing.")
    }
    // The whole stands last, where `ModulePattern` looks for it.
    _ = add(.sequence([whole]))
    return parts
  }

  private func error(_ words: String) -> ModulePatternError { ModulePatternError(words) }

  private func unsupported(_ what: String, at place: Int) -> ModulePatternError {
    error("\(quoted(what)) at character \(place + 1) is not supported.")
  }

  private mutating func add(_ part: Part) -> Int {
    parts.append(part)
    return parts.count - 1
  }

  private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  /// Whether these characters come next; if so, they are read.
  private mutating func skip(_ text: String) -> Bool {
    let wanted = Array(text.unicodeScalars)
    guard position + wanted.count <= scalars.count,
      scalars[position..<position + wanted.count].elementsEqual(wanted)
    else { return false }
    position += wanted.count
    return true
  }

  private mutating func choice(depth: Int) throws(ModulePatternError) -> Int {
    guard depth <= Self.deepest else {
      throw error("it has more than \(Self.deepest) groups within each other.")
    }
    var branches = [try sequence(depth: depth)]
    while skip("|") { branches.append(try sequence(depth: depth)) }
    return branches.count == 1 ? branches[0] : add(.choice(branches))
  }

  private mutating func sequence(depth: Int) throws(ModulePatternError) -> Int {
    var items: [Int] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      let start = position
      guard let item = try atom(depth: depth) else { continue }
      items.append(try repetitions(of: item, from: start))
    }
    return add(.sequence(items))
  }

  /// A character, class, group or condition; nil for a comment.
  private mutating func atom(depth: Int) throws(ModulePatternError) -> Int? {
    let start = position
    guard let scalar = next else { return nil }
    position += 1
    switch scalar {
    case ".": return add(.character(.allButLineFeed))
    case "^": return add(.start)
    case "$": return add(.end)
    case "[": return add(.character(try characterClass(from: start)))
    case "\\": return try escape(from: start)
    case "(": return try group(from: start, depth: depth)
    case "*", "+", "?": throw error("'\(scalar)' at character \(start + 1) repeats nothing.")
    case "{":
      // Where it is no repetition, it is a character.
      position = start
      if try bounds() != nil {
        throw error("'{' at character \(start + 1) repeats nothing.")
      }
      position = start + 1
      return add(literal(scalar))
    default: return add(literal(scalar))
    }
  }

  /// No path has a character beyond ASCII.
  private func literal(_ scalar: Unicode.Scalar) -> Part {
    .character(scalar.isASCII ? CharacterSet([UInt8(scalar.value)]) : CharacterSet())
  }

  // MARK: - Repetition

  private mutating func repetitions(
    of item: Int, from start: Int
  ) throws(ModulePatternError) -> Int {
    let place = position
    var (least, most): (Int, Int?)
    if skip("*") {
      (least, most) = (0, nil)
    } else if skip("+") {
      (least, most) = (1, nil)
    } else if skip("?") {
      (least, most) = (0, 1)
    } else if let bounds = try bounds() {
      (least, most) = bounds
    } else {
      return item
    }
    if skip("+") { throw unsupported("+", at: position - 1) }
    // As few or as many as can be: the whole path is matched or not.
    _ = skip("?")
    if let next, next == "*" || next == "+" || next == "?" {
      throw error("'\(next)' at character \(position + 1) repeats what is repeated already.")
    }
    let end = position
    if try bounds() != nil {
      throw error("'{' at character \(end + 1) repeats what is repeated already.")
    }
    switch parts[item] {
    case .start, .end, .wordEdge:
      throw error("'\(scalars[place])' at character \(place + 1) repeats nothing.")
    default: break
    }
    return add(.repetition(item, least: least, most: most))
  }

  /// `{2}`, `{2,}`, `{,3}` or `{2,3}`; nil, with nothing read, where that is not what stands there.
  private mutating func bounds() throws(ModulePatternError) -> (Int, Int?)? {
    let start = position
    guard skip("{") else { return nil }
    let low = number()
    let hasComma = skip(",")
    let high = hasComma ? number() : low
    guard skip("}"), low != nil || hasComma else {
      position = start
      return nil
    }
    let least = low ?? 0
    if let high, high < least {
      throw error("'{' at character \(start + 1) has its larger number first.")
    }
    return (least, high)
  }

  /// Digits as a number, which no path is long enough for where it is cut; nil if there are none.
  private mutating func number() -> Int? {
    var value: Int?
    while let scalar = next, ("0"..."9").contains(scalar) {
      value = min((value ?? 0) * 10 + Int(scalar.value - 0x30), 1_000_000)
      position += 1
    }
    return value
  }

  // MARK: - Groups

  private mutating func group(
    from start: Int, depth: Int
  ) throws(ModulePatternError) -> Int? {
    var look: (ahead: Bool, isWanted: Bool)?
    if skip("?") {
      if skip(":") {
      } else if skip("=") {
        look = (true, true)
      } else if skip("!") {
        look = (true, false)
      } else if skip("<=") {
        look = (false, true)
      } else if skip("<!") {
        look = (false, false)
      } else if skip("P<") {
        try skipName(from: start)
      } else if skip("#") {
        while let scalar = next, scalar != ")" { position += 1 }
        guard skip(")") else { throw error("'(' at character \(start + 1) is not closed.") }
        return nil
      } else {
        throw unsupported(text(from: start, to: position + 1), at: start)
      }
    }
    let inner = try choice(depth: depth + 1)
    guard skip(")") else { throw error("'(' at character \(start + 1) is not closed.") }
    return look.map { add(.look(inner, ahead: $0.ahead, isWanted: $0.isWanted)) } ?? inner
  }

  private mutating func skipName(from start: Int) throws(ModulePatternError) {
    let first = position
    while let scalar = next, scalar != ">" { position += 1 }
    guard skip(">"), position - 1 > first else {
      throw error("the group at character \(start + 1) has no name in '<' and '>'.")
    }
  }

  private func text(from start: Int, to end: Int) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars[start..<min(end, scalars.count)])
    return String(text)
  }

  // MARK: - Classes and escapes

  private mutating func escape(from start: Int) throws(ModulePatternError) -> Int {
    guard let scalar = next else { throw error("it ends in a '\\'.") }
    switch scalar {
    case "A": position += 1; return add(.start)
    case "Z": position += 1; return add(.end)
    case "b": position += 1; return add(.wordEdge(isWanted: true))
    case "B": position += 1; return add(.wordEdge(isWanted: false))
    default: return add(.character(try escapedCharacters(from: start).set))
    }
  }

  /// What a `\` that was read makes of the next characters; the byte is nil for a set of several.
  private mutating func escapedCharacters(
    from start: Int
  ) throws(ModulePatternError) -> (set: CharacterSet, byte: UInt8?) {
    guard let scalar = next else { throw error("it ends in a '\\'.") }
    position += 1
    switch scalar {
    case "d": return (.digits, nil)
    case "D": return (CharacterSet.digits.inverted, nil)
    case "w": return (.word, nil)
    case "W": return (CharacterSet.word.inverted, nil)
    case "s": return (.space, nil)
    case "S": return (CharacterSet.space.inverted, nil)
    case "t": return (CharacterSet([0x09]), 0x09)
    case "n": return (CharacterSet([0x0A]), 0x0A)
    case "r": return (CharacterSet([0x0D]), 0x0D)
    case "x":
      let digits = text(from: position, to: position + 2)
      guard digits.utf8.count == 2, digits.unicodeScalars.allSatisfy(\.properties.isASCIIHexDigit),
        let byte = UInt8(digits, radix: 16)
      else { throw unsupported("\\x" + digits, at: start) }
      position += 2
      return (CharacterSet([byte]), byte)
    case "0"..."9", "a"..."z", "A"..."Z": throw unsupported("\\\(scalar)", at: start)
    default:
      guard scalar.isASCII else { return (CharacterSet(), nil) }
      return (CharacterSet([UInt8(scalar.value)]), UInt8(scalar.value))
    }
  }

  /// What stands between `[`, which was read, and `]`.
  private mutating func characterClass(
    from start: Int
  ) throws(ModulePatternError) -> CharacterSet {
    var set = CharacterSet()
    let isInverted = skip("^")
    var isFirst = true
    while let scalar = next, isFirst || scalar != "]" {
      isFirst = false
      let place = position
      let low = try classCharacter()
      // A '-' before the end is a character.
      guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
        set.formUnion(low.set)
        continue
      }
      position += 1
      let high = try classCharacter()
      guard let first = low.value, let last = high.value, first <= last else {
        throw error("the range at character \(place + 1) has no order.")
      }
      if first < 128 { set.formUnion(CharacterSet(UInt8(first)...UInt8(min(last, 127)))) }
    }
    guard skip("]") else { throw error("'[' at character \(start + 1) is not closed.") }
    return isInverted ? set.inverted : set
  }

  /// A character in a class, with its number if it is a single one.
  private mutating func classCharacter() throws(ModulePatternError) -> (
    set: CharacterSet, value: UInt32?
  ) {
    guard let scalar = next else { return (CharacterSet(), nil) }
    let start = position
    position += 1
    guard scalar == "\\" else {
      let isASCII = scalar.isASCII
      return (isASCII ? CharacterSet([UInt8(scalar.value)]) : CharacterSet(), scalar.value)
    }
    let escaped = try escapedCharacters(from: start)
    return (escaped.set, escaped.byte.map(UInt32.init))
  }
}
