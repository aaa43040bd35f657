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

  /// - Parameters:
  ///   - text: What must occur in the name of a shape.
  ///   - report: Called with each measurement as it is made.
  public static func run(
    with stopwatch: Stopwatch, rows: Int = 1024, precisions: [Precision] = Precision.allCases,
    matching text: String = "", report: (Timing) throws -> Void
  ) rethrows {
    let pool = ThreadPool.shared
    let all = pool.threads
    defer { pool.threads = all }
    for precision in precisions {
      for shape in shapes where text.isEmpty || shape.what.contains(text) {
        let x = random([rows, shape.inputs], 1), w = random([shape.outputs, shape.inputs], 2)
        let dy = random([rows, shape.outputs], 3)
        let y = Tensor(uninitialized: dy.shape)
        let dx = Tensor(uninitialized: x.shape), dw = Tensor(uninitialized: w.shape)
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
                case .inputGradient: dx.setProduct(of: dy.matrix, w.matrix, precision)
                case .weightGradient: dw.setProduct(of: dy.transposed, x.matrix, precision)
                }
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
