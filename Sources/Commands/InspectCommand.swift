import Interface
import Models
import Storage

extension Command {
  /// `inspect`: what a model is, and what it takes to run and train it.
  static let inspect = Command(
    "inspect", summary: "Shows what a model is and what it needs.",
    discussion: """
      Reads a model's folder as transformers saves it, checks that names, shapes and types of all \
      tensors fit its config.json, and shows its shape, its size and the memory it takes. Values \
      of the weights are not looked at.

      A config.json alone, and the names of some published models, are shown without weights. \
      Memory is that of the weights, and in training of gradients and AdamW's moments; keys and \
      values, or activations, come on top.
      """,
    example: """
      distill inspect Checkpoints/qwen2.5-math-1.5b
      distill inspect Qwen/Qwen2.5-Math-7B --json
      distill inspect --models
      """,
    takes: model, models, json,
    run: prepared { arguments, console in
      switch (arguments[model], arguments[models]) {
      case (nil, false): throw UsageError("Missing argument '<model>'.")
      case (nil, true): console.print(arguments[json] ? listJSON.printed : listText)
      case (_?, true): throw UsageError("'--models' takes no '<model>'.")
      case (let name?, false):
        let report = try ModelReport(named: name)
        console.print(arguments[json] ? report.json.printed : report.text)
      }
    })

  private static let model = OptionalPositional(
    "model", help: "A model's folder, a config.json, or the name of a known model.")
  private static let models = Flag("models", help: "List the known models instead.")
  private static let json = Flag("json", help: "Print JSON, with sizes in bytes.")

  private static var listJSON: JSONValue {
    .array(KnownModel.all.map { ModelReport($0).json })
  }

  private static var listText: String {
    var table = Table(
      .left("model"), .right("parameters"), .right("layers"), .right("hidden"), .right("heads"),
      .right("to train"))
    for known in KnownModel.all {
      let model = known.configuration
      table.append(
        known.name, countText(model.parameterCount), "\(model.numHiddenLayers)",
        "\(model.hiddenSize)", "\(model.numAttentionHeads)/\(model.numKeyValueHeads)",
        byteText(model.bytesToTrain()))
    }
    return """
      \(table)

      Heads are those of queries / of keys and values. To train is the memory of
      weights, gradients and two moments in float32; activations come on top.
      """
  }
}

extension ModelReport {
  /// A report on what `name` names; see `ModelName`.
  ///
  /// - Throws: `CheckpointError` or `CommandError`, with everything that does not fit.
  init(named name: String) throws {
    switch try ModelName(name) {
    case .folder(let path): self.init(try Checkpoint(at: path))
    case .known(let model): self.init(model)
    case .configuration(let path):
      self.init(title: path, try ModelName.configuration(path).configuration)
    }
  }
}
