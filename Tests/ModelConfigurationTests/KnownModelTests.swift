import Models
import Storage
import XCTest

final class KnownModelTests: XCTestCase {
  /// Published counts, of transformers where the models' files were at hand.
  private let counts: [(name: String, parameters: Int, withoutEmbeddings: Int)] = [
    ("DeepSeek-R1-Distill-Qwen-1.5B", 1_777_088_000, 1_310_340_608),
    ("Qwen2.5-Math-1.5B", 1_543_714_304, 1_310_340_608),
    ("DeepSeek-R1-Distill-Qwen-7B", 7_615_616_512, 6_525_621_760),
    ("Qwen2.5-Math-7B", 7_615_616_512, 6_525_621_760),
    ("DeepSeek-R1-Distill-Qwen-14B", 14_770_033_664, 13_212_898_304),
    ("Qwen2.5-14B", 14_770_033_664, 13_212_898_304),
    ("DeepSeek-R1-Distill-Qwen-32B", 32_763_876_352, 31_206_740_992),
    ("Qwen2.5-32B", 32_763_876_352, 31_206_740_992),
    ("DeepSeek-R1-Distill-Llama-8B", 8_030_261_248, 6_979_588_096),
    ("Llama-3.1-8B", 8_030_261_248, 6_979_588_096),
    ("DeepSeek-R1-Distill-Llama-70B", 70_553_706_496, 68_452_360_192),
    ("Llama-3.3-70B-Instruct", 70_553_706_496, 68_452_360_192),
    ("Qwen2.5-0.5B", 494_032_768, 357_898_112),
    ("Llama-3.2-1B", 1_235_814_400, 973_146_112),
  ]

  func testCounts() throws {
    XCTAssertEqual(counts.map(\.name), KnownModel.all.map(\.name))
    for (name, parameters, withoutEmbeddings) in counts {
      let configuration = try KnownModel.named(name).configuration
      XCTAssertEqual(configuration.parameterCount, parameters, name)
      XCTAssertEqual(configuration.parameterCountWithoutEmbeddings, withoutEmbeddings, name)
      XCTAssertEqual(configuration.parameters.map(\.count).reduce(0, +), parameters, name)
    }
  }

  func testMemory() throws {
    let configuration = try KnownModel.named("Qwen2.5-0.5B").configuration
    XCTAssertEqual(configuration.bytesToRun(in: .float32), 1_976_131_072)
    XCTAssertEqual(configuration.bytesToRun(in: .bfloat16), 988_065_536)
    XCTAssertEqual(configuration.bytesToTrain(), 7_904_524_288)
    XCTAssertEqual(configuration.bytesToTrain(weights: .bfloat16), 6_916_458_752)
    XCTAssertEqual(
      configuration.bytesToTrain(weights: .bfloat16, gradients: .bfloat16, moments: .float16),
      3_952_262_144)
  }

  /// They are made without the checks, so that the checks are made here.
  func testFilesReadBackAsTheSameConfiguration() throws {
    for model in KnownModel.all {
      let read = try ModelConfiguration(model.configuration.json, source: model.name)
      XCTAssertEqual(read, model.configuration, model.name)
    }
  }

  /// The files that were at hand: every value they state, but the type some were saved again in.
  func testConfigurationsAreThoseOfTheFiles() throws {
    let files: [(name: String, file: String, other: [String: JSONValue])] = [
      (
        "DeepSeek-R1-Distill-Qwen-1.5B", "deepseek-r1-distill-qwen-1.5b",
        ["torch_dtype": .string("float32")]
      ),
      ("DeepSeek-R1-Distill-Qwen-32B", "deepseek-r1-distill-qwen-32b", [:]),
      (
        "Qwen2.5-14B", "qwen2.5-14b-instruct",
        [
          // The instructed model ends texts with another token, and has another epsilon.
          "eos_token_id": .integer(151_645), "rms_norm_eps": .decimal("1e-06"),
          "torch_dtype": .string("float16"),
        ]
      ),
      (
        "Llama-3.1-8B", "llama-3.1-8b-instruct",
        [
          "eos_token_id": .array([.integer(128_001), .integer(128_008), .integer(128_009)]),
          "torch_dtype": .string("float16"),
        ]
      ),
    ]
    for (name, file, other) in files {
      let json = try object(in: fixtures.appending(path: "configurations/published/\(file).json"))
      let known = try KnownModel.named(name).configuration.json
      for (key, value) in known.members where json[key] != nil {
        if let other = other[key] {
          XCTAssertEqual(json[key], other, "\(name): \(key)")
          XCTAssertNotEqual(value, other, "\(name): \(key)")
        } else {
          assertSameValue(json[key], value, "\(name): \(key)")
        }
      }
    }
  }

  /// Equal values, where numbers may be written in different ways.
  private func assertSameValue(_ a: JSONValue?, _ b: JSONValue?, _ message: String) {
    if case .number(let a) = a, case .number(let b) = b {
      XCTAssertEqual(a.double, b.double, message)
    } else {
      XCTAssertEqual(a, b, message)
    }
  }

  func testStudentsAndTheirBases() throws {
    let students = KnownModel.all.filter { $0.organization == "deepseek-ai" }
    XCTAssertEqual(students.count, 6)
    for student in students {
      let base = try KnownModel.named(try XCTUnwrap(student.base))
      XCTAssertNil(base.base)
      XCTAssertEqual(base.configuration.hiddenSize, student.configuration.hiddenSize)
      XCTAssertEqual(base.configuration.numHiddenLayers, student.configuration.numHiddenLayers)
      XCTAssertEqual(base.configuration.rope, student.configuration.rope)
      XCTAssertEqual(student.configuration.maxPositionEmbeddings, 131_072)
    }
    XCTAssertEqual(
      try KnownModel.named("Qwen2.5-Math-7B").configuration.maxPositionEmbeddings, 4096)
    XCTAssertEqual(
      try KnownModel.named("Llama-3.3-70B-Instruct").configuration.eosTokenIds,
      [128_001, 128_008, 128_009])
    XCTAssertEqual(
      try KnownModel.named("DeepSeek-R1-Distill-Llama-70B").configuration.eosTokenIds, [128_001])
  }

  func testNames() throws {
    for name in ["Qwen/Qwen2.5-0.5B", "Qwen2.5-0.5B", "qwen2.5-0.5b", "QWEN/qwen2.5-0.5B"] {
      XCTAssertEqual(try KnownModel.named(name).name, "Qwen2.5-0.5B")
    }
    let sentences = [
      "DeepSeek-R1-Distil-Qwen-1.5B":
        "'DeepSeek-R1-Distil-Qwen-1.5B' is not the name of a known model. "
        + "Did you mean 'DeepSeek-R1-Distill-Qwen-1.5B'?",
      "meta-llama/Llama-3.1-8": "'meta-llama/Llama-3.1-8' is not the name of a known model. "
        + "Did you mean 'Llama-3.1-8B'?",
      "gpt2": "'gpt2' is not the name of a known model. The known ones are "
        + "'DeepSeek-R1-Distill-Qwen-1.5B', 'Qwen2.5-Math-1.5B', 'DeepSeek-R1-Distill-Qwen-7B', "
        + "'Qwen2.5-Math-7B', 'DeepSeek-R1-Distill-Qwen-14B', 'Qwen2.5-14B', "
        + "'DeepSeek-R1-Distill-Qwen-32B', 'Qwen2.5-32B', 'DeepSeek-R1-Distill-Llama-8B', "
        + "'Llama-3.1-8B', 'DeepSeek-R1-Distill-Llama-70B', 'Llama-3.3-70B-Instruct', "
        + "'Qwen2.5-0.5B' and 'Llama-3.2-1B'.",
    ]
    for (name, sentence) in sentences {
      XCTAssertThrowsError(try KnownModel.named(name)) { XCTAssertEqual("\($0)", sentence) }
    }
    XCTAssertThrowsError(try KnownModel.named(String(repeating: "Qwen", count: 100_000)))
    XCTAssertThrowsError(try KnownModel.named("Qwen/"))
    XCTAssertThrowsError(try KnownModel.named(""))
  }
}
