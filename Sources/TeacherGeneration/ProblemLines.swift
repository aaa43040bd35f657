import Foundation
import Problems
import Storage
import Teachers

/// Which part of the problems a process asks: those whose id's SHA-256, as a number, leaves `index`
/// when it is divided by `count`.
public struct ProblemShard: Equatable, Sendable {
  public let index: Int
  public let count: Int

  /// - Throws: `TeacherGenerationError` for a number that is none of them.
  public init(_ index: Int, of count: Int) throws(TeacherGenerationError) {
    guard count >= 1, count <= SampleFolder.mostShards, index >= 0, index < count else {
      throw TeacherGenerationError(
        "Shard \(index) of \(count) can't be: shards are counted from 0, and there may be up to "
          + "\(SampleFolder.mostShards).")
    }
    self.index = index
    self.count = count
  }

  public func contains(_ id: String) -> Bool {
    SHA256.digest(of: id.utf8).reduce(0) { ($0 * 256 + Int($1)) % count } == index
  }
}

/// `problems.jsonl`: written once, whole, and then read a problem at a time.
///
/// Kept of each problem are its place in the file and half of a hash of its id: 20 bytes.
struct ProblemLines {
  let path: String
  private let file: FileHandle
  private let offsets: [UInt64]
  /// The first 64 bits of the SHA-256 of ids, in the order of the file.
  private let hashes: [UInt64]
  /// The problems in the order of their hashes.
  private let order: [UInt32]

  var count: Int { hashes.count }

  /// What was written.
  struct Written {
    /// Of all problems, whatever the shard.
    var count = 0
    /// Problems that are left out because they ask what an earlier one asks, word for word: their
    /// samples would have that one's keys.
    var repeated = 0
    var all = SHA256()
    /// Of those in the file.
    var own = SHA256()
    var ownCount = 0
  }

  /// Reads all files and writes their problems, or those of a shard.
  ///
  /// - Parameter prompt: How they are asked.
  /// - Throws: `TeacherGenerationError` for an id that comes twice or too many problems;
  ///   `ProblemError`, `FileError`.
  static func write(
    _ sources: [ProblemSource], _ prompt: ProblemPrompt, shard: ProblemShard?, to path: String
  ) throws -> Written {
    var written = Written()
    var seen: Set<UInt64> = []
    var asked: Set<UInt64> = []
    // Options in the order of the item: those of samples are never the same for two ids.
    var prompt = prompt
    prompt.optionOrder = nil
    var output = try AtomicFile(at: path)
    var buffer = Data()
    for source in sources {
      let file = try ProblemFile(source)
      for index in 0..<file.count {
        let problem = try file.problem(index)
        if !seen.insert(hash(problem.id.utf8)).inserted { try refuseSecond(problem, sources) }
        let messages = try prompt.messages(for: problem)
        let text = JSONValue.array(messages.map(\.json)).serialized()
        guard asked.insert(hash(text)).inserted else {
          written.repeated += 1
          continue
        }
        var line = problem.json.serialized()
        line.append(0x0A)
        written.count += 1
        // Where the file lies may differ from one machine to the next.
        var placeless = problem
        placeless.place = ""
        placeless.json.serialized().withUnsafeBytes { written.all.update($0) }
        guard shard?.contains(problem.id) ?? true else { continue }
        line.withUnsafeBytes { written.own.update($0) }
        written.ownCount += 1
        buffer += line
        if buffer.count > 1 << 20 {
          try output.write(buffer)
          buffer.removeAll(keepingCapacity: true)
        }
      }
    }
    guard written.count <= Int(UInt32.max) else {
      throw TeacherGenerationError(
        "There are \(written.count) problems; at most \(UInt32.max) can be asked.")
    }
    try output.write(buffer)
    try output.commit()
    return written
  }

  /// Two ids with one hash are most likely the same; the files are read again to see.
  private static func refuseSecond(_ problem: Problem, _ sources: [ProblemSource]) throws {
    for source in sources {
      let file = try ProblemFile(source)
      for index in 0..<file.count {
        let other = try file.problem(index)
        if other.place == problem.place { break }
        guard other.id.utf8.elementsEqual(problem.id.utf8) else { continue }
        throw TeacherGenerationError(
          "\(problem.place): the id \(quoted(problem.id)) is that of \(other.place) too. Give each "
            + "file a 'source' name of its own, or name another key in 'fields.id'.")
      }
    }
    throw TeacherGenerationError(
      "\(problem.place): the id \(quoted(problem.id)) has the hash of another. Change it.")
  }

  /// Opens a file that `write` wrote.
  ///
  /// - Returns: The problems, and the SHA-256 of the file.
  /// - Throws: `TeacherGenerationError` for what is no such file; `FileError`.
  static func open(_ path: String) throws -> (ProblemLines, sha256: String) {
    var offsets: [UInt64] = [0]
    var hashes: [UInt64] = []
    var hash = SHA256()
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw TeacherGenerationError("\(path): the file can't be read.")
    }
    var pending = Data()
    while let part = try file.read(upToCount: 1 << 20), !part.isEmpty {
      part.withUnsafeBytes { hash.update($0) }
      pending += part
      var start = pending.startIndex
      while let feed = pending[start...].firstIndex(of: 0x0A) {
        let place = "\(path):\(offsets.count)"
        let line = Data(pending[start..<feed])
        let members = try JSONMembers(JSONValue(parsing: line, source: place), place: place)
        hashes.append(Self.hash(try members.text("id").utf8))
        start = feed + 1
        offsets.append((offsets.last ?? 0) + UInt64(line.count) + 1)
      }
      pending = Data(pending[start...])
    }
    guard pending.isEmpty, hashes.count <= Int(UInt32.max) else {
      throw TeacherGenerationError("\(path): the file does not end with a line feed.")
    }
    let order = (0..<UInt32(hashes.count)).sorted { hashes[Int($0)] < hashes[Int($1)] }
    return (
      ProblemLines(path: path, file: file, offsets: offsets, hashes: hashes, order: order),
      hash.finalizedText()
    )
  }

  private init(
    path: String, file: FileHandle, offsets: [UInt64], hashes: [UInt64], order: [UInt32]
  ) {
    self.path = path
    self.file = file
    self.offsets = offsets
    self.hashes = hashes
    self.order = order
  }

  private static func hash(_ text: some Sequence<UInt8>) -> UInt64 {
    SHA256.digest(of: text).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Reads a problem.
  func problem(_ index: Int) throws -> Problem {
    let place = "\(path):\(index + 1)"
    try file.seek(toOffset: offsets[index])
    let count = Int(offsets[index + 1] - offsets[index]) - 1
    guard count > 0, let line = try file.read(upToCount: count), line.count == count else {
      throw TeacherGenerationError("\(place): the file was changed while it was in use.")
    }
    return try Problem(JSONValue(parsing: line, source: place), place: place)
  }

  /// The problem of an id; nil if there is none.
  ///
  /// Ids are told apart by 64 bits of their hashes, which `write` found to be different for all.
  func index(of id: String) -> Int? {
    let hash = Self.hash(id.utf8)
    var low = 0
    var high = order.count
    while low < high {
      let middle = (low + high) / 2
      if hashes[Int(order[middle])] < hash { low = middle + 1 } else { high = middle }
    }
    guard low < order.count, hashes[Int(order[low])] == hash else { return nil }
    return Int(order[low])
  }
}
