import Models
import Safetensors
import Storage
import Tensors
import XCTest

@testable import Adapters

/// W + scale · B · A, against PEFT's `merge_and_unload`.
final class AdapterMergingTests: XCTestCase {
  func testMergedWeightsOfPEFT() throws {
    let base = try SafetensorsFile(at: fixtures + "/base/model.safetensors")
    var compared = 0
    for name in adapterNames where name != "bfloat16" {
      let merged = try SafetensorsFile(at: "\(fixtures)/\(name)/merged.safetensors")
      let adapter = try AdapterCheckpoint(at: "\(fixtures)/\(name)", for: baseModel())
      // What PEFT has changed is what is changed here.
      XCTAssertEqual(merged.tensorNames.sorted(), adapter.pairs.map(\.layer.weightName).sorted())
      for pair in adapter.pairs {
        let weight = pair.layer.weightName
        var values = StoredTensor(try XCTUnwrap(base[weight])).floats
        let merging = AdapterMerging(pair)
        values.withUnsafeMutableBufferPointer { values in
          guard let start = values.baseAddress else { return }
          merging.add(0..<values.count, to: start)
        }
        let expected = StoredTensor(try XCTUnwrap(merged[weight])).floats
        XCTAssertEqual(values.count, expected.count)
        for (i, (value, other)) in zip(values, expected).enumerated() {
          // Sums of at most seven products of numbers near 1, in any order.
          XCTAssertEqual(value, other, accuracy: 2e-6, "\(name): \(weight)[\(i)]")
        }
        compared += values.count
      }
    }
    XCTAssertEqual(compared, 18_795)
  }

  private struct Layer { let pair: AdapterPair, folder: TemporaryFolder }

  /// An adapter of a projection of many rows, of which stretches are cut.
  private func largeLayer() throws -> Layer {
    let folder = try TemporaryFolder()
    let text = """
      {"model_type": "qwen2", "vocab_size": 11, "hidden_size": 1200, "intermediate_size": 7013,
      "num_hidden_layers": 1, "num_attention_heads": 6, "num_key_value_heads": 1,
      "max_position_embeddings": 16}
      """
    let model = try ModelConfiguration(parse(text), source: "text")
    let configuration = AdapterConfiguration(rank: 3, alpha: 5, targetModules: ["up_proj"])
    let layer = try configuration.adaptedLayers(of: model)[0]
    var dice = Dice(state: 9)
    func random(_ shape: [Int]) -> Tensor {
      Tensor(
        (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &dice) }, shape: shape)
    }
    try AdapterCheckpoint.save(
      [AdapterWeights(layer, a: random(layer.shapeOfA), b: random(layer.shapeOfB))], configuration,
      for: model, to: folder.file("adapter"), options: .init(dtype: .float32))
    return Layer(pair: try folder.open(model).pairs[0], folder: folder)
  }

  func testSameBitsHoweverItIsRead() throws {
    let large = try largeLayer()
    let count = 7013 * 1200
    let pool = ThreadPool.shared
    let threads = pool.threads
    defer { pool.threads = threads }

    func merged(in part: Int, backwards: Bool = false) -> Tensor {
      let values = Tensor(zeros: [7013, 1200])
      let merging = AdapterMerging(large.pair)
      let starts = Array(stride(from: 0, to: count, by: part))
      for start in backwards ? starts.reversed() : starts {
        merging.add(start..<min(count, start + part), to: values.pointer + start)
      }
      return values
    }
    let whole = merged(in: count)
    // The definition, for some elements of every stretch.
    let (a, b) = (large.pair.readA(), large.pair.readB())
    for element in stride(from: 0, to: count, by: 1009) {
      let (row, column) = element.quotientAndRemainder(dividingBy: 1200)
      var sum = 0.0
      for k in 0..<3 { sum += Double(b.row(row)[k]) * Double(a.row(k)[column]) }
      XCTAssertEqual(Double(whole.elements[element]), 5.0 / 3 * sum, accuracy: 1e-6)
    }
    for (part, count, backwards) in [(1 << 20, 1, false), (999_983, 3, false), (1 << 21, 5, true)] {
      pool.threads = count
      let other = merged(in: part, backwards: backwards)
      XCTAssertTrue(
        whole.elements.elementsEqual(other.elements) { $0.bitPattern == $1.bitPattern },
        "in parts of \(part), on \(count) threads")
    }
  }
}
