/// Why a folder of recipes cannot be run: every finding, each in a sentence of its own.
public struct PipelineError: Error, Equatable, CustomStringConvertible {
  public let findings: [String]
  public var description: String { findings.joined(separator: "\n") }

  public init(_ findings: [String]) { self.findings = findings }
  public init(_ finding: String) { findings = [finding] }
}
