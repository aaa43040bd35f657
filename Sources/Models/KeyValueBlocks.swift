import Foundation
import Layers
import Tensors

/// The memory in which sequences keep their keys and values: blocks of a few tokens, for all layers.
///
/// Sequences with a common beginning share its blocks; a block is copied only where one of them
/// writes into it. Memory is taken when it is needed, never beyond `capacity`, and given back with
/// the last sequence that refers to it.
public final class KeyValueBlocks: @unchecked Sendable {
  public let layout: CacheLayout
  /// The most blocks there may be.
  public let capacity: Int
  let precision: Precision

  private let lock = NSLock()
  private var slabs: [Tensor] = []
  private var free: [Int] = []
  private var references: [Int32] = []  // of each block that was ever used

  private let blocksPerSlab: Int
  private static let slabBytes = 16 << 20

  /// - Parameter capacity: In blocks of `blockTokens` tokens.
  public init(_ decoder: Decoder, capacity: Int) {
    precision = decoder.precision
    layout = Self.layout(decoder.configuration, precision)
    self.capacity = max(0, capacity)
    blocksPerSlab = max(1, Self.slabBytes / (layout.blockWords * 4))
  }

  /// Bytes of one block of a model.
  public static func blockBytes(
    _ configuration: ModelConfiguration, precision: Precision
  ) -> Int { layout(configuration, precision).blockWords * 4 }

  /// Blocks of a model that `tokens` tokens take.
  public static func blocks(
    _ configuration: ModelConfiguration, precision: Precision, for tokens: Int
  ) -> Int {
    let size = layout(configuration, precision).blockTokens
    return (tokens + size - 1) / size
  }

  public var blockTokens: Int { layout.blockTokens }

  /// Blocks that `tokens` tokens take.
  public func blocks(for tokens: Int) -> Int { (tokens + blockTokens - 1) / blockTokens }

  /// Blocks that no sequence refers to, whether their memory was taken yet or not.
  public var freeCount: Int { lock.withLock { free.count + capacity - references.count } }
  /// Blocks that sequences refer to.
  public var usedCount: Int { capacity - freeCount }
  /// Bytes taken so far.
  public var byteCount: Int { lock.withLock { slabs.reduce(0) { $0 + $1.count * 4 } } }

  // MARK: - For sequences

  /// A block of zeros with one reference; nil when all are in use.
  func take() -> Int? {
    let index: Int? = lock.withLock {
      if let index = free.popLast() {
        references[index] = 1
        return index
      }
      if references.count >= capacity { return nil }
      references.append(1)
      let index = references.count - 1
      if index / blocksPerSlab >= slabs.count {
        let count = min(blocksPerSlab, capacity - index)
        slabs.append(Tensor(uninitialized: [count, layout.blockWords]))
      }
      return index
    }
    if let index { pointer(index).update(repeating: 0, count: layout.blockWords) }
    return index
  }

  func retain(_ blocks: some Sequence<Int>) {
    lock.withLock { for block in blocks { references[block] += 1 } }
  }

  func release(_ blocks: some Sequence<Int>) {
    lock.withLock {
      for block in blocks {
        references[block] -= 1
        if references[block] == 0 { free.append(block) }
      }
      if free.count == references.count {
        (slabs, free, references) = ([], [], [])
      }
    }
  }

  func isShared(_ block: Int) -> Bool { lock.withLock { references[block] > 1 } }

  func pointer(_ block: Int) -> UnsafeMutablePointer<UInt32> {
    let (slab, row) = block.quotientAndRemainder(dividingBy: blocksPerSlab)
    let memory = lock.withLock { slabs[slab] }
    return UnsafeMutableRawPointer(memory.row(row)).assumingMemoryBound(to: UInt32.self)
  }

  func copy(_ block: Int, to other: Int) {
    pointer(other).update(from: pointer(block), count: layout.blockWords)
  }

  private static func layout(
    _ configuration: ModelConfiguration, _ precision: Precision
  ) -> CacheLayout {
    CacheLayout(
      layers: configuration.numHiddenLayers, keyValueHeads: configuration.numKeyValueHeads,
      headSize: configuration.headDim, precision: precision)
  }
}

/// One sequence's keys and values, in blocks that it may share with others.
public final class CachedSequence: @unchecked Sendable {
  public let memory: KeyValueBlocks
  /// Tokens held.
  public private(set) var count = 0
  private(set) var blocks: [Int] = []
  /// Where the blocks are. They do not move while a sequence refers to them.
  private(set) var pointers: [UnsafeMutablePointer<UInt32>] = []
  /// Whether the last block is known to be this sequence's alone, so that nobody need be asked.
  private var ownsLastBlock = false

  public init(in memory: KeyValueBlocks) { self.memory = memory }
  deinit { memory.release(blocks) }

  /// A sequence that goes on from the same tokens, in the same memory.
  public func fork() -> CachedSequence {
    let other = CachedSequence(in: memory)
    memory.retain(blocks)
    other.blocks = blocks
    other.pointers = pointers
    other.count = count
    ownsLastBlock = false
    return other
  }

  /// The free blocks that are needed before `tokens` more can be appended.
  public func missingBlocks(for tokens: Int) -> Int {
    if tokens == 0 { return 0 }
    return memory.blocks(for: count + tokens) - blocks.count + (copiesLastBlock ? 1 : 0)
  }

  /// Makes room for `tokens` more.
  ///
  /// - Returns: Whether there was memory for them; if not, nothing changed.
  public func reserve(_ tokens: Int) -> Bool {
    let missing = missingBlocks(for: tokens)
    if missing <= 0 { return true }
    var taken: [Int] = []
    while taken.count < missing {
      guard let block = memory.take() else {
        memory.release(taken)
        return false
      }
      taken.append(block)
    }
    if copiesLastBlock, let last = blocks.popLast() {
      let own = taken.removeFirst()
      memory.copy(last, to: own)
      memory.release([last])
      pointers.removeLast()
      append([own])
    }
    append(taken)
    return true
  }

  private func append(_ own: [Int]) {
    if own.isEmpty { return }
    blocks += own
    pointers += own.map(memory.pointer)
    ownsLastBlock = true
  }

  /// Whether the next token goes into a block that others read.
  private var copiesLastBlock: Bool {
    guard !ownsLastBlock, count % memory.blockTokens != 0, let last = blocks.last else {
      return false
    }
    return memory.isShared(last)
  }

  /// Counts tokens whose keys and values were stored.
  func advance(_ tokens: Int) { count += tokens }
}
