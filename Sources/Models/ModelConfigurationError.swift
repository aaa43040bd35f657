/// Why a `config.json` cannot be used: every finding, each in a sentence of its own.
public struct ModelConfigurationError: Error, Equatable, CustomStringConvertible {
  /// The findings in the order of the checks, each beginning with the file's name.
  public let findings: [String]

  public init(findings: [String]) { self.findings = findings }

  /// The findings, one per line.
  public var description: String { findings.joined(separator: "\n") }
}
