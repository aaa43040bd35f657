import Foundation

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

/// Unicode's normal form C, by Foundation, which sees only the places where it may matter.
///
/// A character is *plain* if it is a starter (combining class 0) that never changes and never
/// joins the character before it. What stands between two plain characters can be normalized by
/// itself, with the first of the two.
enum CanonicalComposition {
  /// Whether the text surely stays what it is.
  static func isCertain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let start = text.baseAddress else { return true }
    let view = TextView(start, end: text.count)
    var i = 0
    while i < text.count {
      if start[i] < 0x80 {
        i += 1
        continue
      }
      guard let (value, length) = view.scalar(at: i) else {
        i += 1
        continue
      }
      if !isPlain(value) { return false }
      i += length
    }
    return true
  }

  static func composed(_ text: [UInt8]) -> [UInt8] {
    text.withUnsafeBufferPointer { buffer in
      guard let start = buffer.baseAddress, !isCertain(buffer) else { return text }
      let view = TextView(start, end: buffer.count)
      var result: [UInt8] = []
      result.reserveCapacity(buffer.count)
      // What is done; the last plain character; where reading stands.
      var done = 0
      var lastPlain = 0
      var i = 0
      while i < buffer.count {
        let scalar = view.scalar(at: i)
        if let scalar, !isPlain(scalar.value) {
          // The run of characters that are not plain, with the one before it.
          var end = i + scalar.length
          while end < buffer.count, let next = view.scalar(at: end), !isPlain(next.value) {
            end += next.length
          }
          result.append(contentsOf: buffer[done..<lastPlain])
          let window = String(decoding: buffer[lastPlain..<end], as: UTF8.self)
          result.append(contentsOf: window.precomposedStringWithCanonicalMapping.utf8)
          (done, lastPlain, i) = (end, end, end)
        } else {
          // Bytes that are no UTF-8 must not be in a window, which would replace them.
          lastPlain = scalar == nil ? i + 1 : i
          i += scalar?.length ?? 1
        }
      }
      result.append(contentsOf: buffer[done...])
      return result
    }
  }

  /// Whether a scalar is plain, as far as ranges tell; a test tries all scalars.
  @inline(__always)
  private static func isPlain(_ value: Int) -> Bool { value < 0x300 || isPlainHigh(value) }

  private static func isPlainHigh(_ value: Int) -> Bool {
    switch value {
    case 0x0400...0x0482, 0x048A...0x0590, 0x1E00...0x1EFF, 0x2010...0x20CF, 0x2100...0x2125,
      0x212C...0x2328, 0x232B...0x2ADB, 0x2ADD...0x2CEE, 0x2E00...0x3029, 0x3030...0x3098,
      0x309B...0x312F, 0x3131...0xA66E, 0xA720...0xA801, 0xAC00...0xD7A3, 0xE000...0xF8FF,
      0xFE10...0xFE1F, 0xFE30...0xFFFF, 0x1D400...0x1DFFF, 0x1F000...0x2F7FF:
      true
    default:
      false
    }
  }
}
