extension Interpreter {
  /// The methods of Python's `str` that are known.
  static let stringMethods: Set<String> = [
    "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith",
    "replace", "upper", "lower", "title", "capitalize", "swapcase", "join", "find", "rfind",
    "index", "rindex", "count", "format", "removeprefix", "removesuffix", "isdigit", "isalpha",
    "isalnum", "isspace", "isupper", "islower", "center", "ljust", "rjust", "zfill", "partition",
    "rpartition",
  ]

  func callStringMethod(
    _ name: String, of text: TemplateText, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    func bound(_ parameters: String...) throws -> [TemplateValue?] {
      try arguments.bound(to: parameters, of: name)
    }
    try budget.charge(text)
    if !arguments.named.isEmpty, !["format", "rsplit", "split", "splitlines"].contains(name) {
      throw TemplateFault.evaluation(
        "'\(name)' takes no argument '\(arguments.named[0].name)' here.")
    }
    switch name {
    case "strip", "lstrip", "rstrip":
      let characters = try bound("chars")[0]
      return .string(
        try stripped(text, characters, left: name != "rstrip", right: name != "lstrip"))
    case "split", "rsplit":
      let values = try bound("sep", "maxsplit")
      let most = try values[1].map { try integer($0, for: name) } ?? -1
      return try split(text, values[0], most: most < 0 ? Int.max : most, fromEnd: name == "rsplit")
    case "splitlines":
      let keepsEnds = try bound("keepends")[0]?.isTrue ?? false
      return try list(lines(of: text, keepsEnds: keepsEnds).map { .string($0) })
    case "startswith", "endswith":
      let values = try bound("prefix", "start", "end")
      guard values[1] == nil, values[2] == nil else {
        throw TemplateFault.unsupported("'\(name)' with a start is not known. Use a slice.")
      }
      return .bool(try hasEnd(text, values[0] ?? .none, isStart: name == "startswith"))
    case "replace":
      let values = try bound("old", "new", "count")
      let count = try values[2].map { try integer($0, for: name) } ?? -1
      return .string(
        try replaced(
          text, try self.text(values[0] ?? .none, for: name),
          by: try self.text(values[1] ?? .none, for: name), most: count))
    case "upper", "lower", "title", "capitalize", "swapcase":
      _ = try bound()
      return .string(try cased(text, name))
    case "join":
      return .string(try joined(try elements(try bound("iterable")[0] ?? .none), text, for: name))
    case "find", "rfind", "index", "rindex": return try search(name, in: text, arguments)
    case "count":
      let part = try self.text(try bound("sub")[0] ?? .none, for: name)
      return .int(try occurrences(of: part, in: text, most: Int.max))
    case "format": return .string(try braceFormatted(text, arguments))
    case "removeprefix", "removesuffix":
      let part = try self.text(try bound("part")[0] ?? .none, for: name)
      let isStart = name == "removeprefix"
      guard try hasEnd(text, .string(part), isStart: isStart) else { return .string(text) }
      return .string(
        isStart ? text[part.count..<text.count] : text[0..<text.count - part.count])
    case "isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower":
      _ = try bound()
      return .bool(has(text, name))
    case "center", "ljust", "rjust", "zfill":
      let values = try bound("width", "fillchar")
      let width = try integer(values[0] ?? .none, for: name)
      let fill = try values[1].map { try self.text($0, for: name) } ?? TemplateText(" ")
      return .string(try padded(text, name, width, fill))
    default:
      return try partition(text, try self.text(try bound("sep")[0] ?? .none, for: name), name)
    }
  }

  // MARK: Ends

  /// Takes white space, or the given characters, from the ends.
  func stripped(
    _ text: TemplateText, _ characters: TemplateValue?, left: Bool, right: Bool
  ) throws -> TemplateText {
    var set: Set<UInt32>?
    switch characters {
    case nil, .some(.none): break
    case .some(let value):
      let characters = try self.text(value, for: "strip")
      try budget.chargeElements(characters.count)
      set = Set(characters.string.unicodeScalars.map { $0.value })
    }
    func isTaken(_ i: Int) -> Bool {
      guard let set else { return text.isWhitespace(at: i) }
      let byte = text.bytes[i]
      return set.contains(byte < 0x80 ? UInt32(byte) : text.scalar(at: i).value)
    }
    var start = 0
    var end = text.count
    while left, start < end, isTaken(start) { start = text.endOfScalar(at: start) }
    while right, end > start {
      let last = text.startOfScalar(before: end)
      guard isTaken(last) else { break }
      end = last
    }
    return text[start..<end]
  }

  private func hasEnd(_ text: TemplateText, _ ends: TemplateValue, isStart: Bool) throws -> Bool {
    switch ends {
    case .string(let part):
      guard part.count <= text.count else { return false }
      return isStart
        ? text.bytes.starts(with: part.bytes) : text.bytes.suffix(part.count) == part.bytes[...]
    case .tuple(let list):
      for item in list.items {
        let part = try self.text(item, for: isStart ? "startswith" : "endswith")
        try budget.chargeText(bytes: part.count)
        if try hasEnd(text, .string(part), isStart: isStart) { return true }
      }
      return false
    default:
      throw TemplateFault.evaluation(
        "a \(ends.kind) where '\(isStart ? "startswith" : "endswith")' needs a str.")
    }
  }

  // MARK: Pieces

  private func split(
    _ text: TemplateText, _ separator: TemplateValue?, most: Int, fromEnd: Bool
  ) throws -> TemplateValue {
    var pieces: [Range<Int>]
    switch separator {
    case nil, .some(.none): pieces = words(of: text, most: most, fromEnd: fromEnd)
    case .some(let value):
      let separator = try self.text(value, for: "split")
      guard !separator.isEmpty else { throw TemplateFault.evaluation("an empty separator.") }
      var places: [Int] = []
      var start = 0
      if fromEnd {
        places = try lastPlaces(separator, text, most)
      } else {
        while places.count < most, let place = try find(separator, in: text, from: start) {
          try budget.charge()
          places.append(place)
          start = place + separator.count
        }
      }
      pieces = []
      start = 0
      for place in places {
        pieces.append(start..<place)
        start = place + separator.count
      }
      pieces.append(start..<text.count)
    }
    try budget.chargeElements(pieces.count)
    return try list(pieces.map { .string(text[$0]) })
  }

  /// The places of a separator, looked for from the end, where they may be others than from the
  /// beginning.
  private func lastPlaces(
    _ separator: TemplateText, _ text: TemplateText, _ most: Int
  ) throws -> [Int] {
    var places: [Int] = []
    var end = text.count
    while places.count < most, let place = try findLast(separator, in: text, before: end) {
      try budget.charge()
      places.append(place)
      end = place
    }
    return places.reversed()
  }

  func findLast(
    _ part: TemplateText, in text: TemplateText, before end: Int
  ) throws -> Int? {
    var place = end - part.count
    var compared = 0
    while place >= 0 {
      var same = 0
      while same < part.count, text.bytes[place + same] == part.bytes[same] { same += 1 }
      compared += same + 1
      if compared > 4_096 || same == part.count {
        try budget.charge(compared / 16)
        compared = 0
      }
      if same == part.count { return place }
      place -= 1
    }
    try budget.charge(compared / 16)
    return nil
  }

  private func words(of text: TemplateText, most: Int, fromEnd: Bool) -> [Range<Int>] {
    var words: [Range<Int>] = []
    var start: Int?
    var i = 0
    while i < text.count {
      if text.isWhitespace(at: i) {
        if let from = start { words.append(from..<i) }
        start = nil
      } else if start == nil {
        start = i
      }
      i = text.endOfScalar(at: i)
    }
    if let start { words.append(start..<text.count) }
    guard words.count > most else { return words }
    // What is left over is one piece, up to the end of the text.
    if fromEnd { return [0..<words[words.count - most - 1].upperBound] + words.suffix(most) }
    return words.prefix(most) + [words[most].lowerBound..<text.count]
  }

  /// The lines of a text, by all that Python takes for line ends.
  func lines(of text: TemplateText, keepsEnds: Bool = false) throws -> [TemplateText] {
    var lines: [TemplateText] = []
    var start = 0
    var i = 0
    while i < text.count {
      var end = text.endOfScalar(at: i)
      let isEnd: Bool
      switch text.bytes[i] {
      case 0x0A...0x0D, 0x1C...0x1E: isEnd = true
      case 0xC2, 0xE2: isEnd = [0x85, 0x2028, 0x2029].contains(text.scalar(at: i).value)
      default: isEnd = false
      }
      if isEnd {
        if text.bytes[i] == 0x0D, end < text.count, text.bytes[end] == 0x0A { end += 1 }
        try budget.chargeElements(1)
        lines.append(text[start..<(keepsEnds ? end : i)])
        start = end
      }
      i = end
    }
    if start < text.count { lines.append(text[start..<text.count]) }
    return lines
  }

  private func partition(
    _ text: TemplateText, _ separator: TemplateText, _ name: String
  ) throws -> TemplateValue {
    guard !separator.isEmpty else { throw TemplateFault.evaluation("an empty separator.") }
    let isLast = name == "rpartition"
    let place =
      try isLast
      ? findLast(separator, in: text, before: text.count) : find(separator, in: text, from: 0)
    guard let place else {
      let parts = [text, TemplateText(), TemplateText()]
      return try tuple((isLast ? parts.reversed() : parts).map { .string($0) })
    }
    let end = place + separator.count
    return try tuple([
      .string(text[0..<place]), .string(separator), .string(text[end..<text.count]),
    ])
  }

  // MARK: Joining and replacing

  /// Puts texts together with a separator between.
  func joined(
    _ items: [TemplateValue], _ separator: TemplateText, for function: String?
  ) throws -> TemplateText {
    var result = TemplateText()
    for (i, item) in items.enumerated() {
      // Jinja's filter prints what it joins; Python's method takes texts only.
      let text = try function.map { try self.text(item, for: $0) } ?? printed(item)
      try budget.check(length: result.count + text.count + separator.count)
      try budget.charge(text)
      try budget.charge(separator)
      if i > 0 { result.append(separator) }
      result.append(text)
    }
    return result
  }

  func occurrences(of part: TemplateText, in text: TemplateText, most: Int) throws -> Int {
    if part.isEmpty { return min(text.scalarCount + 1, most) }
    var count = 0
    var start = 0
    while count < most, let place = try find(part, in: text, from: start) {
      count += 1
      try budget.charge()
      start = place + part.count
    }
    return count
  }

  /// Replaces a part wherever it is; a negative number means all of them.
  func replaced(
    _ text: TemplateText, _ old: TemplateText, by new: TemplateText, most: Int
  ) throws -> TemplateText {
    let most = most < 0 ? Int.max : most
    let count = try occurrences(of: old, in: text, most: most)
    guard count > 0 else { return text }
    try budget.chargeRepeated(new, count)
    let added = new.count * count
    try budget.chargeText(
      bytes: text.count - old.count * count + added, ranges: text.inputRanges.count)
    var result = TemplateText()
    result.reserveCapacity(text.count - old.count * count + added)
    var start = 0
    for i in 0..<count {
      let place: Int
      if old.isEmpty {
        place = i == 0 ? 0 : text.endOfScalar(at: start)
      } else {
        guard let found = try find(old, in: text, from: start) else { break }
        place = found
      }
      result.append(text, start..<place)
      result.append(new)
      start = place + old.count
    }
    result.append(text, start..<text.count)
    return result
  }
}
