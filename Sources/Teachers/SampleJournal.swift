import Foundation
import Storage

/// A journal of lines with checksums, such as `samples.jsonl`.
///
/// A line is written with one call. What a killed process left unfinished is cut off when the journal
/// is opened; a line that is whole and does not fit its checksum is an error wherever it stands, since
/// it was promised to somebody. Lines reach the disk by `synchronize`, which every so many lines and
/// seconds call. Only one process may have a journal open. Safe to use from several threads.
public final class SampleJournal: @unchecked Sendable {
  /// When lines are brought to the disk: what a loss of power may cost at most.
  public struct Durability: Codable, Equatable, Sendable {
    /// After so many lines.
    public var records: Int
    /// After so many seconds, once there is a line.
    public var seconds: Double

    public init(records: Int = 64, seconds: Double = 5) {
      self.records = records
      self.seconds = seconds
    }
  }

  public let path: String
  private let journal: Journal
  private let durability: Durability
  private let lock = NSLock()
  private var unsynced = 0
  private var oldest = DispatchTime.now()

  /// Opens a journal, or begins one.
  ///
  /// - Parameter line: Called with each object there is, its line's number from 1, and where in the
  ///   file that stands, in bytes.
  /// - Throws: `FileError` if it can't be read or written, or another process has it open;
  ///   `SampleError` for a damaged line; what `line` throws.
  public init(
    at path: String, durability: Durability = Durability(),
    reading line: (_ object: JSONObject, _ number: Int, _ range: Range<Int>) throws -> Void
  ) throws {
    self.path = path
    self.durability = durability
    var start = 0
    journal = try Journal(at: path) { bytes, number in
      let range = start..<start + bytes.count
      start = range.upperBound + 1
      try line(JournalLine.decoded(bytes, place: "\(path):\(number)"), number, range)
    }
  }

  /// Appends an object, which has a member at least.
  ///
  /// - Throws: `FileError` if there is no space or the disk fails; the journal then has no part of it.
  public func append(_ object: JSONObject) throws(FileError) {
    try journal.append(JournalLine.encoded(object))
    lock.withLock {
      if unsynced == 0 { oldest = .now() }
      unsynced += 1
    }
    try synchronizeIfDue()
  }

  /// Appends a record; see `append` of an object.
  public func append(_ record: SampleRecord) throws(FileError) { try append(record.json) }

  /// Brings lines to the disk if enough of them, or old ones, have not been.
  ///
  /// - Throws: `FileError` if the disk fails.
  public func synchronizeIfDue() throws(FileError) {
    let isDue = lock.withLock {
      let age = Double(DispatchTime.now().uptimeNanoseconds &- oldest.uptimeNanoseconds) / 1e9
      return unsynced >= max(1, durability.records) || unsynced > 0 && age >= durability.seconds
    }
    if isDue { try synchronize() }
  }

  /// Waits until every line is on the disk.
  ///
  /// - Throws: `FileError` if the disk fails.
  public func synchronize() throws(FileError) {
    try journal.synchronize()
    lock.withLock { unsynced = 0 }
  }
}
