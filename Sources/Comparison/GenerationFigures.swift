import Models
import Storage
import Teachers

/// What a run of `generate` took, from its samples.
enum GenerationFigures {
  /// - Throws: `SampleError`, `FileError` for a damaged folder.
  static func read(_ path: String) throws -> RunFigures {
    let folder = try SampleFolder(at: path)
    var tokens = KnownSum()
    var estimated = 0
    var busy = [[(start: Double, end: Double)]](repeating: [], count: folder.shards.count)
    var isTimed = true
    try folder.forEachRecord { record, place in
      let answer = record.answer
      if answer.completionTokens == nil { estimated += 1 }
      tokens.add(Double(answer.completionTokens ?? estimate(answer)))
      guard let end = time(record.time), (0...1e9).contains(answer.seconds) else {
        isTimed = false
        return
      }
      busy[place.shard].append((end - answer.seconds, end))
    }
    var figures = RunFigures(kind: .generation)
    figures.sampledTokens = tokens.value
    // Shards may run on machines of their own.
    figures.seconds = isTimed ? busy.reduce(0) { $0 + covered($1) } : nil
    figures.parameters = parameters(ofTeacherIn: folder)
    if estimated > 0 {
      figures.remarks.append(
        "\(path): the teacher did not tell the tokens of \(estimated) answers, which are taken to be "
          + "four bytes each.")
    }
    if !folder.missingShards.isEmpty {
      let numbers = folder.missingShards.prefix(10).map(String.init).joined(separator: ", ")
      figures.remarks.append(
        "\(path): \(folder.missingShards.count) of its shards aren't there (\(numbers)), and not "
          + "counted.")
    }
    return figures
  }

  private static func estimate(_ answer: TeacherAnswer) -> Int {
    ((answer.reasoning?.utf8.count ?? 0) + answer.content.utf8.count + 3) / 4
  }

  /// How long at least one question was under way: what pauses between sessions don't lengthen, and
  /// questions at the same time count once.
  static func covered(_ spans: [(start: Double, end: Double)]) -> Double {
    var total = 0.0
    var last = -Double.infinity
    for span in spans.sorted(by: { $0.start < $1.start }) where span.end > last {
      total += span.end - max(span.start, last)
      last = span.end
    }
    return total
  }

  /// Of a checkpoint on this machine that is still the one which sampled; nil otherwise.
  private static func parameters(ofTeacherIn folder: SampleFolder) -> Int? {
    guard let shard = folder.shards.first, let recipe = RunFile.object(shard.path + "/recipe.json"),
      case .object(let teacher)? = recipe["teacher"], case .object(let local)? = teacher["local"],
      case .string(let path)? = local["checkpoint"], let checkpoint = try? Checkpoint(at: path),
      case .object(let identity)? = shard.identity["teacher"],
      identity["weights"] == .string(checkpoint.fingerprint)
    else { return nil }
    return checkpoint.configuration.parameterCount
  }

  /// Seconds since 1970 of a time as records have it, `2025-01-20T08:05:09.123Z`; nil for another
  /// form. Days are counted as in Hinnant, "chrono-Compatible Low-Level Date Algorithms".
  static func time(_ text: String) -> Double? {
    let bytes = Array(text.utf8)
    guard bytes.count == 24 else { return nil }
    let form = Array("dddd-dd-ddTdd:dd:dd.dddZ".utf8)
    for (byte, wanted) in zip(bytes, form) {
      let isDigit = (0x30...0x39).contains(byte)
      guard wanted == UInt8(ascii: "d") ? isDigit : byte == wanted else { return nil }
    }
    func number(_ range: Range<Int>) -> Int { bytes[range].reduce(0) { $0 * 10 + Int($1) - 0x30 } }
    let (month, day) = (number(5..<7), number(8..<10))
    guard (1...12).contains(month), (1...31).contains(day) else { return nil }
    let year = number(0..<4) - (month <= 2 ? 1 : 0)
    // Years before 0 would need the era rounded down.
    guard year >= 0 else { return nil }
    let (era, yearOfEra) = (year / 400, year % 400)
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let days =
      era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    let seconds = number(11..<13) * 3_600 + number(14..<16) * 60 + number(17..<19)
    return Double(days * 86_400 + seconds) + Double(number(20..<23)) / 1_000
  }
}

/// Small files of runs.
enum RunFile {
  /// The JSON object in a file; nil if there is none that can be read.
  static func object(_ path: String) -> JSONObject? {
    guard let file = try? MappedFile(at: path) else { return nil }
    return withExtendedLifetime(file) {
      let limits = JSONLimits(bytes: 4 << 20)
      guard
        case .object(let object)? = try? JSONValue(
          parsing: file.bytes, source: path, limits: limits)
      else { return nil }
      return object
    }
  }
}
