import Tensors

/// How long tokens take to choose, for `Timings`.
public enum SamplerBenchmark {
  /// Seconds for one token of each of some rows of random logits, the median of several.
  ///
  /// - Parameter clock: Seconds on a clock that is never set.
  public static func seconds(
    _ settings: SamplingSettings, rows: Int, vocabulary: Int, clock: () -> Double
  ) -> Double {
    let sampler = Sampler(settings: settings, reported: .model)
    let logits = Tensor(uninitialized: [rows, vocabulary])
    let scratch = Tensor(
      uninitialized: [ThreadPool.shared.threads, Sampler.scratchCount(vocabulary)])
    var times: [Double] = []
    for attempt in 0..<7 {
      logits.fillNormal(
        standardDeviation: 2, from: RandomStream(seed: 1, "benchmark logits", attempt))
      let start = clock()
      ThreadPool.shared.run(rows) { row, worker in
        _ = sampler.choose(
          from: logits.row(row), count: vocabulary, occurred: [],
          uniform: Double(row) / Double(rows), scratch: scratch.row(worker))
      }
      times.append(clock() - start)
    }
    return times.sorted()[times.count / 2]
  }
}
