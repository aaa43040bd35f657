import CKernels
import Foundation
import Models
import Tensors
import Training

func now() -> Double {
  var t = timespec()
  clock_gettime(CLOCK_MONOTONIC, &t)
  return Double(t.tv_sec) + Double(t.tv_nsec) * 1e-9
}
func peak() -> String {
  (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8))?.split(separator: "\n")
    .first { $0.hasPrefix("VmHWM") }.map(String.init) ?? ""
}
let args = CommandLine.arguments
let T = Int(args[1])!
let precision: Precision = args[2] == "f32" ? .float32 : .bfloat16
let configuration = try KnownModel.named("Qwen2.5-0.5B").configuration
let decoder = Decoder(configuration, precision: precision)
if args.count > 3 { decoder.recomputedBlocks = Int(args[3])! }
decoder.initialize(seed: 1)
let optimizer = AdamW(decoder.parameters, .init())
let tokens = (0..<T).map { Int32(truncatingIfNeeded: RandomStream(seed: 1, "t")[$0] % 151_936) }
let row = PackedTokens(tokens)
let targets = Array(tokens.dropFirst()) + [-1]
let weights = [Float](repeating: 1 / Float(T - 1), count: T)
for _ in 0..<3 {
  let a = now()
  let lp = try decoder.accumulateGradients(row, targets: targets, weights: weights)
  let b = now()
  let norm = optimizer.gradientNorm()
  let c = now()
  optimizer.update(learningRate: 1e-4, gradientScale: AdamW.clippingScale(norm: norm, limit: 1))
  let d = now()
  print(-lp.reduce(0, +) / Float(T - 1), norm, "fb \(b-a) norm \(c-b) adam \(d-c) total \(d-a) tok/s \(Double(T)/(d-a))", peak())
}
