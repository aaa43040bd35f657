/// Why samples can't be drawn, or drawing was ended, in a sentence or a line for each finding.
public struct TeacherGenerationError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}
