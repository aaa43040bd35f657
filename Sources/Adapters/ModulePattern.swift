/// A regular expression over the dotted paths of modules, as PEFT has it in `target_modules`.
///
/// It means what Python's `re` makes of it, for paths of ASCII: literals, `.`, classes, `\d \w \s`
/// and their opposites, groups, `|`, repetitions of every kind, `^ $ \A \Z \b \B`, and looking ahead
/// and behind. Back references, flags, atomic groups and possessive repetitions are refused.
///
/// Where a part can end is found once for each place where it can begin, and kept, so that no
/// pattern takes more than a time that grows with its length: one from a stranger's file can't
/// stop the program, as it can stop those that try one way after the other.
public struct ModulePattern: Equatable, Sendable {
  /// The expression, as it was written.
  public let text: String
  /// Parts come before the parts that they are in; the last is the whole.
  let parts: [Part]

  /// The longest expression that is read, in bytes.
  public static let longest = 1 << 12
  /// The longest path that is compared, in bytes: the places in it are the bits of a word.
  static let longestPath = 63

  /// A part of an expression; parts within it are known by their numbers.
  enum Part: Equatable, Sendable {
    /// One character of a set.
    case character(CharacterSet)
    case sequence([Int])
    case choice([Int])
    case repetition(Int, least: Int, most: Int?)
    case look(Int, ahead: Bool, isWanted: Bool)
    case start, end
    /// Between a character of a word and another one, or not.
    case wordEdge(isWanted: Bool)
  }

  /// Reads an expression.
  ///
  /// - Throws: `ModulePatternError`.
  public init(_ text: String) throws(ModulePatternError) {
    var parser = ModulePatternParser(text)
    parts = try parser.parse()
    self.text = text
  }

  public static func == (a: ModulePattern, b: ModulePattern) -> Bool {
    a.text.utf8.elementsEqual(b.text.utf8)
  }

  /// Whether the whole path is matched, as by Python's `re.fullmatch`.
  ///
  /// A path that is longer than that of any module here is not.
  public func matches(_ path: String) -> Bool {
    ends(in: path) { $0 == 0 }
  }

  /// Whether the path or an end of it that follows a dot is matched, as PEFT compares the keys of
  /// `rank_pattern` (`get_pattern_key`).
  func matchesEnd(of path: String) -> Bool {
    let bytes = Array(path.utf8)
    return ends(in: path) { $0 == 0 || bytes[$0 - 1] == UInt8(ascii: ".") }
  }

  /// Whether the expression matches from one of some places to the end of the path.
  private func ends(in path: String, from isStart: (Int) -> Bool) -> Bool {
    let bytes = Array(path.utf8)
    guard bytes.count <= Self.longestPath, let whole = parts.indices.last else { return false }
    var matcher = ModulePatternMatcher(parts, bytes)
    return (0...bytes.count).contains { place in
      isStart(place) && matcher.ends(of: whole, from: place).contains(bytes.count)
    }
  }
}

extension ModulePattern {
  /// A set of ASCII characters.
  struct CharacterSet: Equatable, Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    init() {}
    init(_ bytes: some Sequence<UInt8>) { for byte in bytes { insert(byte) } }

    mutating func insert(_ byte: UInt8) {
      if byte < 64 { low |= 1 << byte } else if byte < 128 { high |= 1 << (byte - 64) }
    }

    mutating func formUnion(_ other: CharacterSet) {
      low |= other.low
      high |= other.high
    }

    func contains(_ byte: UInt8) -> Bool {
      byte < 64 ? low >> byte & 1 == 1 : byte < 128 && high >> (byte - 64) & 1 == 1
    }

    var inverted: CharacterSet {
      var set = CharacterSet()
      (set.low, set.high) = (~low, ~high)
      return set
    }

    static let digits = CharacterSet(UInt8(ascii: "0")...UInt8(ascii: "9"))
    static let word: CharacterSet = {
      var set = digits
      set.formUnion(CharacterSet(UInt8(ascii: "a")...UInt8(ascii: "z")))
      set.formUnion(CharacterSet(UInt8(ascii: "A")...UInt8(ascii: "Z")))
      set.insert(UInt8(ascii: "_"))
      return set
    }()
    /// As Python's `\s` has it: the four separators of ASCII too.
    static let space: CharacterSet = {
      var set = CharacterSet(0x09...0x0D)
      set.formUnion(CharacterSet(0x1C...0x20))
      return set
    }()
    static let allButLineFeed = CharacterSet([0x0A]).inverted
  }

  /// Places in a path, from before its first character to behind its last.
  struct Places: Equatable {
    var bits: UInt64 = 0

    init() {}
    init(_ place: Int) { bits = 1 << UInt64(place) }

    func contains(_ place: Int) -> Bool { bits >> UInt64(place) & 1 == 1 }
    var isEmpty: Bool { bits == 0 }

    /// The first place, which is taken out.
    mutating func popFirst() -> Int? {
      guard bits != 0 else { return nil }
      let place = bits.trailingZeroBitCount
      bits &= bits - 1
      return place
    }
  }
}

/// Finds where the parts of an expression can end in a path.
private struct ModulePatternMatcher {
  typealias Places = ModulePattern.Places

  private let parts: [ModulePattern.Part]
  private let bytes: [UInt8]
  /// For each part and place, where the part can end if it begins there; nil if not yet known.
  private var known: [Places?]

  init(_ parts: [ModulePattern.Part], _ bytes: [UInt8]) {
    self.parts = parts
    self.bytes = bytes
    known = Array(repeating: nil, count: parts.count * (bytes.count + 1))
  }

  mutating func ends(of part: Int, from place: Int) -> Places {
    let index = part * (bytes.count + 1) + place
    if let ends = known[index] { return ends }
    let ends = find(part, from: place)
    known[index] = ends
    return ends
  }

  private mutating func ends(of part: Int, from places: Places) -> Places {
    var (places, ends) = (places, Places())
    while let place = places.popFirst() { ends.bits |= self.ends(of: part, from: place).bits }
    return ends
  }

  private mutating func find(_ part: Int, from place: Int) -> Places {
    let here = Places(place)
    func holds(_ condition: Bool) -> Places { condition ? here : Places() }
    switch parts[part] {
    case .character(let set):
      return place < bytes.count && set.contains(bytes[place]) ? Places(place + 1) : Places()
    case .sequence(let inner):
      var ends = here
      for part in inner where !ends.isEmpty { ends = self.ends(of: part, from: ends) }
      return ends
    case .choice(let inner):
      var ends = Places()
      for part in inner { ends.bits |= self.ends(of: part, from: place).bits }
      return ends
    case .repetition(let inner, let least, let most):
      return repeated(inner, least, most, from: here)
    case .look(let inner, ahead: true, let isWanted):
      return holds(self.ends(of: inner, from: place).isEmpty != isWanted)
    case .look(let inner, ahead: false, let isWanted):
      let isFound = (0...place).contains { self.ends(of: inner, from: $0).contains(place) }
      return holds(isFound == isWanted)
    case .start: return holds(place == 0)
    case .end: return holds(place == bytes.count)
    case .wordEdge(let isWanted):
      let before = place > 0 && ModulePattern.CharacterSet.word.contains(bytes[place - 1])
      let after =
        place < bytes.count && ModulePattern.CharacterSet.word.contains(bytes[place])
      return holds((before != after) == isWanted)
    }
  }

  /// Rounds that must be are done one by one: after as many as there are places and one more,
  /// another changes nothing, since one of them did not move and can be left out or done again.
  /// Of those that may be, only places that are new go into the next.
  private mutating func repeated(
    _ part: Int, _ least: Int, _ most: Int?, from here: Places
  ) -> Places {
    let rounds = bytes.count + 2
    let least = min(least, rounds)
    var now = here
    for _ in 0..<least {
      let next = ends(of: part, from: now)
      if next == now { break }
      now = next
    }
    var all = now
    for _ in least..<max(least, min(most ?? rounds, rounds)) where !now.isEmpty {
      now.bits = ends(of: part, from: now).bits & ~all.bits
      all.bits |= now.bits
    }
    return all
  }
}
