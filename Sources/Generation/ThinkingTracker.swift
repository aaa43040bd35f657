/// Follows whether a completion is thinking, and says when its budget is used up.
///
/// Tags are looked for in the text, since not every tokenizer has tokens for them.
struct ThinkingTracker {
  private let budget: Int
  private var isInside: Bool
  private var count = 0
  private var tail: [UInt8] = []

  static let open = Array("<think>".utf8)
  static let close = Array("</think>".utf8)

  /// - Parameter context: The text before the completion: what it leaves open is thinking.
  init(budget: Int, context: String) {
    self.budget = budget
    let bytes = Array(context.utf8)
    let opened = Self.last(Self.open, in: bytes), closed = Self.last(Self.close, in: bytes)
    isInside = opened.map { $0 > closed ?? -1 } ?? false
    keepTail(of: bytes)
  }

  /// Takes notice of a token and its text; returns whether thinking must end now.
  mutating func append(_ text: String) -> Bool {
    if isInside { count += 1 }
    let bytes = tail + Array(text.utf8)
    let opened = Self.last(Self.open, in: bytes), closed = Self.last(Self.close, in: bytes)
    if let opened, opened > closed ?? -1 {
      if !isInside { count = 0 }
      isInside = true
    } else if closed != nil {
      isInside = false
    }
    keepTail(of: bytes)
    return isInside && count >= budget
  }

  /// As much as a tag may still need, and never a whole one: it would be found again.
  private mutating func keepTail(of bytes: [UInt8]) {
    tail = Array(bytes.suffix(Self.close.count - 1))
    if Self.last(Self.open, in: tail) != nil { tail = [] }
  }

  private static func last(_ tag: [UInt8], in bytes: [UInt8]) -> Int? {
    stride(from: bytes.count - tag.count, through: 0, by: -1).first {
      bytes[$0...].starts(with: tag)
    }
  }
}
