import Foundation
import Interface
import Storage
import Tensors
import Timings

extension Command {
  /// `kernels`: what the machine is and what it does at best.
  static let kernels = Command(
    "kernels", summary: "Shows what this machine computes with, and how fast.",
    discussion: """
      Shows the processor, the instruction set and the OpenBLAS that are in use, and measures in \
      about a second how many operations a core and all threads do at best and how fast they read \
      memory. Training comes to a fraction of these. Run it while nothing else runs.

      DISTILL_ISA chooses another instruction set, by a name that is printed in brackets.
      """,
    example: "distill kernels\ndistill kernels --threads 4 --json",
    takes: json,
    run: prepared { arguments, console in
      let report = try KernelReport()
      console.print(arguments[json] ? report.json.printed : report.text)
    })

  private static let json = Flag("json", help: "Print JSON, with rates per second.")
}

/// What `distill kernels` says, as text and as JSON.
struct KernelReport {
  let processor: String
  let cores: Int
  let inUse: InstructionSet
  let available: [InstructionSet]
  /// The version and the kernels, or a sentence about why there is none.
  let openBLAS: Result<Library, OpenBLAS.Missing>
  let ceilings: Ceilings

  struct Library {
    let version: String
    let core: String

    /// The number of the version; what follows it are options of the build.
    var number: String {
      let words = version.split(separator: " ")
      return words.first == "OpenBLAS" && words.count > 1 ? String(words[1]) : version
    }
  }
}

extension KernelReport {
  /// A report on this machine; without ceilings it measures for about a second.
  ///
  /// - Throws: `InstructionSetError` for a wrong `DISTILL_ISA`.
  init(_ ceilings: Ceilings = Ceilings.measure()) throws {
    self.init(
      processor: processorName(), cores: ProcessInfo.processInfo.activeProcessorCount,
      inUse: try InstructionSet.chosen(), available: InstructionSet.available,
      openBLAS: OpenBLAS.shared.map { Library(version: $0.version, core: $0.core) },
      ceilings: ceilings)
  }

  var text: String {
    let library =
      switch openBLAS {
      case .success(let library): "\(library.number), with its kernels for \(library.core)"
      case .failure(let missing): missing.description
      }
    let facts = [
      ("Processor", "\(processor), \(countedText(cores, "core"))"),
      ("Instruction set", "\(inUse.name) (\(inUse.key))"),
      ("Available", listText(available.map { "\($0.name) (\($0.key))" })),
      ("OpenBLAS", library),
      ("Threads", "\(ceilings.threads)"),
    ]
    return "\(factLines(facts))\n\n\(table)"
  }

  private var table: Table {
    let isParallel = ceilings.threads > 1
    var columns: [Table.Column] = [.left("at best"), .right("1 thread")]
    if isParallel { columns.append(.right("\(ceilings.threads) threads")) }
    var table = Table(columns)
    func add(_ name: String, _ one: Double, _ all: Double, _ unit: String) {
      let cells = [name, rate(one, unit)] + (isParallel ? [rate(all, unit)] : [])
      table.append(cells)
    }
    add("float32 operations", ceilings.float32PerCore, ceilings.float32, "GFLOP/s")
    add("bfloat16 operations", ceilings.bfloat16PerCore, ceilings.bfloat16, "GFLOP/s")
    add("memory read", ceilings.readPerCore, ceilings.read, "GB/s")
    return table
  }

  private func rate(_ perSecond: Double, _ unit: String) -> String {
    String(format: "%.1f", perSecond / 1e9) + " \(unit)"
  }

  /// Rates are in operations and bytes per second.
  var json: JSONValue {
    let library: JSONValue =
      switch openBLAS {
      case .success(let library):
        .members([("version", .string(library.version)), ("core", .string(library.core))])
      case .failure: .null
      }
    return .members([
      ("processor", .string(processor)), ("cores", .count(cores)),
      ("instructionSet", .string(inUse.key)),
      ("instructionSets", .array(available.map { .string($0.key) })),
      ("openBLAS", library), ("threads", .count(ceilings.threads)),
      ("float32PerCore", .measure(ceilings.float32PerCore)),
      ("float32", .measure(ceilings.float32)),
      ("bfloat16PerCore", .measure(ceilings.bfloat16PerCore)),
      ("bfloat16", .measure(ceilings.bfloat16)),
      ("readPerCore", .measure(ceilings.readPerCore)), ("read", .measure(ceilings.read)),
    ])
  }
}
