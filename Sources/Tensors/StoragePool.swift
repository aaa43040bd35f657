import Foundation

/// Memory that was freed, kept for the next allocation of about the same size.
///
/// A training step allocates the same sizes over and over. Fresh memory costs a page fault and a
/// clearing for every 4 KiB; memory from here costs nothing. Large buffers ask for huge pages.
public final class StoragePool: @unchecked Sendable {
  public static let shared = StoragePool()

  private let lock = NSLock()
  private var free: [Int: [UnsafeMutableRawPointer]] = [:]
  private var freeSizes: [Int] = []  // of `free`, ascending
  private(set) var bytesFree = 0
  private var bytesInUse = 0

  private static let freeBytesAlwaysKept = 256 << 20
  private static let hugePage = 2 << 20
  private static let hugePageAdvice: Int32 = 14  // MADV_HUGEPAGE, which Swift does not import

  /// Memory for at least `bytes` bytes, aligned to 64, with whatever it held before.
  func take(_ bytes: Int) -> (pointer: UnsafeMutableRawPointer, size: Int) {
    let size = Self.rounded(bytes)
    lock.lock()
    // A buffer up to an eighth too large is near enough.
    if let index = freeSizes.firstIndex(where: { $0 >= size }), freeSizes[index] <= size + size / 8
    {
      let found = freeSizes[index]
      if let pointer = popFree(index) {
        bytesInUse += found
        lock.unlock()
        return (pointer, found)
      }
    }
    bytesInUse += size
    let surplus = takeSurplus()
    lock.unlock()
    for pointer in surplus { Foundation.free(pointer) }
    return (Self.allocate(size), size)
  }

  /// What is free beyond a quarter of what is in use, the largest first.
  ///
  /// Rows of many lengths leave buffers of many sizes, which would add up. Looked at only when
  /// nothing fits: steps that repeat find what they left.
  private func takeSurplus() -> [UnsafeMutableRawPointer] {
    var surplus: [UnsafeMutableRawPointer] = []
    while bytesFree > max(Self.freeBytesAlwaysKept, bytesInUse / 4),
      let pointer = popFree(freeSizes.count - 1)
    {
      surplus.append(pointer)
    }
    return surplus
  }

  /// Takes a buffer of the size at `index` of `freeSizes` out of those that are free.
  private func popFree(_ index: Int) -> UnsafeMutableRawPointer? {
    guard freeSizes.indices.contains(index) else { return nil }
    let size = freeSizes[index]
    guard let pointer = free[size]?.popLast() else { return nil }
    bytesFree -= size
    if free[size]?.isEmpty == true {
      free[size] = nil
      freeSizes.remove(at: index)
    }
    return pointer
  }

  func give(_ pointer: UnsafeMutableRawPointer, size: Int) {
    lock.lock()
    if free[size] == nil {
      free[size] = []
      freeSizes.insert(size, at: freeSizes.firstIndex { $0 > size } ?? freeSizes.count)
    }
    free[size]?.append(pointer)
    bytesFree += size
    bytesInUse -= size
    lock.unlock()
  }

  /// Gives everything that is free back to the system.
  public func trim() {
    lock.lock()
    let buffers = free.values.joined()
    free = [:]
    freeSizes = []
    bytesFree = 0
    lock.unlock()
    for buffer in buffers { Foundation.free(buffer) }
  }

  private static func rounded(_ bytes: Int) -> Int {
    let unit = bytes >= 4096 ? 4096 : 64
    return max(64, (bytes + unit - 1) / unit * unit)
  }

  private static func allocate(_ size: Int) -> UnsafeMutableRawPointer {
    var pointer: UnsafeMutableRawPointer?
    let status = posix_memalign(&pointer, size >= hugePage ? hugePage : 64, size)
    // Running out of memory is the plan's business (a run that can't fit is refused before it
    // starts); here nothing could be done about it.
    guard status == 0, let pointer else { preconditionFailure("no memory for \(size) bytes") }
    #if os(Linux)
      // Whole huge pages only: the rest of a page would be memory that nobody uses.
      if size >= hugePage { madvise(pointer, size / hugePage * hugePage, hugePageAdvice) }
    #endif
    return pointer
  }
}

/// A stretch of memory from the pool, given back when nothing refers to it any more.
final class Buffer: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  private let size: Int

  init(bytes: Int) { (pointer, size) = StoragePool.shared.take(bytes) }
  deinit { StoragePool.shared.give(pointer, size: size) }
}
