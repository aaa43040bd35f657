import Storage

extension ProblemPrompt {
  /// The words as they are kept beside results: those that are given, and the version of the usual
  /// ones.
  public var json: JSONValue {
    .object(
      JSONObject(present: [
        ("words", .string(Self.version)), ("system", system.map { .string($0) }),
        ("mathematics", mathematics.map { .string($0) }),
        ("choices", choices.map { .string($0) }), ("program", program.map { .string($0) }),
        ("other", other.map { .string($0) }),
        // What is usual was not written before there was a choice.
        ("optionOrder", optionOrder == .sample ? .string("sample") : nil),
      ]))
  }

  /// These words, and where there are none those of others.
  public func completed(by others: ProblemPrompt) -> ProblemPrompt {
    ProblemPrompt(
      system: system ?? others.system, mathematics: mathematics ?? others.mathematics,
      choices: choices ?? others.choices, program: program ?? others.program,
      other: other ?? others.other, optionOrder: optionOrder ?? others.optionOrder)
  }
}
