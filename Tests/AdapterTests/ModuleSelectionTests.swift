import Models
import Storage
import XCTest

@testable import Adapters

/// Which modules are selected, against PEFT itself.
final class ModuleSelectionTests: XCTestCase {
  private func table() throws -> JSONObject {
    guard case .object(let object) = try readJSON(fixtures + "/selections.json") else {
      throw XCTSkip("no object")
    }
    return object
  }

  private func texts(_ value: JSONValue?) -> [String] {
    guard case .array(let elements) = value else { return [] }
    return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }

  private func objects(_ value: JSONValue?) -> [JSONObject] {
    guard case .array(let elements) = value else { return [] }
    return elements.compactMap { if case .object(let object) = $0 { object } else { nil } }
  }

  func testModulesOfAModel() throws {
    let names = texts(try table()["modules"])
    XCTAssertEqual(names.count, 45)
    XCTAssertEqual(try baseModel().modules.map(\.path).sorted(), names.sorted())
  }

  func testSelections() throws {
    let modules = try baseModel().modules
    var (checked, selected) = (0, 0)
    for choice in objects(try table()["selections"]) {
      var members = choice.members.filter { $0.key != "selected" }
      members += [
        ("peft_type", .string("LORA")), ("r", .number(JSONNumber(1))),
        ("lora_alpha", .number(JSONNumber(1))),
      ]
      let wanted = texts(choice["selected"])
      let configuration = try AdapterConfiguration(
        reading: .object(JSONObject(members: members)))
      XCTAssertEqual(
        modules.filter(configuration.selects).map(\.path).sorted(), wanted.sorted(), "\(choice)")
      checked += 1
      selected += wanted.count
    }
    XCTAssertEqual(checked, 57)
    XCTAssertEqual(selected, 254)
  }

  func testRanks() throws {
    let model = try baseModel()
    var (checked, found) = (0, 0)
    for choice in objects(try table()["rank_patterns"]) {
      guard case .object(let pattern) = choice["pattern"], case .object(let ranks) = choice["ranks"]
      else { return XCTFail("\(choice)") }
      for key in ["rank_pattern", "alpha_pattern"] {
        let members: [(key: String, value: JSONValue)] = [
          ("peft_type", .string("LORA")), ("r", .number(JSONNumber(1))),
          ("lora_alpha", .number(JSONNumber(1))), ("target_modules", .string("all-linear")),
          (key, .object(pattern)),
        ]
        let layers = try AdapterConfiguration(reading: .object(JSONObject(members: members)))
          .adaptedLayers(of: model)
        XCTAssertEqual(layers.count, 21)
        for layer in layers {
          let value: Int? =
            if case .number(let number) = ranks[layer.path] { number.int } else { nil }
          if key == "rank_pattern" {
            XCTAssertEqual(layer.rank, value ?? 1, layer.path)
            XCTAssertEqual(layer.scale, 1 / Double(value ?? 1), layer.path)
          } else {
            XCTAssertEqual(layer.rank, 1)
            XCTAssertEqual(layer.scale, Double(value ?? 1), layer.path)
          }
          if value != nil { found += 1 }
        }
      }
      checked += 1
    }
    XCTAssertEqual(checked, 9)
    XCTAssertEqual(found, 114)
  }

  func testLayersAreInTheOrderOfTheModel() throws {
    let layers = try AdapterConfiguration(
      rank: 2, alpha: 3, targetModules: ["down_proj", "q_proj", "v_proj"],
      layersToTransform: [2, 0]
    ).adaptedLayers(of: baseModel())
    XCTAssertEqual(
      layers.map(\.path),
      [0, 2].flatMap { layer in
        ["self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj"].map {
          "model.layers.\(layer).\($0)"
        }
      })
    XCTAssertEqual(
      layers.map(\.role),
      Array(repeating: [.queryWeight, .valueWeight, .downWeight], count: 2).flatMap { $0 })
    XCTAssertEqual(layers[0].shapeOfA, [2, 21])
    XCTAssertEqual(layers[0].shapeOfB, [30, 2])
    XCTAssertEqual(layers[2].shapeOfA, [2, 25])
    XCTAssertEqual(layers[2].shapeOfB, [21, 2])
    XCTAssertEqual(layers[2].weightName, "model.layers.0.mlp.down_proj.weight")
    XCTAssertEqual(
      layers[5].nameOfA, "base_model.model.model.layers.2.mlp.down_proj.lora_A.weight")
    XCTAssertEqual(
      layers[5].nameOfB, "base_model.model.model.layers.2.mlp.down_proj.lora_B.weight")
  }

  func testAllLinear() throws {
    for text in ["all-linear", "All-Linear"] {
      let all = try AdapterConfiguration(reading: configuration(["target_modules": "\"\(text)\""]))
      XCTAssertEqual(all.targetModules, .allLinear)
      let paths = try all.adaptedLayers(of: baseModel()).map(\.path)
      XCTAssertEqual(paths.count, 21)
      XCTAssertEqual(Set(paths).count, 21)
      XCTAssertTrue(paths.allSatisfy { $0.hasSuffix("_proj") && $0.hasPrefix("model.layers.") })
    }
  }

  func testRefusals() throws {
    let model = try baseModel()
    for (target, words) in [
      (
        "[\"q_proj\", \"embed_tokens\"]",
        "c: 'target_modules' selects 'model.embed_tokens', the embedding, whose adapters are not "
          + "supported. Merge the adapter with PEFT's 'merge_and_unload'."
      ),
      (
        "\".*q_proj|lm_head\"",
        "c: 'target_modules' selects 'lm_head', the head, whose adapters are not supported. Merge "
          + "the adapter with PEFT's 'merge_and_unload'."
      ),
      (
        "[\"mlp\"]",
        "c: 'target_modules' selects 'model.layers.0.mlp', which is no linear layer. Name the "
          + "layers themselves, such as 'q_proj'."
      ),
      (
        "[\"c_attn\"]",
        "c: 'target_modules' selects no linear layer of the model. Its layers have 'q_proj', "
          + "'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'."
      ),
    ] {
      let read = try AdapterConfiguration(reading: configuration(["target_modules": target]))
      assertRefused(words, about: target) { _ = try read.adaptedLayers(of: model, source: "c") }
    }
    let beyond = AdapterConfiguration(
      rank: 1, alpha: 1, targetModules: ["q_proj"], layersToTransform: [0, 3])
    assertRefused(
      "adapter_config.json: 'layers_to_transform' has 3, but the model has 3 layers, counted from "
        + "0."
    ) { _ = try beyond.adaptedLayers(of: model) }
    XCTAssertEqual(
      AdapterConfiguration(
        rank: 1, alpha: 1, targetModules: ["q_proj", "c_attn", "proj", "1.mlp.up_proj", "norm"]
      ).unusedNames(for: model), ["c_attn", "proj"])
  }
}
