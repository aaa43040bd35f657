import Foundation
import Storage

/// The folder of a sampling run, to be read: what was asked, and every answer.
///
///     identity.json    what the samples depend on: teacher, settings, problems
///     recipe.json      all that was asked for
///     problems.jsonl   the problems, one object in each line
///     samples.jsonl    the answers, a journal of `SampleRecord`
///     failures.jsonl   questions without an answer, a journal
///
/// or folders `shard-0-of-4` and so on, each with these files. It may be read while it is written.
public struct SampleFolder: Sendable {
  /// A folder with the files above.
  public struct Shard: Sendable {
    public let path: String
    /// Its number, from 0, and of how many; nil for a run that is not divided.
    public let number: (index: Int, count: Int)?
    public let identity: JSONObject

    public var problemsPath: String { path + "/problems.jsonl" }
    public var samplesPath: String { path + "/samples.jsonl" }
    public var failuresPath: String { path + "/failures.jsonl" }

    let samples: SampleLines
  }

  /// Where a record is.
  public struct Place: Hashable, Sendable {
    /// The shard, as `shards` counts them.
    public var shard: Int
    /// The record's line in the shard's samples, without the line feed, in bytes.
    public var offset: Int
    public var length: Int

    public init(shard: Int, offset: Int, length: Int) {
      self.shard = shard
      self.offset = offset
      self.length = length
    }
  }

  public let path: String
  /// In the order of their numbers; one for a run that is not divided.
  public let shards: [Shard]
  /// The numbers of shards that are not there.
  public let missingShards: [Int]

  /// Opens the folder of a run.
  ///
  /// - Throws: `SampleError` if it is none, or its shards are of different runs.
  public init(at path: String) throws(SampleError) {
    self.path = path
    let names: [String]
    do throws(FileError) { names = try Storage.names(inFolder: path) } catch {
      throw SampleError(error)
    }
    if names.contains("identity.json") {
      shards = [try Self.shard(at: path, nil)]
      missingShards = []
      return
    }
    var found: [(index: Int, count: Int, name: String)] = []
    for name in names {
      if let (index, count) = Self.shardNumber(name) { found.append((index, count, name)) }
    }
    guard let count = found.first?.count else {
      throw SampleError(
        path,
        "no folder of samples: it has neither 'identity.json' nor folders 'shard-0-of-2'. Name the "
          + "'output' of the recipe that the samples were drawn with.")
    }
    if let other = found.first(where: { $0.count != count }) {
      throw SampleError(
        path,
        "it has shards of \(count) and of \(other.count), which are different runs. Move one of "
          + "them away.")
    }
    found.sort { $0.index < $1.index }
    var shards: [Shard] = []
    for (index, _, name) in found {
      shards.append(try Self.shard(at: path + "/" + name, (index, count)))
    }
    self.shards = shards
    let present = Set(found.map(\.index))
    missingShards = (0..<count).filter { !present.contains($0) }
    for shard in shards.dropFirst() {
      guard let name = Self.difference(shards[0].identity, shard.identity) else { continue }
      throw SampleError(
        shard.path,
        "its \(quoted(name)) is another than that of \(shards[0].path): they are different runs. "
          + "Move one of them away.")
    }
  }

  private static func shard(
    at path: String, _ number: (index: Int, count: Int)?
  ) throws(SampleError) -> Shard {
    let identityPath = path + "/identity.json"
    let value: JSONValue
    do {
      let file = try MappedFile(at: identityPath)
      value = try withExtendedLifetime(file) {
        try JSONValue(parsing: file.bytes, source: identityPath, limits: JSONLimits(bytes: 4 << 20))
      }
    } catch {
      throw SampleError(error)
    }
    guard case .object(let identity) = value else {
      throw SampleError(identityPath, "an object must stand there.")
    }
    return Shard(
      path: path, number: number, identity: identity,
      samples: try SampleLines(at: path + "/samples.jsonl"))
  }

  /// The name of a shard's folder.
  public static func shardName(_ index: Int, of count: Int) -> String {
    "shard-\(index)-of-\(count)"
  }

  /// Its number, from the name of its folder.
  static func shardNumber(_ name: String) -> (index: Int, count: Int)? {
    let parts = name.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
      .map { String(decoding: Array($0), as: UTF8.self) }
    guard parts.count == 4, let index = Int(parts[1]), let count = Int(parts[3]), index >= 0,
      index < count, count <= mostShards, name.utf8.elementsEqual(shardName(index, of: count).utf8)
    else { return nil }
    return (index, count)
  }

  public static let mostShards = 10_000

  /// The first member in which two identities differ; the shard's own number is not looked at.
  private static func difference(_ a: JSONObject, _ b: JSONObject) -> String? {
    let names = a.members.map(\.key) + b.members.map(\.key)
    return names.first { !["shard", "toolkit"].contains($0) && a[$0] != b[$0] }
  }

  // MARK: Reading

  /// Calls `body` with every record, shard by shard in the order of the files.
  ///
  /// A record that comes twice, in one file or in two, comes once. Memory: about 50 bytes a record,
  /// while this runs.
  ///
  /// - Throws: `SampleError` for a damaged line, or for two records with one key and different
  ///   content; what `body` throws.
  public func forEachRecord(_ body: (SampleRecord, Place) throws -> Void) throws {
    var seen = SampleKeys()
    for (index, shard) in shards.enumerated() {
      try shard.samples.forEach { line, range, number in
        let place = "\(shard.samplesPath):\(number)"
        let record = try SampleRecord(JournalLine.decoded(line, place: place), place: place)
        let here = Place(shard: index, offset: range.lowerBound, length: range.count)
        if let first = seen.insert(record.key, here) {
          let other = try self.record(at: first)
          if other == record { return }
          if other.key == record.key {
            let number = shards[first.shard].samples.number(at: first.offset)
            throw SampleError(
              place,
              "the sample \(record.sample) of problem \(quoted(record.problem)) is another than in "
                + "\(shards[first.shard].samplesPath):\(number), although both have one key. Remove "
                + "one of the lines.")
          }
        }
        try body(record, here)
      }
    }
  }

  /// Reads one record again.
  ///
  /// - Throws: `SampleError` if the file has no such record there.
  public func record(at place: Place) throws(SampleError) -> SampleRecord {
    guard shards.indices.contains(place.shard), place.length >= 0 else {
      throw SampleError(path, "there is no shard \(place.shard).")
    }
    let shard = shards[place.shard]
    let name = "\(shard.samplesPath), byte \(place.offset)"
    let (end, overflows) = place.offset.addingReportingOverflow(place.length)
    guard !overflows, place.offset >= 0 else {
      throw SampleError(name, "the file has no record there.")
    }
    let object = shard.samples.withLine(place.offset..<end) {
      line -> Result<JSONObject, SampleError> in
      do throws(SampleError) {
        return .success(try JournalLine.decoded(line, place: name))
      } catch {
        return .failure(error)
      }
    }
    guard let object else { throw SampleError(name, "the file has no record there.") }
    return try SampleRecord(object.get(), place: name)
  }

  /// Calls `body` with every problem as JSON, and its file and line.
  ///
  /// - Throws: `SampleError` for what is no JSON; what `body` throws.
  public func forEachProblem(_ body: (JSONValue, _ place: String) throws -> Void) throws {
    for shard in shards {
      try SampleLines(at: shard.problemsPath).forEach { line, _, number in
        let place = "\(shard.problemsPath):\(number)"
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: line, source: place) } catch {
          throw SampleError(place, "column \(error.column): \(error.message)")
        }
        try body(value, place)
      }
    }
  }
}

/// Which keys were seen, and where: half of each key is kept.
private struct SampleKeys {
  private struct Half: Hashable {
    let high: UInt64
    let low: UInt64
  }

  private var places: [Half: (offset: UInt64, length: UInt32)] = [:]

  /// Returns where a key was seen before; else takes it.
  mutating func insert(_ key: String, _ place: SampleFolder.Place) -> SampleFolder.Place? {
    func word(_ digits: Substring.UTF8View) -> UInt64 {
      digits.reduce(0) { $0 << 4 | UInt64($1 < 0x3A ? $1 &- 0x30 : $1 &- 0x57) & 15 }
    }
    let digits = key.utf8
    let middle = digits.index(digits.startIndex, offsetBy: 16)
    let end = digits.index(middle, offsetBy: 16)
    let half = Half(
      high: word(key[..<middle].utf8), low: word(key[middle..<end].utf8))
    if let (offset, length) = places[half] {
      return SampleFolder.Place(
        shard: Int(offset >> 48), offset: Int(offset & 0xFFFF_FFFF_FFFF), length: Int(length))
    }
    places[half] = (
      UInt64(place.shard) << 48 | UInt64(place.offset) & 0xFFFF_FFFF_FFFF,
      UInt32(clamping: place.length)
    )
    return nil
  }
}
