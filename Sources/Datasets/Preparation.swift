import ChatTemplates
import Dispatch
import Foundation
import Storage
import Tokenizers

/// Turns the samples of a recipe into documents, on all processors, past the gate, into a cache.
public struct Preparation: Sendable {
  public let recipe: DataRecipe
  public let checkpoint: TextCheckpoint
  public let rendering: Rendering
  public let files: [SampleFile]

  /// Opens everything that the recipe names.
  ///
  /// - Throws: `DatasetError`.
  public init(_ recipe: DataRecipe) throws(DatasetError) {
    guard recipe.contextLength > 1 else {
      throw DatasetError("The recipe", "'contextLength' must be 2 at least.")
    }
    guard !recipe.sources.isEmpty else { throw DatasetError("The recipe", "it has no 'sources'.") }
    self.recipe = recipe
    checkpoint = try recipe.textCheckpoint()
    rendering = try recipe.rendering(checkpoint)
    var files: [SampleFile] = []
    for source in recipe.sources { files.append(try SampleFile(source)) }
    self.files = files
  }

  /// The number of samples in all sources.
  public var count: Int { files.reduce(0) { $0 + $1.count } }

  /// The source and the record of a sample, by its number over all sources.
  func place(of sample: Int) -> (file: Int, record: Int) {
    var record = sample
    for (file, samples) in files.enumerated() {
      if record < samples.count { return (file, record) }
      record -= samples.count
    }
    preconditionFailure("there is no sample \(sample)")
  }

  /// A sample and its documents, whatever their length.
  ///
  /// - Throws: `DatasetError` if the sample can't be read or rendered.
  public func documents(
    of index: Int
  ) throws(DatasetError) -> (sample: Sample, documents: [RenderedDocument]) {
    let (file, record) = place(of: index)
    let (sample, _) = try files[file].sample(record)
    return (sample, try rendering.documents(of: sample))
  }

  /// What became of one sample.
  private struct Outcome: Sendable {
    var documents: [RenderedDocument] = []
    var findings: [DatasetError] = []
    /// The checks of the gate that found them.
    var checks: Set<GateCheck> = []
    var replacedSurrogates = 0
    var place = ""
  }

  private func outcome(of index: Int, _ gate: Gate) -> Outcome {
    let (file, record) = place(of: index)
    var outcome = Outcome(place: files[file].records.place(of: record))
    do throws(DatasetError) {
      let (sample, replaced) = try files[file].sample(record)
      outcome.replacedSurrogates = replaced
      outcome.documents = try rendering.documents(of: sample)
      let findings = gate.findings(outcome.documents, of: sample)
      outcome.findings = findings.map { DatasetError(outcome.place, $0.sentence) }
      outcome.checks = Set(findings.compactMap(\.check))
    } catch {
      outcome.findings = [error]
    }
    return outcome
  }

  /// Renders and checks every sample.
  ///
  /// - Parameters:
  ///   - write: Takes each document that is kept, in the order of the samples, with the numbers of
  ///     its source and of its sample.
  ///   - progress: Called with the number of samples that are done.
  /// - Returns: What there is, and what is wrong with it.
  /// - Throws: What `write` throws.
  public func run(
    write: (RenderedDocument, _ source: Int, _ sample: Int) throws -> Void = { _, _, _ in },
    progress: (Int) -> Void = { _ in }
  ) throws -> PreparationReport {
    let gate = Gate(
      rendering, vocabularyRows: checkpoint.vocabularyRows, skipping: recipe.skippedChecks ?? [])
    var report = PreparationReport(files.map { ($0.source.path, $0.records.oddities) }, recipe)
    let count = count
    let chunk = 512
    for start in stride(from: 0, to: count, by: chunk) {
      let range = start..<min(start + chunk, count)
      for (offset, outcome) in outcomes(of: range, gate).enumerated() {
        let file = place(of: start + offset).file
        report.failedChecks.formUnion(outcome.checks)
        report.add(outcome.findings, outcome.replacedSurrogates, to: file)
        guard outcome.findings.isEmpty else { continue }
        for document in outcome.documents {
          let applied = recipe.longerDocuments.apply(
            to: document, contextLength: recipe.contextLength)
          if let kept = report.add(document, applied, at: outcome.place, to: file) {
            try write(kept, file, start + offset)
          }
        }
      }
      progress(range.upperBound)
    }
    return report
  }

  private func outcomes(of range: Range<Int>, _ gate: Gate) -> [Outcome] {
    let results = OutcomeList(count: range.count)
    let share = 16
    DispatchQueue.concurrentPerform(iterations: (range.count + share - 1) / share) { part in
      func work() {
        for i in part * share..<min((part + 1) * share, range.count) {
          results.set(i, outcome(of: range.lowerBound + i, gate))
        }
      }
      // One deep stack for the whole part; without it each template asks for its own.
      do { try OwnStack.run(work) } catch { work() }
    }
    return results.values
  }

  /// Outcomes that threads put in, each at a place of its own.
  private final class OutcomeList: @unchecked Sendable {
    private let lock = NSLock()
    private(set) var values: [Outcome]

    init(count: Int) { values = [Outcome](repeating: Outcome(), count: count) }

    func set(_ i: Int, _ value: Outcome) { lock.withLock { values[i] = value } }
  }
}
