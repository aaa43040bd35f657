import Models

/// In what form training keeps weights, moments and gradients: what it takes in memory, and what that
/// costs in time and exactness.
public struct TrainingForm: Equatable, Sendable {
  /// AdamW's two moments.
  public enum Moments: String, CaseIterable, Codable, Sendable {
    case float32
    /// A byte each, with a scale for each block (Dettmers et al. 2022).
    case eightBit = "8bit"
    /// In float32 on the disk, read and written with every update. The results are the same to the
    /// bit.
    case disk
  }

  public var weights: TrainedStorage
  public var moments: Moments
  public var gradients: GradientKeeping
  /// Adapters, which are trained instead of the weights.
  public var lowRank: LowRankSettings?
  /// Bytes of an element of the frozen matrices beside adapters.
  public var frozenBytes: Int
  /// Whether frozen matrices are read from the disk layer by layer whenever they are needed.
  public var streamsFrozen: Bool

  public init(
    weights: TrainedStorage = .float32, moments: Moments = .float32,
    gradients: GradientKeeping = .kept,
    lowRank: LowRankSettings? = nil, frozenBytes: Int = 2, streamsFrozen: Bool = false
  ) {
    self.weights = weights
    self.moments = moments
    self.gradients = gradients
    self.lowRank = lowRank
    self.frozenBytes = frozenBytes
    self.streamsFrozen = streamsFrozen
  }

  /// Where an optimizer keeps the moments.
  ///
  /// - Parameter folder: For those on the disk.
  public func momentStorage(in folder: String) -> MomentStorage {
    switch moments {
    case .float32: .float32
    case .eightBit: .blockwise8Bit
    case .disk: .disk(folder: folder)
    }
  }

  /// What the results depend on, to the bit.
  public var identity: String {
    let moments = moments == .eightBit ? "moments in 8 bits" : "moments in float32"
    if let lowRank {
      return
        "adapters of rank \(lowRank.rank) beside \(frozenBytes == 2 ? "bfloat16" : "float32"), "
        + moments
    }
    let clipping = gradients == .releasedPerLayer ? "clipped by layer" : "clipped together"
    return "weights in \(weights.rawValue), \(moments), gradients \(clipping)"
  }

  /// The form in words.
  public var words: String {
    if let lowRank {
      let kept = frozenBytes == 2 ? "bfloat16" : "float32"
      return "adapters of rank \(lowRank.rank) beside weights in \(kept)"
        + (streamsFrozen ? " from the disk" : "") + (moments == .eightBit ? ", 8-bit moments" : "")
    }
    let moments =
      switch moments {
      case .float32: "float32 moments"
      case .eightBit: "8-bit moments"
      case .disk: "moments on the disk"
      }
    let gradients =
      switch gradients {
      case .kept: "gradients kept"
      case .releasedPerLayer: "gradients released, clipped by layer"
      case .releasedTwoPass: "gradients released, in two passes"
      }
    return "\(weights.rawValue) weights, \(moments), \(gradients)"
  }
}
