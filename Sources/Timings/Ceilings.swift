import CKernels
import Foundation
import Tensors

/// What this machine can do at best, measured.
public struct Ceilings: Codable, Sendable {
  /// Floating-point operations per second of multiply-adds on registers: one core, all threads.
  public let float32PerCore: Double
  public let float32: Double
  /// The same with bfloat16 operands; without instructions for them, float32's.
  public let bfloat16PerCore: Double
  public let bfloat16: Double
  /// Bytes per second read from memory: one core, all threads.
  public let readPerCore: Double
  public let read: Double
  public let threads: Int
  public let instructionSet: String
  /// OpenBLAS's version and the kernels it runs, or that there is none.
  public let openBLAS: String

  /// Takes about a second.
  public static func measure() -> Ceilings {
    let pool = ThreadPool.shared
    let buffer = Tensor(zeros: [64 << 20])  // 256 MiB: more than most caches hold
    let library =
      switch OpenBLAS.shared {
      case .success(let library): "\(library.version), \(library.core) kernels"
      case .failure: "none"
      }
    return Ceilings(
      float32PerCore: peak(threads: 1, kernels.peak_float32),
      float32: peak(threads: pool.threads, kernels.peak_float32),
      bfloat16PerCore: peak(threads: 1, kernels.peak_bfloat16),
      bfloat16: peak(threads: pool.threads, kernels.peak_bfloat16),
      readPerCore: read(buffer, threads: 1), read: read(buffer, threads: pool.threads),
      threads: pool.threads, instructionSet: String(cString: ck_isa_name(kernels.isa)),
      openBLAS: library)
  }

  /// The best of several tries, since anything else on the machine only slows it.
  private static func peak(
    threads: Int, _ work: (Int64, UnsafeMutablePointer<Float>?) -> Double
  ) -> Double {
    let sinks = Tensor(zeros: [threads, 16])
    for thread in 0..<threads {
      sinks.row(thread)[0] = 0.5
      sinks.row(thread)[1] = 0.25
    }
    var best = 0.0
    for _ in 0..<5 {
      var operations = 0.0
      let start = now
      ThreadPool.shared.run(threads) { thread, _ in
        let done = work(4_000_000, sinks.row(thread))
        if thread == 0 { operations = done }
      }
      best = max(best, operations * Double(threads) / (now - start))
    }
    return best
  }

  private static func read(_ buffer: Tensor, threads: Int) -> Double {
    let part = buffer.count / threads
    var best = 0.0
    for _ in 0..<4 {
      let start = now
      ThreadPool.shared.run(threads) { thread, _ in
        _ = ck_read_memory(buffer.pointer + thread * part, Int64(part) * 4)
      }
      best = max(best, Double(part * threads * 4) / (now - start))
    }
    return best
  }

  /// Seconds on a clock that is never set.
  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }
}
