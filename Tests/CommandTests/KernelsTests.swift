import Foundation
import Storage
import XCTest

@testable import Commands
@testable import Tensors
@testable import Timings

final class KernelsTests: XCTestCase {
  private func report(
    threads: Int, _ openBLAS: Result<KernelReport.Library, OpenBLAS.Missing>
  ) -> KernelReport {
    KernelReport(
      processor: "Model 7", cores: threads, inUse: .avx2, available: [.scalar, .avx2],
      openBLAS: openBLAS,
      ceilings: Ceilings(
        float32PerCore: 95.34e9, float32: 1901.26e9, bfloat16PerCore: 190e9, bfloat16: 3.8e12,
        readPerCore: 12.35e9, read: 24.04e9, threads: threads, instructionSet: "AVX2",
        openBLAS: ""))
  }

  private let library = KernelReport.Library(
    version: "OpenBLAS 0.3.21 DYNAMIC_ARCH MAX_THREADS=64", core: "Haswell")

  func testText() {
    XCTAssertEqual(
      report(threads: 20, .success(library)).text,
      """
      Processor         Model 7, 20 cores
      Instruction set   AVX2 (avx2)
      Available         scalar (scalar) and AVX2 (avx2)
      OpenBLAS          0.3.21, with its kernels for Haswell
      Threads           20

      at best                    1 thread       20 threads
      -------------------   -------------   --------------
      float32 operations     95.3 GFLOP/s   1901.3 GFLOP/s
      bfloat16 operations   190.0 GFLOP/s   3800.0 GFLOP/s
      memory read               12.3 GB/s        24.0 GB/s
      """)
  }

  func testTextOfOneThreadWithoutOpenBLAS() {
    XCTAssertEqual(
      report(threads: 1, .failure(OpenBLAS.Missing(description: "No OpenBLAS found."))).text,
      """
      Processor         Model 7, 1 core
      Instruction set   AVX2 (avx2)
      Available         scalar (scalar) and AVX2 (avx2)
      OpenBLAS          No OpenBLAS found.
      Threads           1

      at best                    1 thread
      -------------------   -------------
      float32 operations     95.3 GFLOP/s
      bfloat16 operations   190.0 GFLOP/s
      memory read               12.3 GB/s
      """)
  }

  func testJSON() throws {
    let expected = """
      {"processor": "Model 7", "cores": 20, "instructionSet": "avx2",
      "instructionSets": ["scalar", "avx2"],
      "openBLAS": {"version": "OpenBLAS 0.3.21 DYNAMIC_ARCH MAX_THREADS=64", "core": "Haswell"},
      "threads": 20, "float32PerCore": 95340000000.0, "float32": 1901260000000.0,
      "bfloat16PerCore": 190000000000.0, "bfloat16": 3800000000000.0,
      "readPerCore": 12350000000.0, "read": 24040000000.0}
      """
    XCTAssertEqual(
      report(threads: 20, .success(library)).json,
      try JSONValue(parsing: Data(expected.utf8), source: "expected"))
  }

  func testOfThisMachine() throws {
    let pool = ThreadPool.shared
    let threads = pool.threads
    defer { pool.threads = threads }
    let run = distill("kernels", "--json", "--threads", "2")
    XCTAssertEqual(run.errors, "")
    XCTAssertEqual(run.status, 0)
    let found = try XCTUnwrap(
      try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    XCTAssertEqual(found["threads"] as? Int, 2)
    XCTAssertEqual(found["instructionSet"] as? String, try InstructionSet.chosen().key)
    XCTAssertEqual(found["instructionSets"] as? [String], InstructionSet.available.map(\.key))
    XCTAssertEqual(found["processor"] as? String, processorName())
    for (key, least, most) in [
      ("float32PerCore", 1e8, 1e13), ("float32", 1e8, 1e13), ("bfloat16PerCore", 1e8, 1e14),
      ("bfloat16", 1e8, 1e14), ("readPerCore", 1e8, 1e12), ("read", 1e8, 1e13),
    ] {
      let rate = try XCTUnwrap(found[key] as? Double, key)
      XCTAssertTrue((least...most).contains(rate), "\(key) is \(rate)")
    }
  }

  func testProcessorNames() {
    for (text, name) in [
      ("processor\t: 0\nmodel name\t: AMD  EPYC 9654\nmodel name\t: other\n", "AMD EPYC 9654"),
      (
        "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n",
        "ARM, implementer 0x41, part 0xd40"
      ),
      ("model\t\t: 17\nmodel name\t:\nModel\t\t: Raspberry Pi 5\n", "Raspberry Pi 5"),
      ("CPU part\t: 0xd40\n", "unknown"), ("", "unknown"),
    ] {
      XCTAssertEqual(processorName(inCPUInfo: text), name)
    }
  }
}
