import Foundation

/// The name of this machine's processor, as its maker or the system gives it.
func processorName() -> String {
  #if canImport(Darwin)
    var size = 0
    let name = "machdep.cpu.brand_string"
    guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 1 else { return "unknown" }
    var bytes = [UInt8](repeating: 0, count: size)
    guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return "unknown" }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  #else
    let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    return processorName(inCPUInfo: text ?? "")
  #endif
}

/// The name in what Linux has as `/proc/cpuinfo`.
///
/// On ARM that names no processor, but its maker and model by number.
func processorName(inCPUInfo text: String) -> String {
  func value(_ key: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == key else { continue }
      let value = parts[1].split(separator: " ").joined(separator: " ")
      if !value.isEmpty { return value }
    }
    return nil
  }
  if let name = value("model name") ?? value("Model") { return name }
  if let maker = value("CPU implementer"), let part = value("CPU part") {
    return "ARM, implementer \(maker), part \(part)"
  }
  return "unknown"
}
