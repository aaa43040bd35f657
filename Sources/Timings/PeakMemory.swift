import Foundation

/// The most memory this process has held.
enum PeakMemory {
  /// In bytes, since the last `reset` where the system can forget, else since the start.
  static var bytes: Int {
    #if os(Linux)
      guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
        let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
        let kibibytes = line.split(separator: " ").dropFirst().compactMap({ Int($0) }).first
      else { return 0 }
      return kibibytes << 10
    #else
      var usage = rusage()
      return getrusage(RUSAGE_SELF, &usage) == 0 ? Int(usage.ru_maxrss) : 0
    #endif
  }

  /// Starts counting again from what is held now.
  static func reset() {
    #if os(Linux)
      guard let file = fopen("/proc/self/clear_refs", "w") else { return }
      fputs("5", file)
      fclose(file)
    #endif
  }
}
