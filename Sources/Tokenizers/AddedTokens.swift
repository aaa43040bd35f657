/// A token that is found in the text itself, before it is split.
public struct AddedToken: Equatable, Sendable {
  public let id: Int32
  public let content: String
  /// Found only where no word character stands before or behind it.
  public var singleWord = false
  /// Takes the white space before it along.
  public var lstrip = false
  /// Takes the white space behind it along.
  public var rstrip = false
  /// Looked for in normalized text instead of the text as given.
  public var normalized = false
  /// Controls the model and is no text: decoding can leave it out, and text that users write does
  /// not become it.
  public var special = false

  public init(id: Int32, content: String) {
    self.id = id
    self.content = content
  }
}

/// Finds added tokens in a text: the leftmost first, the longest among those that begin together.
struct AddedTokenMatcher: Sendable {
  /// A token's id and the bytes it takes.
  struct Match: Equatable {
    let id: Int32
    let range: Range<Int>
  }

  private let tokens: [AddedToken]
  /// Whether a token begins with this byte.
  private let beginnings: [Bool]
  /// Children by node and byte, in a trie whose root is 0.
  private let children: [UInt32: UInt32]
  /// For each node the place in `tokens` of the one that ends there; -1 if none does.
  private let endings: [Int]

  /// - Parameter contents: What is looked for, for each token: its content, normalized or not.
  init(_ tokens: [AddedToken], contents: [[UInt8]]) {
    var children: [UInt32: UInt32] = [:]
    var endings = [-1]
    var beginnings = [Bool](repeating: false, count: 256)
    for (place, content) in contents.enumerated() where !content.isEmpty {
      beginnings[Int(content[0])] = true
      var node: UInt32 = 0
      for byte in content {
        let key = node << 8 | UInt32(byte)
        if let next = children[key] {
          node = next
        } else {
          endings.append(-1)
          node = UInt32(endings.count - 1)
          children[key] = node
        }
      }
      endings[Int(node)] = place
    }
    self.tokens = tokens
    self.children = children
    self.endings = endings
    self.beginnings = beginnings
  }

  var isEmpty: Bool { endings.count == 1 }

  /// The matches in a text, in order, which do not overlap.
  ///
  /// - Parameters:
  ///   - literal: Ranges, ascending, in which special tokens are text like any other.
  func matches(
    in text: UnsafeBufferPointer<UInt8>, literal: [Range<Int>] = []
  ) -> [Match] {
    guard !isEmpty, let start = text.baseAddress else { return [] }
    let view = TextView(start, end: text.count)
    var result: [Match] = []
    var free = 0  // where the last match ended
    var i = 0
    var nextLiteral = 0
    beginnings.withUnsafeBufferPointer { beginnings in
      while i < text.count {
        if !beginnings[Int(start[i])] {
          i += 1
          continue
        }
        guard let (place, length) = longest(in: text, at: i) else {
          i += 1
          continue
        }
        let token = tokens[place]
        var range = i..<i + length
        // Searching goes on behind the token, even if the token is not taken.
        i += length
        if token.special {
          while nextLiteral < literal.count, literal[nextLiteral].upperBound <= range.lowerBound {
            nextLiteral += 1
          }
          if nextLiteral < literal.count, literal[nextLiteral].overlaps(range) { continue }
        }
        if token.singleWord, isWord(view, before: range.lowerBound) || isWord(view, at: i) {
          continue
        }
        if token.lstrip {
          range = max(free, startOfSpace(view, before: range.lowerBound))..<range.upperBound
        }
        if token.rstrip {
          range = range.lowerBound..<view.endOfSpace(from: range.upperBound).end
          i = max(i, range.upperBound)
        }
        result.append(Match(id: token.id, range: range))
        free = range.upperBound
      }
    }
    return result
  }

  private func longest(
    in text: UnsafeBufferPointer<UInt8>, at start: Int
  ) -> (place: Int, length: Int)? {
    var node: UInt32 = 0
    var found: (Int, Int)?
    var i = start
    while i < text.count, let next = children[node << 8 | UInt32(text[i])] {
      node = next
      i += 1
      if endings[Int(node)] >= 0 { found = (endings[Int(node)], i - start) }
    }
    return found
  }

  /// Where the white space that ends at `end` begins.
  private func startOfSpace(_ text: TextView, before end: Int) -> Int {
    var i = end
    while i > 0 {
      let length = text.lengthBefore(i, from: 0)
      let found = text.character(at: i - length).class
      if found != .space, found != .newline { break }
      i -= length
    }
    return i
  }

  private func isWord(_ text: TextView, before i: Int) -> Bool {
    i > 0 && isWord(text, at: i - text.lengthBefore(i, from: 0))
  }

  /// Whether a character of `\w` is at `i`: letters, marks, digits, connectors and joiners.
  private func isWord(_ text: TextView, at i: Int) -> Bool {
    guard i < text.end,
      let scalar = text.scalar(at: i).flatMap({ Unicode.Scalar(UInt32($0.value)) })
    else { return false }
    let properties = scalar.properties
    return properties.isAlphabetic || properties.isJoinControl
      || [
        .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation,
      ].contains(properties.generalCategory)
  }
}
