/// Reads the words of a text: the one place where its bytes are looked at.
struct WordReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  private let keepsSigns: Bool
  private(set) var words: [UInt64] = []
  private(set) var ranges: [Range<Int>] = []
  private var i = 0
  /// Where the next of some byte sequences begins, so that a text full of openings without an end
  /// is searched once and not once for each.
  private var nextEnds = [Int](repeating: -1, count: Mark.allCases.count)

  private enum Mark: Int, CaseIterable {
    case picture, pictureEnvironment, parenthesis, bracket, tag, brace
    var text: StaticString {
      switch self {
      case .picture: "[/asy]"
      case .pictureEnvironment: "\\end{asy}"
      case .parenthesis: ")"
      case .bracket: "]"
      case .tag: ">"
      case .brace: "}"
      }
    }
  }

  init(_ bytes: UnsafeBufferPointer<UInt8>, keepsSigns: Bool) {
    self.bytes = bytes
    self.keepsSigns = keepsSigns
    words.reserveCapacity(bytes.count / 5)
    ranges.reserveCapacity(bytes.count / 5)
  }

  mutating func read() {
    while i < bytes.count {
      let byte = bytes[i]
      if Self.isLetter(byte) {
        readLetters()
      } else if Self.isDigit(byte) {
        readNumber()
      } else if byte >= 0x80 {
        readBeyondASCII()
      } else if byte > 0x20 {
        readMark(byte)
      } else {
        i += 1
      }
    }
  }

  // MARK: Words

  private mutating func add(_ hash: UInt64, from start: Int) {
    words.append(hash)
    ranges.append(start..<i)
  }

  /// Letters, with apostrophes within and accents left out.
  private mutating func readLetters() {
    let start = i
    var hash = WordHash()
    while i < bytes.count {
      let byte = bytes[i]
      if Self.isLetter(byte) {
        hash.add(byte | 0x20)
        i += 1
      } else if byte == UInt8(ascii: "'"), i + 1 < bytes.count, Self.isLetter(bytes[i + 1]) {
        i += 1
      } else if byte >= 0x80, let (scalar, length) = scalar(at: i) {
        if scalar == 0x2019, i + 3 < bytes.count, Self.isLetter(bytes[i + 3]) {
          i += 3
          continue
        }
        switch ScalarFolding.folded(scalar) {
        case .ignored: break
        case .latin(let a, let b):
          hash.add(a)
          if b != 0 { hash.add(b) }
        case .letter(let letter): hash.add(scalar: letter)
        default:
          add(hash.finished(isNumber: false), from: start)
          return
        }
        i += length
      } else {
        break
      }
    }
    add(hash.finished(isNumber: false), from: start)
  }

  /// Digits, with a decimal point and with marks between thousands: `1{,}000` is `1000`.
  private mutating func readNumber() {
    let start = i
    var hash = WordHash()
    var hasPoint = false
    var digits = 0
    while i < bytes.count {
      let byte = bytes[i]
      if Self.isDigit(byte) {
        hash.add(byte)
        digits += 1
        i += 1
      } else if byte == UInt8(ascii: "."), !hasPoint, isDigit(at: i + 1) {
        hasPoint = true
        hash.add(byte)
        i += 1
      } else if !hasPoint, digits <= 3, let length = thousandsMark() {
        i += length
        digits = 0
      } else if byte >= 0x80, let (scalar, length) = scalar(at: i),
        case .digit(let digit) = ScalarFolding.folded(scalar), scalar >= 0xff10
      {
        hash.add(digit)
        i += length
      } else {
        break
      }
    }
    add(hash.finished(isNumber: true), from: start)
  }

  /// The length of `,`, `{,}` or `,\!` where exactly three digits follow.
  private func thousandsMark() -> Int? {
    for mark: StaticString in [",\\!", "{,}", ","] where has(mark, at: i) {
      let next = i + mark.utf8CodeUnitCount
      return isDigit(at: next) && isDigit(at: next + 1) && isDigit(at: next + 2)
        && !isDigit(at: next + 3) ? mark.utf8CodeUnitCount : nil
    }
    return nil
  }

  private mutating func readBeyondASCII() {
    guard let (scalar, length) = scalar(at: i) else {
      i += 1
      return
    }
    let start = i
    switch ScalarFolding.folded(scalar) {
    case .latin, .letter: readLetters()
    case .separator, .ignored: i += length
    case .digit where scalar >= 0xff10: readNumber()
    case .digit(let digit):
      i += length
      var hash = WordHash()
      hash.add(digit)
      // Digits of one kind are one number: ¹² is 12.
      while let (next, length) = self.scalar(at: i), next >= 0x80,
        case .digit(let digit) = ScalarFolding.folded(next)
      {
        hash.add(digit)
        i += length
      }
      add(hash.finished(isNumber: true), from: start)
    case .ideograph(let character):
      i += length
      var hash = WordHash()
      hash.add(scalar: character)
      add(hash.finished(isNumber: false), from: start)
    case .greek: readGreek()
    case .name(let name):
      i += length
      add(WordHash.of(name), from: start)
    case .sign(let sign):
      i += length
      addSign(sign, from: start)
    }
  }

  /// One Greek letter is its name, as LaTeX spells it; more are a word of Greek.
  private mutating func readGreek() {
    let start = i
    var hash = WordHash()
    var count = 0
    var first = 0
    while let (scalar, length) = scalar(at: i) {
      switch ScalarFolding.folded(scalar) {
      case .greek(let letter):
        if count == 0 { first = letter }
        count += 1
        hash.add(scalar: 0x3b1 + UInt32(letter))
      case .ignored: break
      case .letter(let letter) where (0x370...0x3ff).contains(scalar):
        count += 1
        hash.add(scalar: letter)
      default:
        add(
          count == 1 ? WordHash.of(ScalarFolding.greek[first]) : hash.finished(isNumber: false),
          from: start)
        return
      }
      i += length
    }
    add(
      count == 1 ? WordHash.of(ScalarFolding.greek[first]) : hash.finished(isNumber: false),
      from: start)
  }

  // MARK: Marks

  private mutating func readMark(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\\"): readCommand()
    case UInt8(ascii: "["):
      if has("[asy]", at: i), let end = end(of: .picture) { i = end } else { i += 1 }
    case UInt8(ascii: "!"):
      if has("![", at: i), let close = position(of: .bracket, from: i + 2),
        has("](", at: close), let end = position(of: .parenthesis, from: close)
      {
        i = end + 1
      } else {
        let start = i
        i += 1
        if start > 0, Self.isDigit(bytes[start - 1]) || bytes[start - 1] == UInt8(ascii: ")") {
          addSign(byte, from: start)
        }
      }
    case UInt8(ascii: "]"):
      if has("](http", at: i) || has("](data:", at: i),
        let end = position(of: .parenthesis, from: i)
      {
        i = end + 1
      } else {
        i += 1
      }
    case UInt8(ascii: "<"): readLess()
    case UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: ">"), UInt8(ascii: "^"),
      UInt8(ascii: "-"), UInt8(ascii: "%"), UInt8(ascii: "/"):
      readSign(byte)
    default: i += 1
    }
  }

  /// A sign, unless it is a mark of markdown, a hyphen, a rule, or a fraction's stroke.
  private mutating func readSign(_ byte: UInt8) {
    let start = i
    while i < bytes.count, bytes[i] == byte { i += 1 }
    let before = start > 0 ? bytes[start - 1] : UInt8(ascii: "\n")
    let after = i < bytes.count ? bytes[i] : UInt8(ascii: "\n")
    if i - start > 1 { return }
    switch byte {
    case UInt8(ascii: "-"):
      if Self.isLetter(before) && Self.isLetter(after) && start > 1
        && Self.isLetter(bytes[start - 2])
      {
        return
      }
      if before == UInt8(ascii: "\n"), after == UInt8(ascii: " ") { return }
    case UInt8(ascii: ">") where before == UInt8(ascii: "\n"): return
    case UInt8(ascii: "/"): return
    default: break
    }
    addSign(byte, from: start)
  }

  private mutating func addSign(_ sign: UInt8, from start: Int) {
    guard keepsSigns else { return }
    var hash = WordHash()
    hash.add(1)  // no word of letters begins so
    hash.add(sign)
    add(hash.finished(isNumber: false), from: start)
  }

  private static let tags: Set<UInt64> = Set(
    [
      "a", "b", "br", "center", "code", "div", "em", "font", "h", "hr", "i", "img", "li", "ol", "p",
      "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "think",
      "tr", "u", "ul",
    ].map(WordHash.of))

  /// A tag of HTML, which is dropped with what it holds within its brackets, or a sign.
  private mutating func readLess() {
    let start = i
    var next = i + 1
    if next < bytes.count, bytes[next] == UInt8(ascii: "/") { next += 1 }
    var hash = WordHash()
    let nameStart = next
    while next < bytes.count, next - nameStart < 8, Self.isLetter(bytes[next]) {
      hash.add(bytes[next] | 0x20)
      next += 1
    }
    // A blank behind a single letter could be `a <b and`, so letters need the end or a known name.
    if next > nameStart, Self.tags.contains(hash.finished(isNumber: false)), next < bytes.count,
      bytes[next] == UInt8(ascii: ">") || bytes[next] == UInt8(ascii: "/")
        || (bytes[next] == 0x20 && next - nameStart > 1),
      let end = position(of: .tag, from: next)
    {
      i = end + 1
    } else {
      i += 1
      addSign(UInt8(ascii: "<"), from: start)
    }
  }

  // MARK: LaTeX

  private mutating func readCommand() {
    let start = i
    i += 1
    guard i < bytes.count, Self.isLetter(bytes[i]) else {
      // `\%`, `\,`, `\\` and the like; a character beyond ASCII is read as if nothing stood before.
      if i < bytes.count, bytes[i] < 0x80 { i += 1 }
      return
    }
    var name = WordHash()
    var folded = WordHash()
    while i < bytes.count, Self.isLetter(bytes[i]) {
      name.add(bytes[i])
      folded.add(bytes[i] | 0x20)
      i += 1
    }
    switch LatexWording.table[name.finished(isNumber: false)] {
    case .dropped: break
    case .fraction: readFractionDigits()
    case .environment: readEnvironment(from: start)
    case .sign(let sign): addSign(sign, from: start)
    case .word(let hash): add(hash, from: start)
    case nil: add(folded.finished(isNumber: false), from: start)
    }
  }

  /// The digits of `\frac12`, each a number.
  private mutating func readFractionDigits() {
    for _ in 0..<2 {
      while i < bytes.count, bytes[i] == 0x20 { i += 1 }
      guard isDigit(at: i) else { return }
      var hash = WordHash()
      hash.add(bytes[i])
      i += 1
      add(hash.finished(isNumber: true), from: i - 1)
    }
  }

  private mutating func readEnvironment(from start: Int) {
    if has("\\begin{asy}", at: start), let end = end(of: .pictureEnvironment) {
      i = end
      return
    }
    guard i < bytes.count, bytes[i] == UInt8(ascii: "{") else { return }
    var next = i + 1
    var name = WordHash()
    while next < bytes.count, next - i < 20, Self.isLetter(bytes[next]) {
      name.add(bytes[next])
      next += 1
    }
    if next < bytes.count, bytes[next] == UInt8(ascii: "*") { next += 1 }
    guard next < bytes.count, bytes[next] == UInt8(ascii: "}") else { return }
    i = next + 1
    guard LatexWording.columned.contains(name.finished(isNumber: false)) else { return }
    if i < bytes.count, bytes[i] == UInt8(ascii: "["), let end = position(of: .bracket, from: i),
      end - i < 8
    {
      i = end + 1
    }
    if i < bytes.count, bytes[i] == UInt8(ascii: "{"), let end = position(of: .brace, from: i),
      end - i < 64
    {
      i = end + 1
    }
  }

  // MARK: Bytes

  private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
  private func isDigit(at place: Int) -> Bool { place < bytes.count && Self.isDigit(bytes[place]) }

  private func has(_ text: StaticString, at place: Int) -> Bool {
    let count = text.utf8CodeUnitCount
    guard place >= 0, count <= bytes.count - place else { return false }
    for k in 0..<count where bytes[place + k] != text.utf8Start[k] { return false }
    return true
  }

  /// Behind the next mark, or nil where there is none.
  private mutating func end(of mark: Mark) -> Int? {
    position(of: mark, from: i).map { $0 + mark.text.utf8CodeUnitCount }
  }

  /// Where a mark stands next, at or behind a place.
  private mutating func position(of mark: Mark, from place: Int) -> Int? {
    var known = nextEnds[mark.rawValue]
    if known < place {
      known = place
      while known < bytes.count, !has(mark.text, at: known) { known += 1 }
      nextEnds[mark.rawValue] = known
    }
    return known < bytes.count ? known : nil
  }

  /// The scalar that begins at a place and its length; nil where the bytes are no UTF-8.
  private func scalar(at place: Int) -> (scalar: UInt32, length: Int)? {
    guard place < bytes.count else { return nil }
    let first = bytes[place]
    if first < 0x80 { return (UInt32(first), 1) }
    func next(_ k: Int) -> UInt32? {
      guard place + k < bytes.count, bytes[place + k] & 0xc0 == 0x80 else { return nil }
      return UInt32(bytes[place + k] & 0x3f)
    }
    guard let a = next(1) else { return nil }
    switch first {
    case 0xc2...0xdf: return (UInt32(first & 0x1f) << 6 | a, 2)
    case 0xe0...0xef:
      guard let b = next(2) else { return nil }
      let scalar = UInt32(first & 0x0f) << 12 | a << 6 | b
      return scalar < 0x800 || (0xd800...0xdfff).contains(scalar) ? nil : (scalar, 3)
    case 0xf0...0xf4:
      guard let b = next(2), let c = next(3) else { return nil }
      let scalar = UInt32(first & 0x07) << 18 | a << 12 | b << 6 | c
      return (0x10000...0x10ffff).contains(scalar) ? (scalar, 4) : nil
    default: return nil
    }
  }
}
