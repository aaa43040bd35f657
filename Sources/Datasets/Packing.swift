/// How documents become rows.
public enum PackingMethod: String, Codable, CaseIterable, Sendable {
  /// Each document is a row of its own.
  case none
  /// Documents share rows, in which they do not see each other.
  case bestFit
}
