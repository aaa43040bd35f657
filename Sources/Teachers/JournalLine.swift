import Foundation
import Storage

/// A line of a journal: a JSON object whose last member is a checksum of the bytes before it.
///
///     {"key":"5f…","sample":0,"crc32c":"0a1b2c3d"}
///
/// The checksum is CRC-32C, in eight hexadecimal digits, of the line's bytes from `{` up to and not
/// including the last `,"crc32c":`. Whoever only wants the object may parse the line as any JSON.
public enum JournalLine {
  private static let name = ",\"crc32c\":\""
  /// The bytes from the comma to the closing brace.
  private static let tail = name.utf8.count + 8 + 2

  /// The line of an object, which has a member at least, without a line feed.
  public static func encoded(_ object: JSONObject) -> Data {
    precondition(!object.members.isEmpty, "a line of a journal holds something")
    var line = JSONValue.object(object).serialized()
    line.removeLast()
    let checksum = line.withUnsafeBytes { CRC32C.checksum($0) }
    line.append(contentsOf: name.utf8)
    line.append(contentsOf: digits(checksum))
    line.append(contentsOf: "\"}".utf8)
    return line
  }

  /// Reads a line, without its line feed.
  ///
  /// - Parameter place: The file and line, for errors.
  /// - Returns: The object, without its checksum.
  /// - Throws: `SampleError` if the checksum is not there or does not fit.
  public static func decoded(
    _ line: UnsafeRawBufferPointer, place: String
  ) throws(SampleError) -> JSONObject {
    try check(line, place: place)
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONValue(parsing: line, source: place)
    } catch {
      throw SampleError(place, "column \(error.column): \(error.message)")
    }
    guard case .object(let object) = value else {
      throw SampleError(place, "an object must stand there.")
    }
    return JSONObject(members: object.members.dropLast())
  }

  /// Reads a line; see `decoded(_:place:)` of a raw buffer.
  public static func decoded(
    _ line: [UInt8], place: String
  ) throws(SampleError) -> JSONObject {
    try line.withUnsafeBytes { bytes -> Result<JSONObject, SampleError> in
      do throws(SampleError) {
        return .success(try decoded(bytes, place: place))
      } catch {
        return .failure(error)
      }
    }.get()
  }

  /// Compares a line with its checksum.
  ///
  /// - Throws: `SampleError`.
  static func check(_ line: UnsafeRawBufferPointer, place: String) throws(SampleError) {
    let content = line.dropLast(tail)
    let ending = line.suffix(tail)
    guard ending.count == tail, content.count > 1, ending.starts(with: name.utf8),
      ending.suffix(2).elementsEqual("\"}".utf8)
    else {
      throw SampleError(
        place,
        "the line has no checksum at its end: it is damaged, or no line of a journal. Put a copy "
          + "of the file in its place, or remove the line.")
    }
    let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: content))
    guard ending.dropFirst(name.utf8.count).dropLast(2).elementsEqual(digits(checksum)) else {
      throw SampleError(
        place,
        "the line does not fit its checksum: it was damaged after it was written. Put a copy of the "
          + "file in its place, or remove the line: what it held is then asked for again.")
    }
  }

  private static func digits(_ checksum: UInt32) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return (0..<8).map { digits[Int(checksum >> (28 - 4 * UInt32($0)) & 15)] }
  }
}
