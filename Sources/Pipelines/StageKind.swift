import Foundation
import Interface

/// What a whole run knows of a kind of recipe: the command, what the recipe reads, and what it makes.
public struct StageKind: Sendable {
  /// The kind's name, which recipes are told by.
  public var name: String { kind.name }
  /// The command that runs a recipe of the kind; nil where none does by itself.
  public let command: String?
  /// Where in the recipe the files and folders stand that it reads.
  let reads: [RecipeKey]
  /// Where the folder stands that it makes, of which an older one is moved aside.
  let writes: RecipeKey
  /// Versions of rules on which what it makes depends, beside the program's.
  let rules: [String]
  /// Whether the command goes on where it was stopped; one that does not refuses a folder that is
  /// there.
  let resumes: Bool
  /// Whether what the command prints belongs to the end of the whole run.
  let isResult: Bool
  /// Writes a page about the folder it made, where the command itself does not.
  let page: (@Sendable (_ folder: String, _ path: String) throws -> Void)?
  private let kind: RecipeKind

  public init(
    _ kind: RecipeKind, command: String?, reads: [RecipeKey] = [], writes: RecipeKey,
    rules: [String] = [], resumes: Bool = true, isResult: Bool = false,
    page: (@Sendable (_ folder: String, _ path: String) throws -> Void)? = nil
  ) {
    self.kind = kind
    self.command = command
    self.reads = reads
    self.writes = writes
    self.rules = rules
    self.resumes = resumes
    self.isResult = isResult
    self.page = page
  }

  /// Decodes and checks a recipe; the result is plain JSON.
  ///
  /// - Throws: `RecipeError` if it is no recipe of the kind, else what the kind's check throws.
  func resolved(_ data: Data, file: String) throws -> String { try kind.check(data, file: file) }
}
