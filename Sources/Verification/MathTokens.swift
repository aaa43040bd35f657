/// A piece of a formula.
enum MathToken: Equatable {
  /// Digits, perhaps with a point; `isGrouped` if commas were taken out of them.
  case number(digits: [UInt8], isGrouped: Bool)
  /// A single letter, or the name of a Greek one.
  case letter(String)
  /// Two letters or more that stand together, or letters of `\text{}`.
  case word(String, isText: Bool)
  case command(String)
  /// ASCII punctuation: one of `+-*/^_=<>()[]{}|,;:!&%'~`.
  case mark(UInt8)
  /// `\\`, which ends a row of a matrix.
  case row
  case begin(String)
  case end(String)
  /// `\$`, `€` and the like.
  case currency
  case degree
}

/// A token, and whether blank space stands before it.
struct PlacedToken: Equatable {
  var token: MathToken
  var isSpaced: Bool
}

/// Why a text is no formula that the judge can read.
enum MathParsingError: Error, Equatable {
  /// It is not written as any formula this reads.
  case notUnderstood
  /// It is longer or deeper than the limits.
  case tooLarge
}

/// Cuts a formula, in LaTeX or as one types it, into tokens.
struct MathTokens {
  private let text: [UInt8]
  private var i = 0
  private var environments = 0
  private var isSpaced = false
  private var tokens: [PlacedToken] = []
  private let limit: Int
  /// Whether commas between groups of three digits belong to the number.
  private let groupsDigits: Bool
  private var brackets = 0
  /// How many `\text{…}` are open, one in the other.
  private var texts = 0

  /// The tokens of a text.
  ///
  /// - Parameter groupsDigits: Read `1,234` outside brackets as one number, not as two.
  static func tokens(
    of text: [UInt8], limit: Int, groupsDigits: Bool = true
  ) throws(MathParsingError) -> [PlacedToken] {
    var reader = MathTokens(text: text, limit: limit, groupsDigits: groupsDigits)
    try reader.read(isText: false, until: text.count)
    return reader.tokens
  }

  private init(text: [UInt8], limit: Int, groupsDigits: Bool) {
    self.text = text
    self.limit = limit
    self.groupsDigits = groupsDigits
    tokens.reserveCapacity(min(text.count, 64))
  }

  private mutating func add(_ token: MathToken) throws(MathParsingError) {
    guard tokens.count < limit else { throw .tooLarge }
    tokens.append(PlacedToken(token: token, isSpaced: isSpaced))
    isSpaced = false
  }

  private func byte(_ at: Int) -> UInt8 { at < text.count ? text[at] : 0 }

  private mutating func read(isText: Bool, until end: Int) throws(MathParsingError) {
    while i < end {
      let c = text[i]
      switch c {
      case UInt8(ascii: " "), 9, 10, 13, UInt8(ascii: "~"):
        isSpaced = true
        i += 1
      case UInt8(ascii: "$"):
        i += 1
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        try readNumber(end)
      case UInt8(ascii: ".")
      where Self.isDigit(byte(i + 1)) || text[i...].dropFirst().starts(with: "\\overline{".utf8):
        try readNumber(end)
      case UInt8(ascii: "."):
        // A full stop at the end, or in 'p.m.'; dots of an ellipsis are not understood.
        if byte(i + 1) == c { throw .notUnderstood }
        i += 1
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
        try readLetters(isText: isText, end)
      case UInt8(ascii: "\\"):
        try readCommand(end)
      case 0x80...:
        try readScalar(isText: isText)
      case UInt8(ascii: "`"), UInt8(ascii: "\""):
        i += 1
      case UInt8(ascii: "?"), UInt8(ascii: "@"), UInt8(ascii: "#"), 0..<32, 127:
        throw .notUnderstood
      case UInt8(ascii: "*") where byte(i + 1) == c:
        // `**`, as programs write powers; around words it is Markdown's bold and is dropped.
        i += 2
        if !isText { try add(.mark(UInt8(ascii: "^"))) }
      default:
        if c == UInt8(ascii: "(") || c == UInt8(ascii: "[") { brackets += 1 }
        if c == UInt8(ascii: ")") || c == UInt8(ascii: "]") { brackets -= 1 }
        i += 1
        try add(.mark(c))
      }
    }
  }

  static func isDigit(_ c: UInt8) -> Bool { c >= UInt8(ascii: "0") && c <= UInt8(ascii: "9") }
  static func isLetter(_ c: UInt8) -> Bool {
    (c | 32) >= UInt8(ascii: "a") && (c | 32) <= UInt8(ascii: "z")
  }

  private mutating func readNumber(_ end: Int) throws(MathParsingError) {
    var digits: [UInt8] = []
    var isGrouped = false
    while i < end, Self.isDigit(text[i]) {
      digits.append(text[i])
      i += 1
    }
    // Groups of three: `1,234`, `1{,}234`, `1,\!234`, `1\,234`. A plain comma only outside brackets.
    var first = digits.count
    while first <= 3, first > 0 {
      var j = i
      var isPlain = false
      while byte(j) == UInt8(ascii: " ") { j += 1 }
      if j > i, byte(j) != UInt8(ascii: "{") { break }
      if byte(j) == UInt8(ascii: ",") {
        j += 1
        isPlain = true
      } else if byte(j) == UInt8(ascii: "{"), byte(j + 1) == UInt8(ascii: ",") {
        j += 2
        while byte(j) == UInt8(ascii: " ") { j += 1 }
        guard byte(j) == UInt8(ascii: "}") else { break }
        j += 1
      } else if byte(j) == UInt8(ascii: "\\"), byte(j + 1) == UInt8(ascii: ",") {
        j += 2
      } else {
        break
      }
      while byte(j) == UInt8(ascii: "\\"), byte(j + 1) == UInt8(ascii: "!") {
        j += 2
        isPlain = false
        while byte(j) == UInt8(ascii: " ") { j += 1 }
      }
      guard j + 3 <= end, Self.isDigit(text[j]), Self.isDigit(text[j + 1]),
        Self.isDigit(text[j + 2]), !Self.isDigit(byte(j + 3))
      else { break }
      if isPlain {
        guard groupsDigits, brackets <= 0, digits[0] != UInt8(ascii: "0") else { break }
        isGrouped = true
      }
      digits += text[j..<j + 3]
      i = j + 3
      first = 3
    }
    if byte(i) == UInt8(ascii: "."), i < end {
      // A point that no digit follows ends the sentence.
      if Self.isDigit(byte(i + 1)) || byte(i + 1) == UInt8(ascii: "\\") {
        digits.append(UInt8(ascii: "."))
      }
      i += 1
      while i < end, Self.isDigit(text[i]) {
        digits.append(text[i])
        i += 1
      }
    }
    try readRepeatingDigits(&digits, end)
    // 1.5e-7, as programs print numbers.
    if byte(i) | 32 == UInt8(ascii: "e"), i < end {
      var j = i + 1
      if byte(j) == UInt8(ascii: "+") || byte(j) == UInt8(ascii: "-") { j += 1 }
      if Self.isDigit(byte(j)) {
        while Self.isDigit(byte(j)) { j += 1 }
        if !Self.isLetter(byte(j)) {
          digits += text[i..<min(j, end)]
          i = min(j, end)
        }
      }
    }
    guard digits.count <= limit * 2 else { throw .tooLarge }
    try add(.number(digits: digits, isGrouped: isGrouped))
  }

  /// The period of a decimal, `0.1\overline{6}`, in brackets: `0.1(6)`.
  private mutating func readRepeatingDigits(
    _ digits: inout [UInt8], _ end: Int
  ) throws(MathParsingError) {
    let command = Array("\\overline{".utf8)
    if digits.contains(UInt8(ascii: ".")), i + command.count < end,
      text[i..<i + command.count].elementsEqual(command),
      let stop = text[i..<end].firstIndex(of: UInt8(ascii: "}")), stop > i + command.count,
      text[i + command.count..<stop].allSatisfy(Self.isDigit)
    {
      digits.append(UInt8(ascii: "("))
      digits += text[i + command.count..<stop]
      digits.append(UInt8(ascii: ")"))
      i = stop + 1
    } else if digits.last == UInt8(ascii: ".") {
      digits.removeLast()
    }
  }

  private mutating func readLetters(isText: Bool, _ end: Int) throws(MathParsingError) {
    let start = i
    while i < end,
      Self.isLetter(text[i])
        || (text[i] == UInt8(ascii: "-") && isText && Self.isLetter(byte(i + 1)))
    {
      i += 1
      // The points of 'p.m.' belong to it.
      if isText || i - start == 1, byte(i) == UInt8(ascii: "."), Self.isLetter(byte(i + 1)) {
        i += 1
      }
    }
    // 'orW' is 'or W', written without the blank.
    if !isText, i - start > 2, text[i - 1] < UInt8(ascii: "a") {
      for word in ["or", "and"] where text[start..<i - 1].elementsEqual(word.utf8) {
        i -= 1
      }
    }
    let letters = text[start..<i].filter { $0 != UInt8(ascii: ".") }
    let name = String(decoding: letters, as: UTF8.self)
    if isText {
      try add(.word(name, isText: true))
    } else if letters.count == 1 {
      try add(.letter(name))
    } else {
      try add(.word(name, isText: false))
    }
  }

  private mutating func readCommand(_ end: Int) throws(MathParsingError) {
    var start = i + 1
    let c = byte(start)
    if c == UInt8(ascii: "\\") {
      // `\\boxed` of a text that was escaped twice; in a matrix it ends a row.
      if environments > 0 || !Self.isLetter(byte(start + 1)) {
        i += 2
        if environments > 0 { try add(.row) }
        isSpaced = true
        return
      }
      start += 1
    }
    var stop = start
    while stop < end, Self.isLetter(text[stop]) { stop += 1 }
    if stop == start {
      i = start + 1
      switch c {
      case UInt8(ascii: "!"): break
      case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"), UInt8(ascii: " "), 10, 13, 9:
        isSpaced = true
      case UInt8(ascii: "$"): try add(.currency)
      case UInt8(ascii: "%"): try add(.mark(c))
      case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "|"):
        if c == UInt8(ascii: "{") { brackets += 1 }
        if c == UInt8(ascii: "}") { brackets -= 1 }
        try add(.command(c == 123 ? "{" : c == 125 ? "}" : "|"))
      case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"):
        // Delimiters of a formula, not of the formula's brackets.
        isSpaced = true
      case UInt8(ascii: "&"), UInt8(ascii: "#"), UInt8(ascii: "_"): throw .notUnderstood
      default: isSpaced = true
      }
      return
    }
    let name = String(decoding: text[start..<stop], as: UTF8.self)
    i = stop
    switch name {
    case "text", "mbox", "textrm", "textbf", "mathrm", "textit", "mathbf", "mathit", "hbox",
      "textnormal", "operatorname", "mathsf", "texttt", "textsf", "emph", "bf", "rm", "bold":
      try readText(name, end)
    case "left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "bigg", "Bigg", "biggl",
      "biggr", "displaystyle", "textstyle", "limits", "nolimits", "middle", "mathop", "quad",
      "qquad", "space", "thinspace", "hspace", "hfill", "phantom", "boxed", "fbox", "ensuremath",
      "nonumber", "strut", "mathstrut", "it", "negthinspace":
      if name == "quad" || name == "qquad" { isSpaced = true }
      if name == "phantom" || name == "hspace" { skipGroup() }
      // `\left.` is no bracket at all.
      if name == "left" || name == "right", byte(i) == UInt8(ascii: ".") { i += 1 }
    case "begin", "end":
      let environment = readGroupName()
      environments += name == "begin" ? 1 : -1
      try add(name == "begin" ? .begin(environment) : .end(environment))
    case "degree", "circ": try add(name == "degree" ? .degree : .command("circ"))
    case "dollar", "pounds", "euro", "EUR": try add(.currency)
    default: try addCommand(name)
    }
  }

  private mutating func addCommand(_ name: String) throws(MathParsingError) {
    if MathNames.commands.contains(name) || MathNames.letters.contains(name) {
      try add(MathNames.letters.contains(name) ? .letter(name) : .command(name))
      return
    }
    // `\cotx` is `\cot x`, written without the blank.
    let prefix = String(name.dropLast())
    if let last = name.utf8.last, prefix == "quad" || MathNames.commands.contains(prefix) {
      if prefix == "quad" { isSpaced = true } else { try add(.command(prefix)) }
      try add(.letter(String(decoding: [last], as: UTF8.self)))
      return
    }
    throw .notUnderstood
  }

  /// What stands in `\text{…}`, whose letters are words; `\mathrm{…}` of one letter is that letter.
  private mutating func readText(_ name: String, _ end: Int) throws(MathParsingError) {
    while byte(i) == UInt8(ascii: " ") { i += 1 }
    guard byte(i) == UInt8(ascii: "{") else { return }
    var depth = 0
    var j = i
    while j < end {
      if text[j] == UInt8(ascii: "{") { depth += 1 }
      if text[j] == UInt8(ascii: "}") {
        depth -= 1
        if depth == 0 { break }
      }
      j += 1
    }
    guard j < end else { throw .notUnderstood }
    // Braces and commands within a text are rare; they are read as in a formula.
    guard texts < 16 else { throw .tooLarge }
    texts += 1
    defer { texts -= 1 }
    i += 1
    let content = text[i..<j]
    let isPlain = !content.contains { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "{") }
    let isName = name.utf8.first == UInt8(ascii: "m") && name != "mbox" || name == "operatorname"
    isSpaced = isSpaced || isPlain
    try read(isText: isPlain && !(isName && content.count == 1), until: j)
    i = j + 1
    isSpaced = isSpaced || isPlain
  }

  private mutating func readGroupName() -> String {
    guard byte(i) == UInt8(ascii: "{"), let stop = text[i...].firstIndex(of: UInt8(ascii: "}"))
    else { return "" }
    let name = String(decoding: text[i + 1..<stop], as: UTF8.self)
    i = stop + 1
    return name
  }

  private mutating func skipGroup() {
    if byte(i) == UInt8(ascii: "{"), let stop = text[i...].firstIndex(of: UInt8(ascii: "}")) {
      i = stop + 1
    }
  }

  /// A character outside ASCII.
  private mutating func readScalar(isText: Bool) throws(MathParsingError) {
    var length = 1
    while i + length < text.count, text[i + length] & 0xC0 == 0x80 { length += 1 }
    let piece = String(decoding: text[i..<i + length], as: UTF8.self)
    guard let scalar = piece.unicodeScalars.first else { throw .notUnderstood }
    i += length
    switch MathNames.meaning(of: scalar) {
    case .token(let token): try add(token)
    case .digits(let digits): try add(.number(digits: digits, isGrouped: false))
    case .superscript(let digit):
      try add(.mark(UInt8(ascii: "^")))
      try add(.number(digits: [digit], isGrouped: false))
    case .fraction(let above, let below):
      try add(.command("frac"))
      try add(.number(digits: [above], isGrouped: false))
      try add(.number(digits: [below], isGrouped: false))
    case .space: isSpaced = true
    case .nothing: break
    case nil:
      guard scalar.properties.isAlphabetic else { throw .notUnderstood }
      var name = piece
      // Letters of other scripts that stand together are a word.
      while i < text.count, text[i] >= 0x80 {
        var next = 1
        while i + next < text.count, text[i + next] & 0xC0 == 0x80 { next += 1 }
        let more = String(decoding: text[i..<i + next], as: UTF8.self)
        guard let scalar = more.unicodeScalars.first, scalar.properties.isAlphabetic,
          MathNames.meaning(of: scalar) == nil
        else { break }
        name += more
        i += next
      }
      try add(.word(name, isText: true))
    }
  }
}
