import Foundation
import Interface
import Models
import Tensors

/// What `distill initialize` makes.
struct InitializeRecipe: Decodable, Sendable {
  /// A known model's name, a folder with a `config.json`, or such a file.
  let configuration: String
  let seed: UInt64
  let dtype: StoredType
  let output: String
  /// A `ByteSize` as it is written. A type that refuses texts would keep the mistakes behind it
  /// from being told at the same time.
  let shardSize: String
  /// A folder whose tokenizer is carried along.
  let tokenizer: String?
}

extension RecipeKind {
  /// Recipes for `distill initialize`.
  static let initialize = RecipeKind(
    "initialize", as: InitializeRecipe.self, summary: "A model with random weights.",
    template: """
      // A model with random weights, to be trained from scratch or to try things out.
      //   distill initialize my-initialize.json5
      {
        // The shape: the name of a known model ('distill inspect --models' lists them), or the
        // path of a config.json or of the folder that it is in.
        configuration: "Qwen2.5-0.5B",

        // Matrices are drawn from a normal distribution with the configuration's
        // 'initializer_range' as its standard deviation; gains are 1, biases 0. The same seed
        // gives the same weights, on any number of threads.
        seed: 42,

        // "float32" keeps what was drawn; "bfloat16" rounds it and takes half the space.
        dtype: "float32",

        // A new folder. What holds it must exist.
        output: "random-qwen2.5-0.5b",

        // The most bytes of tensors in one file; 5GB is what transformers uses.
        shardSize: "5GB",

        // A folder whose tokenizer is copied into the new one; without the key, none is.
        // tokenizer: "Checkpoints/qwen2.5-0.5b",
      }
      """,
    check: { _ = try $0.maximumShardBytes(in: "The recipe") })
}

extension Command {
  /// `initialize`: makes a model with random weights.
  static let initialize = Command(
    "initialize", summary: "Makes a model with random weights.",
    discussion: """
      Draws the weights that a recipe asks for and writes them as a folder that transformers \
      loads. It appears whole or not at all. The model is made tensor by tensor and need not fit \
      into memory.
      """,
    example: """
      distill initialize my-initialize.json5
      distill initialize my-initialize.json5 --set seed=7 --set output=random-7
      """,
    takes: recipe, set, replace,
    run: prepared { arguments, console in
      let recipe = try readRecipe(
        InitializeRecipe.self, of: .initialize, at: arguments[recipe], overrides: arguments[set]
      ).recipe
      let configuration = try ModelName(recipe.configuration).configuration
      for note in configuration.notes { console.note("Note: \(note)") }
      let maximumShardBytes = try recipe.maximumShardBytes(in: arguments[Self.recipe])
      try recipe.checkTokenizer()
      let writing = ModelWriting(
        configuration: configuration, path: recipe.output, origin: recipe.tokenizer,
        options: Checkpoint.SavingOptions(
          dtype: recipe.dtype.dtype, maximumShardBytes: maximumShardBytes,
          replacing: arguments[replace]))
      let result = try writing.run(on: console) { index, parameter in
        initialFill(of: parameter, at: index, of: configuration, seed: recipe.seed)
      }
      console.print(result.text(at: recipe.output, configuration, as: recipe.dtype))
    })

  private static let recipe = Positional(
    "recipe", help: "A recipe file; 'distill recipe initialize' prints one to start from.")
  private static let set = RepeatedOption.recipeOverrides
}

extension InitializeRecipe {
  /// The bytes that `shardSize` stands for; `file` is what the error calls the recipe.
  fileprivate func maximumShardBytes(in file: String) throws(CommandError) -> Int {
    guard let size = ByteSize(shardSize) else {
      throw CommandError(
        "\(file): 'shardSize' must be \(ByteSize.wording); it is '\(shardSize.prefix(60))'.")
    }
    return size.bytes
  }

  fileprivate func checkTokenizer() throws {
    guard let tokenizer else { return }
    guard FileManager.default.fileExists(atPath: tokenizer + "/tokenizer.json") else {
      throw CommandError("\(tokenizer): no 'tokenizer.json', which 'tokenizer' is to carry along.")
    }
  }
}

/// The values that `Decoder.initialize` gives a parameter, bit for bit.
private func initialFill(
  of parameter: ParameterShape, at index: Int, of configuration: ModelConfiguration, seed: UInt64
) -> ModelWriting.Fill {
  guard parameter.shape.count == 2 else {
    let value: Float = parameter.name.hasSuffix("bias") ? 0 : 1
    return { range, to in to.update(repeating: value, count: range.count) }
  }
  let stream = RandomStream(seed: seed, "initialization", index)
  return { range, to in
    nonisolated(unsafe) let to = to
    ThreadPool.shared.forEachChunk(of: range.count, size: 1 << 14) { chunk, _, _ in
      for place in chunk {
        let value = stream.normal(range.lowerBound + place) * configuration.initializerRange
        to[place] = Float(value)
      }
    }
  }
}
