import Foundation
import Storage

/// The lines of a file that a journal writes, by offset: it may still grow.
///
/// What follows the last line feed is not there yet.
public final class SampleLines: Sendable {
  public let path: String
  /// Nil for a file that is missing or empty.
  private let file: MappedFile?

  /// - Throws: `SampleError` for a file that can't be read.
  public init(at path: String) throws(SampleError) {
    self.path = path
    do throws(FileError) {
      file = try MappedFile(at: path)
    } catch {
      guard error.reason == .missing || error.reason == .empty else { throw SampleError(error) }
      file = nil
    }
  }

  /// Calls `body` with each line, without its line feed, its place in the file, and its number
  /// from 1.
  ///
  /// - Parameter takesUnfinished: Whether what follows the last line feed is a line too.
  public func forEach(
    takesUnfinished: Bool = false,
    _ body: (UnsafeRawBufferPointer, Range<Int>, _ number: Int) throws -> Void
  ) throws {
    guard let file, let base = file.bytes.baseAddress else { return }
    try withExtendedLifetime(file) {
      try file.checkSize()
      var start = 0
      var number = 0
      while let feed = memchr(base + start, 0x0A, file.bytes.count - start) {
        let end = UnsafeRawPointer(feed) - base
        number += 1
        try body(UnsafeRawBufferPointer(rebasing: file.bytes[start..<end]), start..<end, number)
        start = end + 1
      }
      let count = file.bytes.count
      if takesUnfinished, start < count {
        try body(
          UnsafeRawBufferPointer(rebasing: file.bytes[start..<count]), start..<count, number + 1)
      }
    }
  }

  /// Calls `body` with a part of the file; nil if it has no such part.
  func withLine<Result>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result? {
    guard let file, range.lowerBound >= 0, range.upperBound <= file.bytes.count else { return nil }
    return withExtendedLifetime(file) {
      body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
    }
  }

  /// The number, from 1, of the line that begins at an offset.
  func number(at offset: Int) -> Int {
    withLine(0..<offset) { bytes in 1 + bytes.count { $0 == 0x0A } } ?? 0
  }
}
