// Trains a decoder of two layers on one sentence, a byte to a token, until it knows it by heart,
// and has it go on from the first words. Takes a second:
//
//   swift run -c release memorize
//
// Exits with status 1 if the sentence does not come back.
import Foundation
import Models
import Tensors
import Training

let sentence = "She sells sea shells by the sea shore, and the shells she sells are sea shells."
let tokens = sentence.utf8.map(Int32.init)
let prompt = Array(tokens.prefix(9))

let configuration = try ModelConfiguration(
  family: .llama, vocabSize: 128, hiddenSize: 48, intermediateSize: 96, numHiddenLayers: 2,
  numAttentionHeads: 4, numKeyValueHeads: 2, maxPositionEmbeddings: 128)
let decoder = Decoder(configuration, precision: .bfloat16)
decoder.initialize(seed: 1)
print("A \(configuration.family) model of \(configuration.parameterCount) parameters.")

// Every token's target is the one after it; the last has none.
let targets = tokens.dropFirst() + [-1]
let weights = [Float](repeating: 1 / Float(tokens.count - 1), count: tokens.count)
let optimizer = AdamW(decoder.parameters, AdamW.Settings())
for step in 0...100 {
  let logProbabilities = try decoder.accumulateGradients(
    PackedTokens(tokens), targets: Array(targets), weights: weights)
  let loss = -logProbabilities.reduce(0, +) / Float(tokens.count - 1)
  let scale = AdamW.clippingScale(norm: optimizer.gradientNorm(), limit: 1)
  optimizer.update(learningRate: 3e-3, gradientScale: scale)
  if step % 20 == 0 { print("step \(step): loss \(String(format: "%.4f", loss))") }
}

let cache = KeyValueCache(decoder, capacity: tokens.count)
let completion = try cache.greedy(prompt, count: tokens.count - prompt.count)
print(String(decoding: (prompt + completion).map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self))
exit(prompt + completion == tokens ? 0 : 1)
