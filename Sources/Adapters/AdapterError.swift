/// Why an adapter can't be read, used or written: every finding, each in a sentence of its own.
public struct AdapterError: Error, Equatable, CustomStringConvertible {
  /// The findings in the order of the checks, each beginning with a file's or folder's name.
  public let findings: [String]

  /// The findings, one per line.
  public var description: String { findings.joined(separator: "\n") }

  init(_ findings: [String]) { self.findings = findings }
  init(_ finding: String) { findings = [finding] }
}
