import Foundation
import Models
import Safetensors
import Storage
import Tensors
import XCTest

@testable import Adapters

final class AdapterSavingTests: XCTestCase {
  private let configuration = AdapterConfiguration(
    rank: 3, alpha: 6, targetModules: ["q_proj", "down_proj"], layersToTransform: [0, 2])

  private func weights(_ configuration: AdapterConfiguration) throws -> [AdapterWeights] {
    var dice = Dice(state: 3)
    func random(_ shape: [Int]) -> Tensor {
      Tensor(
        (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &dice) }, shape: shape)
    }
    return try configuration.adaptedLayers(of: baseModel()).map {
      AdapterWeights($0, a: random($0.shapeOfA), b: random($0.shapeOfB))
    }
  }

  private func save(
    _ weights: [AdapterWeights], in folder: TemporaryFolder, carryingFrom origin: String? = nil,
    additions: [String: Data] = [:],
    _ options: AdapterCheckpoint.SavingOptions = .init(dtype: .float32)
  ) throws {
    try AdapterCheckpoint.save(
      weights, configuration, for: baseModel(), to: folder.file("adapter"), carryingFrom: origin,
      additions: additions, options: options)
  }

  func testWhatIsSavedIsRead() throws {
    let made = try weights(configuration)
    XCTAssertEqual(made.count, 4)
    for dtype in [ModelConfiguration.Dtype.float32, .bfloat16] {
      let folder = try TemporaryFolder()
      // In any order.
      try save(made.reversed(), in: folder, .init(dtype: dtype))
      XCTAssertEqual(
        folder.names("adapter"), ["adapter_config.json", "adapter_model.safetensors"])
      XCTAssertEqual(folder.names(), ["adapter"])
      let read = try folder.open()
      XCTAssertEqual(read.configuration, configuration)
      XCTAssertEqual(read.notes, [])
      XCTAssertEqual(read.pairs.map(\.layer), made.map(\.layer))
      for (pair, weights) in zip(read.pairs, made) {
        for (tensor, stored, expected) in [
          (pair.readA(), pair.a, weights.a), (pair.readB(), pair.b, weights.b),
        ] {
          XCTAssertEqual(stored.dtype, dtype == .float32 ? .f32 : .bf16)
          XCTAssertEqual(
            Array(tensor.elements),
            dtype == .float32
              ? Array(expected.elements)
              : expected.elements.map { Float(bitPattern: UInt32(BFloat16($0).bitPattern) << 16) })
        }
      }
      XCTAssertEqual(
        try SafetensorsFile(at: folder.file("adapter/adapter_model.safetensors")).metadata,
        ["format": "pt"])
    }
  }

  /// The bytes of an adapter of PEFT's come out of its own numbers.
  func testSameTensorFileAsPEFT() throws {
    for name in ["all-linear", "rank-stabilized"] {
      let adapter = try AdapterCheckpoint(at: "\(fixtures)/\(name)", for: baseModel())
      let folder = try TemporaryFolder()
      try AdapterCheckpoint.save(
        adapter.pairs.map { AdapterWeights($0.layer, a: $0.readA(), b: $0.readB()) },
        adapter.configuration, for: baseModel(), to: folder.file("adapter"),
        options: .init(dtype: .float32))
      XCTAssertEqual(
        try folder.data("adapter/adapter_model.safetensors"),
        try Data(
          contentsOf: URL(fileURLWithPath: "\(fixtures)/\(name)/adapter_model.safetensors")))
    }
  }

  func testCarriesFilesAlong() throws {
    let folder = try TemporaryFolder()
    try folder.makeFolder("origin/LICENSES")
    for name in ["tokenizer.json", "chat_template.jinja", "config.json", "LICENSE", "notes.txt"] {
      try folder.write("the base's \(name)", as: "origin/" + name)
    }
    try folder.write("", as: "origin/merges.txt")
    try save(
      weights(configuration), in: folder, carryingFrom: folder.file("origin"),
      additions: ["README.md": Data("card".utf8), "LICENSE": Data("mine".utf8)])
    XCTAssertEqual(
      folder.names("adapter"),
      [
        "LICENSE", "README.md", "adapter_config.json", "adapter_model.safetensors",
        "chat_template.jinja", "merges.txt", "tokenizer.json",
      ])
    XCTAssertEqual(try folder.data("adapter/LICENSE"), Data("mine".utf8))
    XCTAssertEqual(try folder.data("adapter/README.md"), Data("card".utf8))
    XCTAssertEqual(
      try folder.data("adapter/tokenizer.json"), Data("the base's tokenizer.json".utf8))
    XCTAssertEqual(try folder.data("adapter/merges.txt"), Data())
  }

  func testReplacing() throws {
    let folder = try TemporaryFolder()
    let made = try weights(configuration)
    let options = AdapterCheckpoint.SavingOptions(dtype: .bfloat16, replacing: true)
    let additions = ["README.md": Data("card".utf8)]
    try save(made, in: folder, additions: additions)
    let before = try folder.data("adapter/adapter_model.safetensors")
    assertRefused(
      "FOLDER/adapter: the folder is not empty. Choose another name, or remove its files.",
      in: folder.path
    ) { try save(made, in: folder) }
    XCTAssertEqual(try folder.data("adapter/adapter_model.safetensors"), before)
    try save(made, in: folder, additions: additions, options)
    XCTAssertNotEqual(try folder.data("adapter/adapter_model.safetensors"), before)
    assertRefused(
      "FOLDER/adapter: 'README.md' in it would be lost, as the folder is replaced as a whole. Move "
        + "that away, or choose another folder.", in: folder.path
    ) { try save(made, in: folder, options) }
    XCTAssertEqual(folder.names(), ["adapter"])
  }

  func testWeightsThatAreNotTheConfigurations() throws {
    let folder = try TemporaryFolder()
    let made = try weights(configuration)
    let path = "model.layers.0.self_attn.q_proj"
    func refuse(_ words: String, _ weights: [AdapterWeights], line: UInt = #line) {
      assertRefused(words, in: folder.path, line: line) { try save(weights, in: folder) }
      XCTAssertEqual(folder.names(), [], line: line)
    }
    refuse(
      "FOLDER/adapter: 0 pairs of A and B for '\(path)', in place of one.",
      Array(made.dropFirst()))
    refuse("FOLDER/adapter: 2 pairs of A and B for '\(path)', in place of one.", made + [made[0]])
    let other = AdapterConfiguration(rank: 3, alpha: 6, targetModules: ["k_proj"])
    refuse(
      "FOLDER/adapter: A and B of 'model.layers.0.self_attn.k_proj', for which the configuration "
        + "has no adapter.", made + [try weights(other)[0]])
    refuse(
      "FOLDER/adapter: A of '\(path)' has the shape [30, 3], not [3, 21].",
      [AdapterWeights(made[0].layer, a: made[0].b, b: made[0].a)] + made.dropFirst())
    refuse(
      "FOLDER/adapter: B of '\(path)' has the shape [3, 21], not [30, 3].",
      [AdapterWeights(made[0].layer, a: made[0].a, b: made[0].a)] + made.dropFirst())
    assertRefused(
      "FOLDER/adapter: adapters are written as float32 or bfloat16; float16 would overflow.",
      in: folder.path
    ) { try save(made, in: folder, .init(dtype: .float16)) }
    assertRefused(
      "FOLDER/none/adapter: there is no folder 'FOLDER/none/' to write it in. Make it.",
      in: folder.path
    ) {
      try AdapterCheckpoint.save(
        made, configuration, for: baseModel(), to: folder.file("none/adapter"),
        options: .init(dtype: .float32))
    }
  }

  func testValuesThatCannotBeWritten() throws {
    let name = "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight"
    for (value, dtype, type) in [
      (Float.nan, ModelConfiguration.Dtype.float32, "F32"), (-.infinity, .float32, "F32"),
      (.nan, .bfloat16, "BF16"), (.greatestFiniteMagnitude, .bfloat16, "BF16"),
    ] {
      let folder = try TemporaryFolder()
      let made = try weights(configuration)
      made[0].b.elements[89] = value
      assertRefused(
        "FOLDER/adapter: '\(name)' holds NaN or a number that is too large for \(type). Its training "
          + "has diverged.", in: folder.path
      ) { try save(made, in: folder, .init(dtype: dtype)) }
      XCTAssertEqual(folder.names(), [])
    }
    let folder = try TemporaryFolder()
    let made = try weights(configuration)
    made[0].b.elements[89] = .greatestFiniteMagnitude
    XCTAssertNoThrow(try save(made, in: folder))
  }
}
