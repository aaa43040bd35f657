import Foundation

/// The system's OpenBLAS, loaded when it is first used, after choosing its kernels for this CPU.
///
/// OpenBLAS reads `OPENBLAS_CORETYPE` as it is loaded and picks by CPU model; a version older than
/// the CPU falls back to kernels of half the speed, silently (0.3.21 on Zen 4 and 5). So the
/// library is not linked but loaded, with the choice made beforehand from what the CPU can do. A
/// user's own setting wins. It runs on one thread per call; the tiles around it are ours.
public struct OpenBLAS: @unchecked Sendable {
  typealias SGEMM =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
      UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void

  let sgemm: SGEMM
  /// The kernels it runs, as OpenBLAS names them, such as "SkylakeX".
  public let core: String
  /// Its version and options of its build, such as "OpenBLAS 0.3.21 DYNAMIC_ARCH".
  public let version: String

  /// Why there is no OpenBLAS, in a sentence saying how to get it.
  public struct Missing: Error, Equatable, CustomStringConvertible {
    public let description: String
  }

  /// The library of this process, or why there is none.
  public static let shared: Result<OpenBLAS, Missing> = load(names: names)

  static let names = [
    "libopenblas.so.0", "libopenblas.so", "libopenblas.dylib",
    "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
    "/usr/local/opt/openblas/lib/libopenblas.dylib",
  ]

  static func load(names: [String]) -> Result<OpenBLAS, Missing> {
    if let core = fittingCore { setenv("OPENBLAS_CORETYPE", core, 0) }
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    guard
      let library = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first,
      let product = dlsym(library, "cblas_sgemm")
    else {
      return .failure(
        Missing(
          description: "No OpenBLAS found for float32 products. Install it ('apt install "
            + "libopenblas-dev' on Debian and Ubuntu, 'brew install openblas' on macOS), or use "
            + "bfloat16."))
    }
    typealias Name = @convention(c) () -> UnsafePointer<CChar>?
    func text(_ symbol: String) -> String {
      guard let pointer = dlsym(library, symbol),
        let name = unsafeBitCast(pointer, to: Name.self)()
      else { return "unknown" }
      return String(cString: name).trimmingCharacters(in: .whitespaces)
    }
    typealias SetThreads = @convention(c) (Int32) -> Void
    if let pointer = dlsym(library, "openblas_set_num_threads") {
      unsafeBitCast(pointer, to: SetThreads.self)(1)
    }
    return .success(
      OpenBLAS(
        sgemm: unsafeBitCast(product, to: SGEMM.self),
        core: text("openblas_get_corename"), version: text("openblas_get_config")))
  }

  /// The best of OpenBLAS's kernels that every CPU of this instruction set can run.
  ///
  /// Its SkylakeX kernels need AVX-512 alone, its Haswell ones AVX2 and FMA; elsewhere its own
  /// choice is right.
  private static var fittingCore: String? {
    let available = InstructionSet.available
    let wished = (try? InstructionSet.chosen()) ?? .scalar
    if wished == .avx2 { return "Haswell" }
    if available.contains(.avx512) { return "SkylakeX" }
    if available.contains(.avx2) { return "Haswell" }
    return nil
  }
}
