import Foundation

/// A place for bytes that end where the process may not read on: one byte too far stops it.
final class GuardedBytes {
  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  private let total: Int

  init(capacity: Int) {
    let page = Int(getpagesize())
    self.capacity = (capacity + page - 1) / page * page
    total = self.capacity + page
    guard
      let base = mmap(nil, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0),
      base != MAP_FAILED, mprotect(base + self.capacity, page, PROT_NONE) == 0
    else { preconditionFailure("no memory") }
    self.base = base
  }

  deinit { munmap(base, total) }

  /// The same bytes, at the end of the memory.
  func place(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
    precondition(bytes.count <= capacity)
    let start = base + (capacity - bytes.count)
    bytes.withUnsafeBytes { source in
      if let address = source.baseAddress {
        start.copyMemory(from: address, byteCount: source.count)
      }
    }
    return UnsafeRawBufferPointer(start: start, count: bytes.count)
  }
}

/// A repeatable source of randomness: the same seed gives the same test.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// The seeds of a fuzz test: as many as `DISTILL_FUZZ_CASES` says, from `DISTILL_FUZZ_SEED` on.
func fuzzSeeds(_ count: Int = 20_000) -> Range<UInt64> {
  let environment = ProcessInfo.processInfo.environment
  let first = environment["DISTILL_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
  let count = environment["DISTILL_FUZZ_CASES"].flatMap { UInt64($0) } ?? UInt64(count)
  return first..<(first &+ max(count, 1))
}
