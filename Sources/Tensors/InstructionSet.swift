import CKernels
import Foundation

/// An instruction set that the kernels were compiled for.
public enum InstructionSet: Int, CaseIterable, Sendable {
  case scalar, neon, neonBF16, avx2, avx512, avx512VNNI, avx512BF16

  /// How a person reads it, such as "AVX-512 BF16".
  public var name: String { String(cString: ck_isa_name(ck_isa(UInt32(rawValue)))) }
  /// How `DISTILL_ISA` spells it, such as "avx512-bf16".
  public var key: String { String(cString: ck_isa_key(ck_isa(UInt32(rawValue)))) }

  /// Its kernels; nil where this machine or this build lacks them.
  public var kernels: UnsafePointer<ck_kernels>? { ck_kernels_for(ck_isa(UInt32(rawValue))) }

  /// Those this machine can run, the portable one first.
  public static var available: [InstructionSet] { allCases.filter { $0.kernels != nil } }

  /// What the environment asks for with `DISTILL_ISA`, or the best there is.
  ///
  /// - Throws: `InstructionSetError` when that is no instruction set, or not one of this machine.
  public static func chosen(
    in environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(InstructionSetError) -> InstructionSet {
    let best = available.last ?? .scalar
    guard let wish = environment["DISTILL_ISA"], !wish.isEmpty else { return best }
    guard let found = allCases.first(where: { $0.key == wish.lowercased() }) else {
      throw InstructionSetError(
        description: "DISTILL_ISA is '\(wish)', not one of "
          + "\(available.map { "'\($0.key)'" }.joined(separator: ", ")).")
    }
    guard found.kernels != nil else {
      throw InstructionSetError(
        description: "DISTILL_ISA is '\(wish)', which this machine can't run; it has "
          + "\(available.map { "'\($0.key)'" }.joined(separator: ", ")).")
    }
    return found
  }
}

/// Why the instruction set asked for can't be used.
public struct InstructionSetError: Error, Equatable, CustomStringConvertible {
  public let description: String
}

/// The kernels in use: those `DISTILL_ISA` names, or the best this machine has.
///
/// A wrong `DISTILL_ISA` is reported by `InstructionSet.chosen()`, which programs call first;
/// here the best stands in for it.
public let kernels: ck_kernels =
  ((try? InstructionSet.chosen())?.kernels ?? ck_best_kernels()!).pointee

/// The precision of matrix products and attention; memory always holds float32.
public enum Precision: String, CaseIterable, Codable, Sendable {
  /// Operands as they are; matrix products by OpenBLAS.
  case float32
  /// Operands rounded to bfloat16, sums in float32, by our own tiles: the same bits for an output
  /// element whatever the rows beside it, the batch and the number of threads.
  case bfloat16
}

extension ck_kernels {
  /// The products of one precision.
  public func products(_ precision: Precision) -> ck_products {
    precision == .float32 ? float32 : bfloat16
  }
}
