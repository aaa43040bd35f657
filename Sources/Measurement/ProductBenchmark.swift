import Tensors

/// Matrix products at the shapes of the paper's students and of Qwen2.5-0.5B.
public enum ProductBenchmark {
  /// Outputs and inputs of the products of a layer, or of the head.
  static let shapes: [(outputs: Int, inputs: Int, what: String)] = [
    (1152, 896, "0.5B qkv"), (896, 896, "0.5B output"), (9728, 896, "0.5B gate and up"),
    (896, 4864, "0.5B down"), (17920, 1536, "1.5B gate and up"), (1536, 8960, "1.5B down"),
    (4608, 3584, "7B qkv"), (3584, 18944, "7B down"),
  ]

  /// The three products of training: forward, the input's gradient, the weight's gradient.
  enum Direction: String, CaseIterable {
    case forward, inputGradient = "input gradient", weightGradient = "weight gradient"
  }

  /// - Parameter report: Called with each measurement as it is made.
  public static func run(
    with stopwatch: Stopwatch, rows: Int = 1024, report: (Measurement) throws -> Void
  ) rethrows {
    let pool = ThreadPool.shared
    let all = pool.threads
    defer { pool.threads = all }
    for precision in Precision.allCases {
      for shape in shapes {
        let x = random([rows, shape.inputs], 1), w = random([shape.outputs, shape.inputs], 2)
        let y = random([rows, shape.outputs], 3)
        for direction in Direction.allCases {
          for threads in Set([1, all]).sorted() {
            pool.threads = threads
            let operations = 2 * Double(rows) * Double(shape.outputs) * Double(shape.inputs)
            try report(
              stopwatch.measure(
                "product, \(shape.what) \(shape.outputs)×\(shape.inputs), \(direction.rawValue), "
                  + "\(threads) thread\(threads == 1 ? "" : "s")",
                tokensPerRow: rows, precision: precision, operations: operations, threads: threads,
                seconds: 0.2
              ) {
                switch direction {
                case .forward: y.setProduct(of: x.matrix, w.transposed, precision)
                case .inputGradient: x.setProduct(of: y.matrix, w.matrix, precision)
                case .weightGradient: w.setProduct(of: y.transposed, x.matrix, precision)
                }
                // What is written is read by the next run: it must stay small.
                if direction != .forward { x.fillNormalIfLarge(y, w) }
              })
          }
        }
      }
    }
  }

  static func random(_ shape: [Int], _ number: Int) -> Tensor {
    let tensor = Tensor(uninitialized: shape)
    tensor.fillNormal(standardDeviation: 1, from: RandomStream(seed: 1, "benchmark", number))
    return tensor
  }
}
