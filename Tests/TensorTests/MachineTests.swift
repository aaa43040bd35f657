import Foundation
import XCTest

@testable import Tensors

/// What is chosen for this machine, and what is said when it can't be.
final class MachineTests: XCTestCase {
  func testTheBestInstructionSetIsChosen() throws {
    let available = InstructionSet.available
    XCTAssertEqual(available.first, .scalar)
    XCTAssertEqual(try InstructionSet.chosen(in: [:]), available.last)
    XCTAssertEqual(try InstructionSet.chosen(in: ["DISTILL_ISA": ""]), available.last)
    for set in available {
      XCTAssertEqual(try InstructionSet.chosen(in: ["DISTILL_ISA": set.key]), set)
      XCTAssertEqual(try InstructionSet.chosen(in: ["DISTILL_ISA": set.key.uppercased()]), set)
      XCTAssertEqual(set.kernels.map { Int($0.pointee.isa.rawValue) }, set.rawValue)
    }
  }

  func testNames() {
    XCTAssertEqual(
      InstructionSet.allCases.map(\.key),
      ["scalar", "neon", "neon-bf16", "avx2", "avx512", "avx512-vnni", "avx512-bf16"])
    XCTAssertEqual(
      InstructionSet.allCases.map(\.name),
      ["scalar", "NEON", "NEON BF16", "AVX2", "AVX-512", "AVX-512 VNNI", "AVX-512 BF16"])
  }

  func testUnknownInstructionSet() {
    let keys = InstructionSet.available.map { "'\($0.key)'" }.joined(separator: ", ")
    assertRefused("avx1024", "DISTILL_ISA is 'avx1024', not one of \(keys).")
    assertRefused("AVX-512", "DISTILL_ISA is 'AVX-512', not one of \(keys).")
    #if arch(x86_64)
      XCTAssertTrue(keys.hasPrefix("'scalar'"), keys)
      assertRefused(
        "neon", "DISTILL_ISA is 'neon', which this machine can't run; it has \(keys).")
    #else
      assertRefused(
        "avx2", "DISTILL_ISA is 'avx2', which this machine can't run; it has \(keys).")
    #endif
  }

  private func assertRefused(_ wish: String, _ sentence: String, line: UInt = #line) {
    XCTAssertThrowsError(try InstructionSet.chosen(in: ["DISTILL_ISA": wish]), line: line) {
      XCTAssertEqual("\($0)", sentence, line: line)
      XCTAssertEqual($0 as? InstructionSetError, InstructionSetError(description: sentence))
    }
  }

  func testNoOpenBLAS() {
    let found = OpenBLAS.load(names: ["libno-such-library.so.0", "libno-such-library.dylib"])
    guard case .failure(let missing) = found else { return XCTFail("found \(found)") }
    XCTAssertEqual(
      "\(missing)",
      "No OpenBLAS found for float32 products. Install it ('apt install libopenblas-dev' on Debian "
        + "and Ubuntu, 'brew install openblas' on macOS), or use bfloat16.")
  }

  /// A library that is there but is no BLAS counts as none.
  func testALibraryWithoutProducts() {
    #if canImport(Darwin)
      let name = "libSystem.dylib"
    #else
      let name = "libc.so.6"
    #endif
    guard case .failure = OpenBLAS.load(names: [name]) else { return XCTFail("took \(name)") }
  }

  func testOpenBLASSaysWhatItIs() throws {
    guard case .success(let library) = OpenBLAS.shared else { throw XCTSkip("no OpenBLAS here") }
    XCTAssertTrue(library.version.contains("OpenBLAS"), library.version)
    XCTAssertFalse(library.core.isEmpty)
    XCTAssertNotEqual(library.core, "unknown")
  }
}
