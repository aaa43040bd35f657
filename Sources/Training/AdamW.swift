import CKernels
import Storage
import Tensors

/// AdamW: Adam with decoupled weight decay (Loshchilov & Hutter 2019).
///
/// Matrices decay; vectors (norms' gains, biases) do not. Every update is computed in float32,
/// whatever form weights and moments are kept in: what is kept in fewer bits is expanded a part at a
/// time and rounded back, weights in bfloat16 stochastically (so that many small updates move them,
/// where rounding to nearest would lose each), moments in 8-bit blocks to the nearest. The bits are
/// the same on any number of threads.
public final class AdamW {
  public struct Settings: Codable, Equatable, Sendable {
    /// Decay rates of the first and second moment.
    public var betas: [Float]
    public var epsilon: Float
    /// The share of a matrix's weights that is taken away per step, times the learning rate.
    public var weightDecay: Float

    public init(betas: [Float] = [0.9, 0.95], epsilon: Float = 1e-8, weightDecay: Float = 0) {
      precondition(betas.count == 2, "AdamW has two betas")
      self.betas = betas
      self.epsilon = epsilon
      self.weightDecay = weightDecay
    }
  }

  public let settings: Settings
  public let parameters: [Parameter]
  /// Of the random numbers that weights in bfloat16 are rounded with; the loop leaves inputs of
  /// adapters out by it as well.
  public let seed: UInt64
  /// Steps taken.
  public internal(set) var step = 0
  /// Running means of gradients and of their squares, in the order of the parameters.
  let first: [Moment]
  let second: [Moment]

  /// An optimizer whose moments are in float32, in memory.
  public init(_ parameters: [Parameter], _ settings: Settings, seed: UInt64 = 0) {
    self.parameters = parameters
    self.settings = settings
    self.seed = seed
    first = parameters.map { .float32(Tensor(zeros: [$0.count])) }
    second = parameters.map { .float32(Tensor(zeros: [$0.count])) }
  }

  /// - Parameter seed: Of the random numbers that weights in bfloat16 are rounded with.
  /// - Throws: `FileError` where moments on the disk have no folder or not enough space.
  public init(
    _ parameters: [Parameter], _ settings: Settings, moments: MomentStorage, seed: UInt64 = 0
  ) throws(FileError) {
    self.parameters = parameters
    self.settings = settings
    self.seed = seed
    (first, second) = try Moment.zeros(of: parameters, moments)
  }

  /// Running means of gradients, in float32, in the order of the parameters: the memory that they
  /// are kept in, where they are in memory and in float32; else copies.
  public var firstMoments: [Tensor] { first.map(\.tensor) }
  /// Running means of the gradients' squares, as `firstMoments`.
  public var secondMoments: [Tensor] { second.map(\.tensor) }

  /// The norm of all gradients taken together, `√Σ g²`: the same bits on any number of threads.
  public func gradientNorm() -> Double {
    parameters.indices.reduce(0) { $0 + gradientSquares($1) }.squareRoot()
  }

  /// Σ g² of one parameter's gradient; 0 without one. Added up in the order of the parameters, they
  /// are the square of `gradientNorm()`, to the bit.
  func gradientSquares(_ index: Int) -> Double { parameters[index].gradient?.squareSum() ?? 0 }

  /// Updates the parameters from their gradients, and forgets the gradients.
  ///
  /// - Parameter gradientScale: What gradients are multiplied by first, as for clipping.
  public func update(learningRate: Float, gradientScale: Float = 1) {
    beginUpdate()
    update(Array(parameters.indices), learningRate: learningRate, gradientScale: gradientScale)
  }

  /// Counts a step, the parts of which are then made by `update(_:learningRate:gradientScale:)`.
  public func beginUpdate() { step += 1 }

  /// Makes a part of the step that was begun last: updates some parameters from their gradients, and
  /// forgets these.
  ///
  /// - Parameters:
  ///   - indices: Of the parameters; each only once in a step, and those that lie in one weight
  ///     together.
  ///   - gradientScale: What gradients are multiplied by first, as for clipping.
  public func update(_ indices: [Int], learningRate: Float, gradientScale: Float = 1) {
    precondition(step > 0, "an update is begun first")
    let held = indices.filter { parameters[$0].gradient != nil }
    if let start = held.first { willNeed(start, from: 0) }
    for (place, index) in held.enumerated() {
      update(
        index, next: place + 1 < held.count ? held[place + 1] : nil, learningRate, gradientScale)
    }
    for index in indices { parameters[index].weight.clearGradient() }
    // On the way back through a model, those of the layer below come next.
    if let least = indices.min() {
      for index in max(0, least - indices.count)..<least { willNeed(index, from: 0) }
    }
  }

  /// - Parameter next: The parameter whose turn it is afterwards.
  private func update(_ index: Int, next: Int?, _ rate: Float, _ scale: Float) {
    let parameter = parameters[index]
    guard let gradient = parameter.gradient else { return }
    let (m, v) = (first[index], second[index])
    let part = Part(self, parameter, index, gradient.pointer, rate, scale)
    let threads = ThreadPool.shared.threads
    // Scratch memory of each thread, for what is expanded.
    let scratch = part.isDirect ? nil : Tensor(uninitialized: [threads, 3 * Part.size])
    let count = parameter.count
    let section = max(1, min(m.section, count))
    for start in stride(from: 0, to: count, by: section) {
      let end = min(start + section, count)
      if end < count {
        willNeed(index, from: end)
      } else if let next {
        willNeed(next, from: 0)
      }
      ThreadPool.shared.forEachChunk(of: end - start, size: Self.chunk) { range, _, worker in
        let range = start + range.lowerBound..<start + range.upperBound
        guard let scratch else { return part.update(range, scratch: nil) }
        for at in stride(from: range.lowerBound, to: range.upperBound, by: Part.size) {
          part.update(
            at..<min(at + Part.size, range.upperBound), scratch: scratch.row(worker))
        }
      }
      m.release(start..<end)
      v.release(start..<end)
    }
  }

  private func willNeed(_ index: Int, from start: Int) {
    let (m, v) = (first[index], second[index])
    guard m.section < .max else { return }
    m.willNeed(start..<start + m.section)
    v.willNeed(start..<start + v.section)
  }

  private static let chunk = 1 << 16

  /// Clips by global norm: what to multiply gradients by so that their norm is at most `limit`.
  public static func clippingScale(norm: Double, limit: Double) -> Float {
    norm > limit ? Float(limit / (norm + 1e-6)) : 1
  }
}

/// A step of one parameter, whose stretches are computed in any order.
private struct Part: @unchecked Sendable {
  /// Numbers that are expanded at a time: they stay in the nearest caches. A multiple of a block.
  static let size = 1 << 12

  private let storage: ParameterStorage
  private let gradient: UnsafePointer<Float>
  private let first: Moment
  private let second: Moment
  private let rounding: RandomStream
  private let settings: AdamW.Settings
  private let decay: Float
  private let c1: Float
  private let c2: Float
  private let rate: Float
  private let scale: Float

  init(
    _ optimizer: AdamW, _ parameter: Parameter, _ index: Int, _ gradient: UnsafePointer<Float>,
    _ rate: Float, _ scale: Float
  ) {
    storage = parameter.storage
    self.gradient = gradient
    first = optimizer.first[index]
    second = optimizer.second[index]
    rounding = RandomStream(seed: optimizer.seed, "rounding", optimizer.step, index)
    settings = optimizer.settings
    decay = parameter.shape.count > 1 ? settings.weightDecay : 0
    c1 = Float(1 - Self.power(Double(settings.betas[0]), optimizer.step))
    c2 = Float(1 - Self.power(Double(settings.betas[1]), optimizer.step))
    self.rate = rate
    self.scale = scale
  }

  /// Whether all is in float32 where it is kept.
  var isDirect: Bool {
    if case .bfloat16 = storage { return false }
    return first.floats != nil && second.floats != nil
  }

  /// - Parameter scratch: Three times `size` floats, unless all is direct.
  func update(_ range: Range<Int>, scratch: UnsafeMutablePointer<Float>?) {
    let at = range.lowerBound
    let p: UnsafeMutablePointer<Float>
    switch (storage, scratch) {
    case (.float32(let values), _): p = values + at
    case (.bfloat16(let words), let scratch?):
      p = scratch
      kernels.float_from_bfloat16(p, words + at, Int64(range.count))
    case (.bfloat16, nil): preconditionFailure("there is no place to expand weights to")
    }
    let m = expanded(first, range, scratch.map { $0 + Self.size })
    let v = expanded(second, range, scratch.map { $0 + 2 * Self.size })
    kernels.adamw(
      p, gradient + at, m, v, Int64(range.count), scale, rate, settings.betas[0],
      settings.betas[1], settings.epsilon, decay, c1, c2)
    if case .bfloat16(let words) = storage {
      kernels.round_stochastically(
        words + at, p, Int64(range.count), rounding.key, Int64(at))
    }
    if case .blocks(let blocks) = first { blocks.set(range, from: m) }
    if case .blocks(let blocks) = second { blocks.set(range, from: v) }
  }

  private func expanded(
    _ moment: Moment, _ range: Range<Int>, _ scratch: UnsafeMutablePointer<Float>?
  ) -> UnsafeMutablePointer<Float> {
    if let floats = moment.floats { return floats + range.lowerBound }
    guard case .blocks(let blocks) = moment, let scratch else {
      preconditionFailure("there is no place to expand moments to")
    }
    blocks.expand(range, into: scratch)
    return scratch
  }

  private static func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0, square = base, left = exponent
    while left > 0 {
      if left & 1 == 1 { result *= square }
      square *= square
      left >>= 1
    }
    return result
  }
}
