import Foundation

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
          result.append(
            contentsOf: ordered(window).precomposedStringWithCanonicalMapping.utf8)
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

  /// The canonically equivalent text whose combining marks are in canonical order.
  ///
  /// Foundation orders marks by insertion, which takes hours for a megabyte of them in disorder;
  /// marks that are in order cost it nothing.
  private static func ordered(_ text: String) -> String {
    guard text.utf8.count > 256 else { return text }
    var result = String.UnicodeScalarView()
    var marks: [(order: UInt8, scalar: Unicode.Scalar)] = []
    func flush() {
      // `sort` is stable, as the order of marks of one class means something.
      marks.sort { $0.order < $1.order }
      for mark in marks { result.append(mark.scalar) }
      marks.removeAll(keepingCapacity: true)
    }
    for scalar in text.unicodeScalars {
      let order = scalar.properties.canonicalCombiningClass.rawValue
      if order == 0 {
        flush()
        result.append(scalar)
      } else {
        marks.append((order, scalar))
      }
    }
    flush()
    return String(result)
  }

  /// Whether a scalar is plain, as far as ranges tell; a test tries all scalars.
  @inline(__always)
  private static func isPlain(_ value: Int) -> Bool { value < 0x300 || isPlainHigh(value) }

  private static func isPlainHigh(_ value: Int) -> Bool {
    switch value {
    case 0x0370...0x0373, 0x0375...0x037D, 0x0388...0x03FF, 0x0400...0x0482, 0x048A...0x0590,
      0x1E00...0x1EFF, 0x2010...0x20CF, 0x2100...0x2125,
      0x212C...0x2328, 0x232B...0x2ADB, 0x2ADD...0x2CEE, 0x2E00...0x3029, 0x3030...0x3098,
      0x309B...0x312F, 0x3131...0xA66E, 0xA720...0xA801, 0xAC00...0xD7A3, 0xE000...0xF8FF,
      0xFE10...0xFE1F, 0xFE30...0xFFFF, 0x1D400...0x1DFFF, 0x1F000...0x2F7FF:
      true
    default:
      false
    }
  }
}
