import Datasets
import Foundation
import Storage
import Verification

/// The problems of one file, read one at a time.
public struct ProblemFile: Sendable {
  public let source: ProblemSource
  /// How the records are read: as the source says, or as the first one's keys tell.
  public let form: ProblemForm
  /// The number of problems.
  public let count: Int
  private let records: Records
  /// The records within the source's window; nil for all.
  private let chosen: [Int]?

  private enum Records: Sendable {
    case file(RecordFile)
    case table([(object: JSONObject, line: Int)])
  }

  /// The most bytes of a packed file, unpacked.
  public static let mostUnpackedBytes = 1 << 30

  /// Where the source has a window of days, all records are read at once for their dates.
  ///
  /// - Throws: `ProblemError` for a file that can't be read or holds nothing, a first record whose keys
  ///   tell no form, a window that can't be, a record without a date under one, or none within it.
  public init(_ source: ProblemSource) throws(ProblemError) {
    self.source = source
    if let limit = source.limit, limit < 1 {
      throw ProblemError(source.path, "'limit' is \(limit); it must be 1 at least.")
    }
    if let finding = source.released?.finding {
      throw ProblemError(source.path, "'released\(finding)")
    }
    records = try Self.records(source)
    let all: Int
    switch records {
    case .file(let file): all = file.count
    case .table(let rows): all = rows.count
    }
    guard all > 0 else { throw ProblemError(source.path, "it holds no problems.") }
    chosen = try Self.chosen(all, records, source)
    let available = chosen?.count ?? all
    count = min(available, source.limit ?? available)
    let (first, place) = try Self.record(0, records, source)
    if let named = source.form {
      form = named
    } else {
      form = try ProblemRecord(first, place: place, source).form()
    }
  }

  private static func chosen(
    _ count: Int, _ records: Records, _ source: ProblemSource
  ) throws(ProblemError) -> [Int]? {
    guard let window = source.released else { return nil }
    var chosen: [Int] = []
    for index in 0..<count {
      let (object, place) = try record(index, records, source)
      let day = try ProblemRecord(object, place: place, source).day(isNeeded: true)
      if let day, window.contains(day) { chosen.append(index) }
    }
    guard !chosen.isEmpty else {
      throw ProblemError(
        source.path,
        "none of its \(count) problems was released \(window.words). Change 'released'.")
    }
    return chosen
  }

  private static func records(_ source: ProblemSource) throws(ProblemError) -> Records {
    let path = source.path
    do {
      let file = try MappedFile(at: path)
      return try withExtendedLifetime(file) {
        let isTable = source.fileName.lowercased().hasSuffix(".csv")
        if Gzip.isPacked(file.bytes) {
          let bytes = try Gzip.unpacked(file.bytes, source: path, limit: mostUnpackedBytes)
          return .file(try unpacked(bytes, path))
        }
        if isTable { return .table(try TableFile(file.bytes, path: path).rows) }
        return .file(try RecordFile(at: path))
      }
    } catch let error as ProblemError {
      throw error
    } catch let error as DatasetError where error.message == "it holds no samples." {
      throw ProblemError(path, "it holds no problems.")
    } catch {
      throw ProblemError(error)
    }
  }

  /// A file without a name that has the bytes.
  private static func unpacked(_ bytes: [UInt8], _ path: String) throws -> RecordFile {
    let folder = FileManager.default.temporaryDirectory.path
    let copy = folder + "/problems-" + UUID().uuidString
    try AtomicFile.write(Data(bytes), to: copy)
    defer { unlink(copy) }
    return try RecordFile(at: copy, named: path)
  }

  private static func record(
    _ index: Int, _ records: Records, _ source: ProblemSource
  ) throws(ProblemError) -> (JSONObject, place: String) {
    switch records {
    case .table(let rows): return (rows[index].object, "\(source.path):\(rows[index].line)")
    case .file(let file):
      let place = file.place(of: index)
      do throws(DatasetError) {
        return (try file.record(index).object, place)
      } catch {
        // MBPP+ has what Python writes for NaN.
        guard
          case .object(let object) = try? ProgramTask.row(
            Data(file.text(of: index)), source: place)
        else { throw ProblemError(error) }
        return (object, place)
      }
    }
  }

  /// Reads a problem.
  ///
  /// - Throws: `ProblemError`: `file:line: what was found, and what to do.`
  public func problem(_ index: Int) throws(ProblemError) -> Problem {
    let index = chosen?[index] ?? index
    let (object, place) = try Self.record(index, records, source)
    return try ProblemRecord(object, place: place, source).problem(form, number: index + 1)
  }
}
