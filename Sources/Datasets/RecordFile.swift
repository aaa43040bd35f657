import Foundation
import Storage

/// A file of JSON objects: one in each line (JSONL), or the elements of one array.
///
/// Opening it finds where each record begins; a record is parsed when it is asked for. Neither the
/// file nor its records need fit into memory. Lines are bytes: only a line feed ends one, with or
/// without a carriage return before it.
public final class RecordFile: Sendable {
  /// A record, and what was unusual about it.
  public struct Record: Sendable {
    public let object: JSONObject
    /// The line it begins at, from 1.
    public let line: Int
    /// Halves of surrogate pairs, which Python writes for broken text, read as U+FFFD.
    public let replacedSurrogates: Int
  }

  /// What was put up with in the file as a whole.
  public struct Oddities: Equatable, Sendable {
    public var hasByteOrderMark = false
    public var carriageReturns = 0
    public var blankLines = 0
  }

  public let path: String
  public let oddities: Oddities
  private let file: MappedFile
  private let places: [Place]

  /// Where a record is in the file.
  private struct Place {
    var start: Int
    var count: Int
    var line: Int
  }

  /// The longest record, in bytes.
  public static let longestRecord = 256 << 20

  /// - Parameter name: What errors call the file, if not by its path.
  /// - Throws: `DatasetError` for a file that can't be read, that holds no records, or an array
  ///   that is broken; broken lines are found when they are asked for.
  public init(at path: String, named name: String? = nil) throws(DatasetError) {
    do { file = try MappedFile(at: path) } catch { throw DatasetError(error) }
    let path = name ?? path
    self.path = path
    var oddities = Oddities()
    let bytes = file.bytes
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw DatasetError("\(path):1", "the file is UTF-16. Save it as UTF-8.")
    }
    oddities.hasByteOrderMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    let start = oddities.hasByteOrderMark ? 3 : 0
    let first = bytes[start...].first { !Self.isSpace($0) }
    guard let first else { throw DatasetError(path, "it holds no samples.") }
    places =
      first == UInt8(ascii: "[")
      ? try Self.elements(of: bytes, from: start, path: path)
      : Self.lines(of: bytes, from: start, &oddities)
    self.oddities = oddities
    if places.isEmpty { throw DatasetError(path, "it holds no samples.") }
  }

  /// The number of records.
  public var count: Int { places.count }

  /// The file's bytes, for a hash of them.
  public var bytes: UnsafeRawBufferPointer { file.bytes }

  /// Where a record is, for errors: `path:line`.
  public func place(of index: Int) -> String { "\(path):\(places[index].line)" }

  /// A record as it is written.
  public func text(of index: Int) -> [UInt8] {
    let place = places[index]
    return withExtendedLifetime(file) { Array(file.bytes[place.start..<place.start + place.count]) }
  }

  /// Parses a record.
  ///
  /// - Throws: `DatasetError` if it is not a JSON object by RFC 8259, with each key once.
  public func record(_ index: Int) throws(DatasetError) -> Record {
    let place = places[index]
    do { try file.checkSize() } catch { throw DatasetError(error) }
    let text = UnsafeRawBufferPointer(rebasing: file.bytes[place.start..<place.start + place.count])
    do {
      return try withExtendedLifetime(file) {
        var tokens = try JSONTokens(text, source: path, limits: Self.limits(text.count))
        let value = try JSONValue(reading: &tokens)
        _ = try tokens.next()
        guard case .object(let object) = value else {
          throw DatasetError("\(path):\(place.line)", "a sample must be a JSON object.")
        }
        return Record(
          object: object, line: place.line, replacedSurrogates: tokens.replacedSurrogates)
      }
    } catch let error as JSONError {
      throw DatasetError("\(path):\(place.line + error.line - 1)", Self.message(error, text))
    } catch let error as DatasetError {
      throw error
    } catch {
      throw DatasetError(error)
    }
  }

  /// A line that is only the beginning of an object is most likely part of a file that was
  /// printed over several lines.
  private static func message(_ error: JSONError, _ text: UnsafeRawBufferPointer) -> String {
    let isCut = error.message.hasPrefix("the text ends")
    return "column \(error.column): \(error.message)"
      + (isCut
        ? " Each line must hold a whole sample; a file that spreads samples over lines must be "
          + "one array." : "")
  }

  private static func limits(_ count: Int) -> JSONLimits {
    JSONLimits(bytes: max(count, longestRecord), replacesLoneSurrogates: true)
  }

  // MARK: Finding records

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  private static func lines(
    of bytes: UnsafeRawBufferPointer, from start: Int, _ oddities: inout Oddities
  ) -> [Place] {
    guard let base = bytes.baseAddress else { return [] }
    var places: [Place] = []
    var i = start
    var line = 0
    while i < bytes.count {
      line += 1
      let found = memchr(base + i, 0x0A, bytes.count - i)
      let end = found.map { UnsafeRawPointer($0) - base } ?? bytes.count
      var last = end
      if last > i, bytes[last - 1] == 0x0D {
        last -= 1
        oddities.carriageReturns += 1
      }
      if bytes[i..<last].contains(where: { !isSpace($0) }) {
        places.append(Place(start: i, count: last - i, line: line))
      } else {
        oddities.blankLines += 1
      }
      i = end + 1
    }
    return places
  }

  /// The elements of an array, found token by token: nothing is built of them yet.
  private static func elements(
    of bytes: UnsafeRawBufferPointer, from start: Int, path: String
  ) throws(DatasetError) -> [Place] {
    let text = UnsafeRawBufferPointer(rebasing: bytes[start...])
    do throws(JSONError) {
      var tokens = try JSONTokens(text, source: path, limits: limits(text.count))
      var places: [Place] = []
      var line = 1
      var counted = 0
      _ = try tokens.next()
      while true {
        let token = try tokens.next()
        if case .endArray = token, tokens.depth == 0 { break }
        let begin = tokens.tokenStart
        line += text[counted..<begin].count { $0 == 0x0A }
        counted = begin
        while tokens.depth > 1 { _ = try tokens.next() }
        places.append(Place(start: start + begin, count: tokens.position - begin, line: line))
      }
      _ = try tokens.next()
      return places
    } catch {
      throw DatasetError("\(path):\(error.line)", "column \(error.column): \(error.message)")
    }
  }
}
