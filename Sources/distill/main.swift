import Foundation
import Timings
import Tensors
let args = CommandLine.arguments
let watch = Stopwatch(Ceilings.measure())
print(watch.ceilings)
func show(_ m: Timing) {
  print(String(format: "%@ %d %@  %.1f tok/s  %.1f GF/s  %.1f%%  %.2f GB %.3f s", m.name, m.tokensPerRow, m.precision, m.tokensPerSecond, m.operationsPerSecond / 1e9, m.fractionOfPeak * 100, Double(m.peakMemoryBytes) / 1e9, m.seconds))

}
let lengths = args.dropFirst(2).compactMap { Int($0) }
let precisions = args.contains("bf16") ? [Precision.bfloat16] : args.contains("f32") ? [.float32] : Precision.allCases
switch args[1] {
case "products": ProductBenchmark.run(with: watch, precisions: precisions, matching: args[2], report: show)
case "attention": AttentionBenchmark.run(with: watch, lengths: lengths, report: show)
default: try TrainingBenchmark.run(with: watch, lengths: lengths, precisions: precisions, recomputing: args.contains("recompute"), report: show)
}
