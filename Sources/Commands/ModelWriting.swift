import Foundation
import Interface
import Models
import Safetensors
import Storage
import Tensors

/// A model that is written tensor by tensor, so that it never has to fit into memory.
///
/// The folder has the same bytes as one that `Checkpoint.save` writes from a decoder with the same
/// weights, and like that appears whole or not at all.
struct ModelWriting {
  /// What is to be written, but for its dtype.
  let configuration: ModelConfiguration
  let path: String
  /// A folder whose tokenizer, generation settings and licence are carried along.
  let origin: String?
  /// A second folder that is read, whose files come in place of the origin's; see `CarriedFiles`.
  var adapter: String? = nil
  let options: Checkpoint.SavingOptions

  /// What was written.
  struct Result {
    let carried: [String]
    let files: Int
    let bytes: Int
  }

  /// Puts elements `range` of a tensor, as float32, where the pointer leads.
  typealias Fill = (_ range: Range<Int>, _ to: UnsafeMutablePointer<Float>) throws -> Void

  /// Checks everything that can be known before, then writes.
  ///
  /// - Parameter fill: What fills the tensor with this index among the configuration's parameters.
  /// - Throws: `CommandError`, or an error of the modules below, each with its own sentence.
  func run(
    on console: Console, fill: @escaping (Int, ParameterShape) throws -> Fill
  ) throws -> Result {
    let configuration = try configuration.replacing(
      dtype: options.dtype, source: path + "/config.json")
    let carried = try CarriedFiles(from: origins)
    try checkPlace(carried)
    for note in carried.notes { console.note("Note: \(note)") }
    var folder = try startFolder()
    for (name, path) in carried.files {
      // An empty file can't be mapped.
      guard sizeOfFile(path) != 0 else {
        try folder.write(Data(), as: name)
        continue
      }
      let file = try MappedFile(at: path)
      try withExtendedLifetime(file) { try folder.write(Data(file.bytes), as: name) }
    }
    try folder.write(
      JSONValue.object(configuration.json).serialized(pretty: true), as: "config.json")

    let progress = ByteProgress(total: configuration.bytesToRun(in: options.dtype), console)
    let type: SafetensorsType = options.dtype == .float32 ? .f32 : .bf16
    let tensors = configuration.parameters.enumerated().map { index, parameter in
      TensorSource(parameter.name, type, parameter.shape) { emit in
        try write(parameter, as: type, fill: try fill(index, parameter)) { bytes in
          try emit(bytes)
          progress.advance(by: bytes.count)
        }
      }
    }
    try TensorFolder.write(
      tensors, to: folder.partialPath, maximumShardBytes: options.maximumShardBytes)
    try folder.commit()
    progress.finish()

    let written = try Checkpoint(at: path).tensors.files
    return Result(
      carried: carried.files.map(\.name), files: written.count,
      bytes: written.reduce(0) { $0 + (sizeOfFile($1.path) ?? 0) })
  }

  private func write(
    _ parameter: ParameterShape, as type: SafetensorsType, fill: Fill, _ emit: TensorSource.Emit
  ) throws {
    let part = Tensor(uninitialized: [min(parameter.count, Self.partCount)])
    var words = [UInt16](repeating: 0, count: type == .bf16 ? part.count : 0)
    for start in stride(from: 0, to: parameter.count, by: part.count) {
      let count = min(part.count, parameter.count - start)
      try fill(start..<start + count, part.pointer)
      if type == .f32 {
        try emit(UnsafeRawBufferPointer(UnsafeBufferPointer(start: part.pointer, count: count)))
        continue
      }
      try words.withUnsafeMutableBufferPointer { words in
        guard let base = words.baseAddress else { return }
        kernels.bfloat16_from_float(base, part.pointer, Int64(count))
        guard words.prefix(count).allSatisfy({ $0 & 0x7f80 != 0x7f80 }) else {
          throw CommandError(
            "\(path): '\(parameter.name)' holds a number that is too large for bfloat16. "
              + "Write it as float32.")
        }
        try emit(UnsafeRawBufferPointer(UnsafeBufferPointer(start: base, count: count)))
      }
    }
  }

  /// Elements that are converted at a time.
  private static let partCount = 1 << 20

  // MARK: - Before the work

  private var origins: [String] { [origin, adapter].compactMap { $0 } }

  private func checkPlace(_ carried: CarriedFiles) throws {
    if let here = try? resolvedPath(path) {
      for origin in origins where try resolvedPath(origin) == here {
        throw CommandError("\(path): the folder that is read. Choose another one to write.")
      }
    }
    let carriedBytes = carried.files.reduce(0) { $0 + (sizeOfFile($1.path) ?? 0) }
    if let error = spaceError(
      at: path, needed: configuration.bytesToRun(in: options.dtype) + carriedBytes,
      free: freeBytes(inFolder: folder(of: path)))
    {
      throw error
    }
  }

  private func startFolder() throws -> AtomicFolder {
    guard !options.replacing else { return try AtomicFolder(at: path, replacing: Self.isOwn) }
    do throws(FileError) {
      return try AtomicFolder(at: path)
    } catch {
      guard error.reason == .exists else { throw error }
      throw CommandError(
        "\(path): the folder is not empty. Choose another name, or add '--replace'.")
    }
  }

  /// The files that `Checkpoint.save` writes: no others are lost when a folder is replaced.
  private static func isOwn(_ name: String) -> Bool {
    Checkpoint.isCarried(name) || name == "config.json" || name == "model.safetensors"
      || name == "model.safetensors.index.json"
      || (name.hasPrefix("model-") && name.hasSuffix(".safetensors"))
  }
}

/// Why a model can't be written where there is not enough space; nil where there is, or where it
/// is not known.
func spaceError(at path: String, needed: Int, free: Int?) -> CommandError? {
  guard let free, free < needed else { return nil }
  return CommandError(
    "\(path): \(byteText(needed)) are to be written, but \(byteText(free)) are free on that disk. "
      + "Free some, or choose another place.")
}

/// The folder that a path leads to a name in.
///
/// Foundation's own way to it (of Swift 6.3 on Linux) stops the program for names of one letter.
func folder(of path: String) -> String {
  let name = path.reversed().drop { $0 == "/" }
  let parent = String(name.drop { $0 != "/" }.reversed())
  return parent.isEmpty ? "." : parent
}

/// The bytes that the disk has left for files of this user; nil if that can't be told.
func freeBytes(inFolder path: String) -> Int? {
  let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
  return (attributes?[.systemFreeSize] as? NSNumber)?.intValue
}

/// Progress in MiB, told in bytes.
private final class ByteProgress {
  private let line: ProgressLine
  private var bytes = 0

  init(total: Int, _ console: Console) {
    line = ProgressLine(total: total >> 20, unit: "MiB", console: console)
  }

  func advance(by count: Int) {
    let before = bytes >> 20
    bytes += count
    line.advance(by: (bytes >> 20) - before)
  }

  func finish() { line.finish() }
}

extension ModelWriting.Result {
  /// What to print: the folder, and what is in it.
  func text(at path: String, _ configuration: ModelConfiguration, as dtype: StoredType) -> String {
    let parameters = exactText(configuration.parameterCount)
    let lines =
      "\(path): \(parameters) parameters as \(dtype.rawValue), \(byteText(bytes)) in "
      + "\(countedText(files, "file"))."
    return carried.isEmpty ? lines : lines + "\nCarried along: \(listText(carried))."
  }
}
