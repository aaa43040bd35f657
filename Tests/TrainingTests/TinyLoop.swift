import Foundation
import Models
import Storage
import Tensors
import XCTest

@testable import Training

/// A loop over a model so small that it takes milliseconds, with matrices that are just large enough
/// for 8-bit moments.
struct TinyLoop {
  var weights = TrainedStorage.float32
  var moments = MomentStorage.float32
  var gradients = GradientKeeping.kept
  var clipNorm = 0.5
  var isTied = false
  var spikes = SpikeGuard()
  var rate = 3e-3

  /// Every way of keeping weights and moments, and its name.
  static func forms(_ folder: String) -> [(name: String, loop: TinyLoop)] {
    TrainedStorage.allCases.flatMap { weights in
      [("float32", .float32), ("8-bit", .blockwise8Bit), ("disk", .disk(folder: folder))].map {
        (name: String, moments: MomentStorage) in
        ("\(weights) weights, \(name) moments", TinyLoop(weights: weights, moments: moments))
      }
    }
  }

  func with(_ change: (inout TinyLoop) -> Void) -> TinyLoop {
    var changed = self
    change(&changed)
    return changed
  }

  /// - Parameter seed: Of the first weights.
  func made(seed: UInt64 = 1) throws -> TrainingLoop {
    let configuration = try ModelConfiguration(
      family: .qwen2, vocabSize: 67, hiddenSize: 64, intermediateSize: 70, numHiddenLayers: 3,
      numAttentionHeads: 4, numKeyValueHeads: 2, initializerRange: 0.1, maxPositionEmbeddings: 64,
      tieWordEmbeddings: isTied)
    let decoder = Decoder(configuration, precision: .bfloat16, storage: weights)
    decoder.initialize(seed: seed)
    return TrainingLoop(
      decoder,
      try AdamW(
        decoder.parameters, AdamW.Settings(weightDecay: 0.01), moments: moments, seed: 9),
      TrainingLoop.Settings(
        schedule: LearningRateSchedule(
          peak: rate, shape: .cosine, warmupSteps: 2, totalSteps: 100, floor: 0.1),
        clipNorm: clipNorm, microbatchRows: 2, gradients: gradients),
      spikes: spikes)
  }

  /// The rows of a step: two, of two documents each.
  static func rows(_ step: Int) -> [TrainingSequence] {
    (0..<2).map { row in
      let stream = RandomStream(seed: 4, "rows", step, row)
      let tokens = (0..<24).map { Int32(stream[$0] % 67) }
      return TrainingSequence(
        PackedTokens(tokens, documents: [15, 9]),
        targets: tokens.indices.map { $0 == 14 || $0 == 23 ? -1 : tokens[$0 + 1] },
        sources: [0, 1])
    }
  }
}

extension TrainingLoop {
  /// All bytes that go into a checkpoint, by name, and the numbers beside them.
  var everything: [String: [UInt8]] {
    var found: [String: [UInt8]] = [
      "state": Array("\(stepCount) \(optimizer.step) \(spikes)".utf8)
    ]
    for (index, parameter) in decoder.parameters.enumerated() {
      found[parameter.name] = Array(StoredTensor(parameter).memory)
      for (kind, moment) in [
        ("first", optimizer.first[index]), ("second", optimizer.second[index]),
      ] {
        for tensor in StoredTensor.tensors(of: moment, parameter) {
          found[kind + " " + tensor.name] = Array(tensor.memory)
        }
      }
    }
    return found
  }

  /// Weights and moments alone.
  var numbers: [String: [UInt8]] { everything.filter { $0.key != "state" } }
}

/// Names of what differs.
func differences(_ a: [String: [UInt8]], _ b: [String: [UInt8]]) -> [String] {
  Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }.sorted()
}

extension XCTestCase {
  /// An empty folder that is removed after the test.
  func temporaryFolder() throws -> String {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("training-tests-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    addTeardownBlock { try? FileManager.default.removeItem(at: folder) }
    return folder.path
  }
}
