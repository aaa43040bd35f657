import CKernels
import EmulatedKernels
import Foundation
import XCTest

/// The kernels of one instruction set that this machine can run, by the name a failure shows.
struct Variant: CustomStringConvertible {
  let description: String
  let kernels: ck_kernels

  /// Whether products come from the processor's own bfloat16 instructions, not emulated ones.
  var hasBFloat16Instructions: Bool {
    (kernels.isa == ck_isa_avx512_bf16 || kernels.isa == ck_isa_neon_bf16)
      && description == String(cString: ck_isa_name(kernels.isa))
  }

  static let portable = Variant(
    description: "scalar", kernels: ck_kernels_for(ck_isa_scalar).pointee)

  /// All there are, the portable one first, the emulated one last.
  static let all: [Variant] = {
    var found: [Variant] = []
    for number in 0..<UInt32(ck_isa_count) {
      let isa = ck_isa(rawValue: number)
      guard let kernels = ck_kernels_for(isa) else { continue }
      found.append(
        Variant(description: String(cString: ck_isa_name(isa)), kernels: kernels.pointee))
    }
    if let kernels = emulated_avx512_bf16_kernels() {
      found.append(Variant(description: "AVX-512 BF16 emulated", kernels: kernels.pointee))
    }
    return found
  }()

  /// All but the portable one.
  static let others = Array(all.dropFirst())
}

/// Lengths around every vector width, so that each tail is run.
let lengths = [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 896, 897]

/// Memory for one operand that ends where an unreadable page begins: a kernel that reads past its
/// end does not come back.
final class Fenced {
  private let start: UnsafeMutableRawPointer
  private let length: Int
  private let page = Int(getpagesize())

  /// - Parameter bytes: The most that `place` will be given.
  init(bytes: Int) {
    length = (bytes + page - 1) / page * page
    let mapped = mmap(
      nil, length + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
    precondition(mapped != MAP_FAILED, "no memory for \(bytes) bytes")
    start = mapped!
    mprotect(start + length, page, PROT_NONE)
  }

  deinit { munmap(start, length + page) }

  /// Puts `values` at the very end.
  func place<Element>(_ values: [Element]) -> UnsafeMutablePointer<Element> {
    let bytes = values.count * MemoryLayout<Element>.stride
    precondition(bytes <= length, "\(bytes) bytes in \(length)")
    let pointer = (start + (length - bytes)).bindMemory(to: Element.self, capacity: values.count)
    values.withUnsafeBufferPointer { pointer.update(from: $0.baseAddress!, count: $0.count) }
    return pointer
  }
}

/// Memory for one result with a zone before and after it that must stay as it is.
final class Guarded<Element: FixedWidthInteger> {
  let count: Int
  private let whole: UnsafeMutablePointer<Element>
  private static var zone: Int { 128 }
  private static var mark: Element { Element(truncatingIfNeeded: 0x5ca1_ab1e) }

  init(count: Int) {
    self.count = count
    whole = .allocate(capacity: count + 2 * Self.zone)
    whole.initialize(repeating: Self.mark, count: count + 2 * Self.zone)
  }

  deinit { whole.deallocate() }

  var pointer: UnsafeMutablePointer<Element> { whole + Self.zone }
  var elements: [Element] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  func checkZones(
    _ what: @autoclosure () -> String, file: StaticString = #filePath, line: UInt = #line
  ) {
    for i in 0..<Self.zone {
      if whole[i] != Self.mark {
        XCTFail("\(what()) wrote [\(i - Self.zone)]", file: file, line: line)
        return
      }
      if pointer[count + i] != Self.mark {
        XCTFail("\(what()) wrote [\(count + i)] of \(count)", file: file, line: line)
        return
      }
    }
  }
}

extension Guarded where Element == UInt32 {
  convenience init(_ values: [Float]) {
    self.init(count: values.count)
    for (i, value) in values.enumerated() { pointer[i] = value.bitPattern }
  }

  var floats: UnsafeMutablePointer<Float> {
    UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: Float.self)
  }
  var values: [Float] { elements.map(Float.init(bitPattern:)) }
}
