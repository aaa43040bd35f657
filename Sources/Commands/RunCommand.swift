import Foundation
import Interface
import Pipelines

extension Command {
  /// `run`: the stages of a folder, one after the other.
  static let wholeRun = Command(
    "run", summary: "Runs the numbered recipes of a folder in order.",
    discussion: """
      Runs '1-….json5', '2-….json5' and so on, each by the command of its kind, after all of them were \
      checked. A stage runs only if its recipe, the program, or the content of a file that it reads \
      changed since it was made; what it made before is then moved aside to '….earlier-1'. Without a \
      folder it is the tiny experiment: that of the package where the current folder has it, else a \
      copy in './\(TinyExperiment.folder)'.

      Stopped at any moment (Ctrl-C, SIGTERM, or a kill), the same command goes on; after Ctrl-C or \
      SIGTERM the program ends with status \(stoppedStatus). Paths in recipes start from the current \
      folder. Beside what the first stage makes, the folder '<name>-run' keeps the record of the run, \
      and in the end 'report.html' with times, memory and the pages of the stages.
      """,
    example: """
      distill run
      distill run Recipes/tiny --list
      distill run Recipes/tiny --from 3
      """,
    takes: folder, from, only, again, list, json,
    run: prepared { arguments, console in
      var (folder, base) = (arguments[Self.folder] ?? TinyExperiment.recipes, "")
      if arguments[Self.folder] == nil, !FileManager.default.fileExists(atPath: folder) {
        base = TinyExperiment.folder
        folder = base + "/" + folder
        if try TinyExperiment.layOut(in: base) > 0 {
          console.note("The tiny experiment is in './\(base)'; there it can be changed.")
        }
      }
      let plan = try PipelinePlan(
        folder: folder, base: base, kinds: StageKind.all,
        choice: .init(from: arguments[from], only: arguments[only], again: arguments[again]))
      let pipeline = Pipeline(plan, version: Program.distillVersion)
      if arguments[list] {
        let decisions = try pipeline.decisions()
        return console.print(
          arguments[json]
            ? PipelineSummary.listJSON(plan, decisions) : PipelineSummary.list(plan, decisions))
      }
      let process = StageProcess(
        executable: try programPath(), folder: base,
        columns: console.isTerminal ? console.columns : nil)
      // The stage itself says that it is stopping.
      let stop = StopSignal()
      let options = arguments[threads].map { ["--threads", "\($0)"] } ?? []
      let summary = try pipeline.run(
        display: PipelineDisplay(plan, on: console), isStopped: { stop.isRaised }
      ) { stage, observer in
        // The stage's own folder is that from which its paths start.
        let path =
          base.isEmpty ? stage.file.path : String(stage.file.path.dropFirst(base.utf8.count + 1))
        return try process.run([stage.kind.command ?? "", path] + options, observer)
      }
      try summary.writePage(version: Program.distillVersion)
      console.print(arguments[json] ? summary.json : summary.text)
      if !base.isEmpty { console.note("Paths in recipes, and those above, start in './\(base)'.") }
    })

  private static let folder = OptionalPositional(
    "folder", help: "A folder of numbered recipes; without it, the tiny experiment.")
  private static let from = Option(
    "from", "stage",
    help: "Begin with this stage, by number or name; those before are as they are.",
    .texts)
  private static let only = Option(
    "only", "stage", help: "Look at this stage only.", .texts)
  private static let again = RepeatedOption(
    "again", "stage", help: "Run this stage although nothing changed; may be repeated.", .texts)
  private static let list = Flag("list", help: "Say what would run, and why; run nothing.")
  private static let json = Flag("json", help: "Print what was done as JSON.")
}

extension Console {
  /// The console of the program: its standard output and errors, or, where it is a stage of a whole
  /// run, what that run shows.
  public static func ofThisProcess() -> Console {
    ThisProcess.isProgram.set()
    return StageChild.console() ?? .standard()
  }
}

/// Whether this process is the program itself, whatever its file is called, and not its tests.
private enum ThisProcess {
  static let isProgram = Switch()

  final class Switch: @unchecked Sendable {
    private let lock = NSLock()
    private var isOn = false

    func set() { lock.withLock { isOn = true } }
    var isSet: Bool { lock.withLock { isOn } }
  }
}

/// The file of this program, which stages are started from.
///
/// - Throws: `CommandError` if it is not to be found.
private func programPath() throws(CommandError) -> String {
  let name = "distill"
  let own = Bundle.main.executablePath ?? CommandLine.arguments.first ?? ""
  if ThisProcess.isProgram.isSet {
    #if os(Linux)
      // The program that runs, also where its file was replaced meanwhile.
      if access("/proc/self/exe", X_OK) == 0 { return "/proc/self/exe" }
    #endif
    return own
  }
  // Another program that has these commands, such as their tests: it lies beside that one.
  let folders = [own] + Bundle.allBundles.map(\.bundlePath)
  let places = folders.map {
    URL(fileURLWithPath: $0).deletingLastPathComponent().appendingPathComponent(name).path
  }
  if let place = places.first(where: { FileManager.default.isExecutableFile(atPath: $0) }) {
    return place
  }
  throw CommandError(
    "The file of the program 'distill' is not found, from which stages are started.")
}
