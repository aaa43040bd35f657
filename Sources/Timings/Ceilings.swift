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

  /// Takes about two seconds.
  public static func measure() -> Ceilings {
    let pool = ThreadPool.shared
    let buffer = Tensor(zeros: [bufferCount])
    let library =
      switch OpenBLAS.shared {
      case .success(let library): "\(library.version), \(library.core) kernels"
      case .failure: "none"
      }
    let one = peak(threads: 1, kernels.peak_float32)
    let all = peak(threads: pool.threads, kernels.peak_float32)
    let hasBFloat16 = kernels.bfloat16.k_per_step > 1
    return Ceilings(
      float32PerCore: one, float32: all,
      bfloat16PerCore: hasBFloat16 ? peak(threads: 1, kernels.peak_bfloat16) : one,
      bfloat16: hasBFloat16 ? peak(threads: pool.threads, kernels.peak_bfloat16) : all,
      readPerCore: read(buffer, threads: 1), read: read(buffer, threads: pool.threads),
      threads: pool.threads, instructionSet: String(cString: ck_isa_name(kernels.isa)),
      openBLAS: library)
  }

  /// Floating-point operations per second of multiply-adds on all threads, measured in less than a
  /// second.
  public static func peak(bfloat16: Bool) -> Double {
    bfloat16 && kernels.bfloat16.k_per_step > 1
      ? peak(threads: ThreadPool.shared.threads, kernels.peak_bfloat16)
      : peak(threads: ThreadPool.shared.threads, kernels.peak_float32)
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
      let start = Stopwatch.now
      ThreadPool.shared.run(threads) { thread, _ in
        let done = work(4_000_000, sinks.row(thread))
        if thread == 0 { operations = done }
      }
      best = max(best, operations * Double(threads) / (Stopwatch.now - start))
    }
    return best
  }

  /// Bytes per second read from memory on all threads at this moment.
  static func readNow() -> Double {
    read(Tensor(zeros: [bufferCount]), threads: ThreadPool.shared.threads, tries: 2)
  }

  private static let bufferCount = 64 << 20  // 256 MiB: no cache holds it

  /// The best of several tries, in one stream for each thread and in four: which is faster is the
  /// processor's affair.
  private static func read(_ buffer: Tensor, threads: Int, tries: Int = 4) -> Double {
    var best = 0.0
    for attempt in 0..<2 * tries {
      let part = buffer.count / threads
      let start = Stopwatch.now
      ThreadPool.shared.run(threads) { thread, _ in
        _ = kernels.read_memory(
          buffer.pointer + thread * part, Int64(part) * 4, attempt % 2 == 0 ? 1 : 4)
      }
      best = max(best, Double(part * threads * 4) / (Stopwatch.now - start))
    }
    return best
  }
}
