import Foundation
import Interface
import Storage

/// The stages of a folder, all of them checked before the first begins.
public struct PipelinePlan: Sendable {
  /// The folder of the recipes.
  public let folder: String
  /// Where relative paths in the recipes start from; empty for the current folder.
  public let base: String
  /// All stages, in their order.
  public let stages: [Stage]
  /// Those that are to be looked at.
  public let chosen: Range<Int>
  /// Those that run although nothing changed.
  public let again: Set<Int>

  /// Which of the stages are looked at, by their numbers or names.
  public struct Choice: Sendable {
    public var from: String?
    public var only: String?
    public var again: [String]

    public init(from: String? = nil, only: String? = nil, again: [String] = []) {
      (self.from, self.only, self.again) = (from, only, again)
    }
  }

  /// Reads the recipes of a folder and checks that they fit together.
  ///
  /// - Parameters:
  ///   - kinds: The kinds of recipes that there are.
  ///   - base: Where relative paths in the recipes start from; empty for the current folder.
  /// - Throws: `PipelineError`, with all that is wrong.
  public init(
    folder: String, base: String = "", kinds: [StageKind], choice: Choice = Choice()
  ) throws(PipelineError) {
    var stages: [Stage] = []
    var findings: [String] = []
    let files = try StageFile.all(in: folder)
    for file in files {
      do throws(PipelineError) {
        stages.append(try Stage(file, kinds: kinds, base: base))
      } catch {
        findings += error.findings
      }
    }
    if !findings.isEmpty { throw PipelineError(findings) }
    self.folder = folder
    self.base = base
    self.stages = stages
    let names = { (range: [Int]) in range.map { "'\(stages[$0].name)'" }.joined(separator: ", ") }
    func places(_ word: String, _ option: String) throws(PipelineError) -> [Int] {
      let places = stages.indices.filter {
        stages[$0].name.utf8.elementsEqual(word.utf8)
          || stages[$0].file.path.utf8.elementsEqual(word.utf8) || stages[$0].file.number == word
      }
      if !places.isEmpty { return places }
      throw PipelineError(
        "'--\(option)' is \(quoted(word)), which is no stage of \(printable(folder)). There are "
          + "\(names(Array(stages.indices))).")
    }
    chosen = try { () throws(PipelineError) -> Range<Int> in
      if choice.from != nil, choice.only != nil {
        throw PipelineError("'--from' and '--only' are two choices. Give one of them.")
      }
      if let from = choice.from { return (try places(from, "from").first ?? 0)..<stages.count }
      guard let only = choice.only else { return 0..<stages.count }
      let found = try places(only, "only")
      guard found.count == 1, let place = found.first else {
        throw PipelineError("'--only' is \(quoted(only)), which is \(names(found)). Give a name.")
      }
      return place..<place + 1
    }()
    var again: Set<Int> = []
    for word in choice.again { again.formUnion(try places(word, "again")) }
    self.again = again
    if let outside = again.sorted().first(where: { [chosen] in !chosen.contains($0) }) {
      throw PipelineError(
        "'--again' names '\(stages[outside].name)', which is not among the chosen.")
    }
    findings = outputFindings + chosen.flatMap { inputFindings($0) }
    if !findings.isEmpty { throw PipelineError(findings) }
  }

  /// The folder of the whole run: beside what the first stage makes, by the name of the recipes'
  /// folder with `-run`.
  public var record: String {
    let first = stages.first?.output.path ?? ""
    let name = canonicalPath(folder).split(separator: "/").last.map(String.init) ?? "recipes"
    return holder(of: first) + name + "-run"
  }

  /// The earlier stages that make something of what one reads.
  func sources(of place: Int) -> [Int] {
    (0..<place).filter { earlier in
      stages[place].inputs.contains { $0.overlaps(stages[earlier].output) }
    }
  }

  private var outputFindings: [String] {
    var findings: [String] = []
    let record = StagePath(key: "", text: record, base: "")
    for (place, stage) in stages.enumerated() {
      if stage.output.overlaps(record) {
        findings.append(
          "\(printable(stage.file.path)): '\(stage.output.key)' is \(quoted(stage.output.path)), "
            + "where the whole run keeps its record. Name another folder.")
      }
      for other in stages[..<place] where stage.output.overlaps(other.output) {
        findings.append(
          stage.output.canonical == other.output.canonical
            ? "\(printable(stage.file.path)): '\(stage.output.key)' is "
              + "\(quoted(stage.output.path)), which '\(other.name)' makes too. Name another folder."
            : "\(printable(stage.file.path)): '\(stage.output.key)' is "
              + "\(quoted(stage.output.path)), and that of '\(other.name)' is "
              + "\(quoted(other.output.path)). Name folders that do not lie in one another.")
      }
    }
    return findings
  }

  private func inputFindings(_ place: Int) -> [String] {
    let stage = stages[place]
    let file = printable(stage.file.path)
    var findings: [String] = []
    for input in stage.inputs {
      let what = "\(file): '\(input.key)' is \(quoted(input.path))"
      if let maker = stages.indices.first(where: { stages[$0].output.overlaps(input) }) {
        if maker == place {
          findings.append("\(what), which this recipe itself makes. Name another one.")
        } else if maker > place {
          findings.append(
            "\(what), which '\(stages[maker].name)' makes later. Change the numbers of the files.")
        } else if !chosen.contains(maker), input.isRequired, !input.exists {
          findings.append(
            "\(what), which '\(stages[maker].name)' has not made yet. Begin with that one.")
        }
      } else if input.isRequired, !input.exists {
        findings.append("\(what), and there is no such file or folder.")
      }
    }
    let holder = String(holder(of: stage.output.path).dropLast())
    if !holder.isEmpty, fileStatus(holder) == nil,
      !stages[..<place].contains(where: {
        StagePath(key: "", text: holder, base: "").isInside($0.output)
      })
    {
      findings.append(
        "\(file): '\(stage.output.key)' is \(quoted(stage.output.path)), and there is no folder "
          + "\(quoted(holder)) that could hold it. Make it.")
    }
    return findings
  }

  /// What holds a file or folder, with a slash at the end; empty for the current folder.
  private func holder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "" }
    return String(path[...slash])
  }
}
