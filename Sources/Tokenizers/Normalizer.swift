/// What is done to text before it is split: the steps of a file's `normalizer`, in order.
struct Normalizer: Equatable, Sendable {
  enum Step: Equatable, Sendable {
    /// Canonical composition, Unicode's normal form C.
    case nfc
    /// Puts bytes before a text that is not empty.
    case prepend([UInt8])
    /// Puts other bytes wherever some stand.
    case replace([UInt8], with: [UInt8])
  }

  var steps: [Step] = []

  /// Whether a text is what `normalized` would make of it, as far as can be told at a glance.
  func leavesUnchanged(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    steps.allSatisfy { $0 == .nfc } && (steps.isEmpty || CanonicalComposition.isCertain(text))
  }

  func normalized(_ text: some Sequence<UInt8>) -> [UInt8] {
    var text = Array(text)
    for step in steps {
      switch step {
      case .nfc: text = CanonicalComposition.composed(text)
      case .prepend(let prefix): if !text.isEmpty { text = prefix + text }
      case .replace(let old, let new): text = Self.replacing(old, with: new, in: text)
      }
    }
    return text
  }

  static func replacing(_ old: [UInt8], with new: [UInt8], in text: [UInt8]) -> [UInt8] {
    guard let first = old.first, text.count >= old.count else { return text }
    var result: [UInt8] = []
    result.reserveCapacity(text.count + text.count / 2)
    var i = 0
    while i < text.count {
      if text[i] == first, text.count - i >= old.count,
        old.count == 1 || text[i..<i + old.count].elementsEqual(old)
      {
        result += new
        i += old.count
      } else {
        result.append(text[i])
        i += 1
      }
    }
    return result
  }
}
