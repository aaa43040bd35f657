import Foundation
import Storage

/// Who answers: exactly one of a server, a checkpoint on this machine, and a file of earlier answers.
public struct TeacherSettings: Codable, Equatable, Sendable {
  public var remote: RemoteTeacherSettings?
  public var local: LocalTeacherSettings?
  public var recorded: RecordedAnswers?

  /// Answers that were given before.
  public struct RecordedAnswers: Codable, Equatable, Sendable {
    /// A run's folder of samples, or a file of questions and answers.
    public var path: String

    public init(path: String) { self.path = path }
  }

  public init(
    remote: RemoteTeacherSettings? = nil, local: LocalTeacherSettings? = nil,
    recorded: RecordedAnswers? = nil
  ) {
    self.remote = remote
    self.local = local
    self.recorded = recorded
  }

  /// What cannot be meant although it can be read, a sentence each.
  ///
  /// - Parameter key: The recipe's key that holds these settings, such as `teacher`.
  public func findings(at key: String) -> [String] {
    let kinds = [
      remote.map { _ in "'remote'" }, local.map { _ in "'local'" },
      recorded.map { _ in "'recorded'" },
    ].compactMap { $0 }
    guard kinds.count == 1 else {
      return [
        kinds.isEmpty
          ? "The recipe: '\(key)' is empty. Name a server with 'remote: { url, model }', a "
            + "checkpoint with 'local: { checkpoint }', or a file of answers with "
            + "'recorded: { path }'."
          : "The recipe: '\(key)' has \(kinds.joined(separator: " and ")); there can be one teacher."
      ]
    }
    return (remote?.findings(path: "\(key).remote.") ?? [])
      + (local?.findings(path: "\(key).local.") ?? [])
  }

  /// Prepares the teacher: reads a key, loads weights, finds the answers of a file.
  ///
  /// - Parameter observer: Is told what a server does, from any thread.
  /// - Throws: `TeacherError`, `CheckpointError`, `DatasetError`, `GenerationError`, `SampleError`.
  public func teacher(
    observer: @escaping @Sendable (TeacherEvent) -> Void = { _ in }
  ) throws -> any Teacher {
    if let remote { return try RemoteTeacher(remote, observer: observer) }
    if let local { return try LocalTeacher(local) }
    if let recorded { return try RecordedTeacher(at: recorded.path) }
    throw TeacherError(
      .job, kind: "settings", findings(at: "teacher").joined(separator: "\n"))
  }
}
