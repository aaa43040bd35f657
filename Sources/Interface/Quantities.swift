import Foundation

/// A count with three significant digits and its thousands named: "999", "12.3 k", "1.54 B".
/// B is 10⁹, T is 10¹².
public func countText(_ count: some BinaryInteger) -> String {
  scaledText(Double(count), by: 1000, units: thousands, small: { decimal($0, places: 0) }) {
    threeDigits($0)
  }
}

/// A size in bytes with at most one decimal, in powers of 1024: "512 B", "3.1 GiB", "140 GiB".
public func byteText(_ bytes: some BinaryInteger) -> String {
  scaledText(
    Double(bytes), by: 1024, units: [" B", " KiB", " MiB", " GiB", " TiB", " PiB"],
    small: { decimal($0, places: 0) }
  ) { decimal($0, places: $0 < 99.95 ? 1 : 0) }
}

/// A duration in its two largest units: "12 ms", "4.2 s", "2 min 05 s", "2 h 05 min",
/// "3 d 04 h". One that is not finite is "unknown".
public func durationText(seconds: Double) -> String {
  guard seconds.isFinite else { return "unknown" }
  let seconds = max(seconds, 0)
  if seconds < 0.9995 { return "\(Int((seconds * 1000).rounded())) ms" }
  if seconds < 9.95 { return "\(decimal(seconds, places: 1)) s" }
  // Rounded before it is split, so that 119.6 s is 2 min 00 s, not 1 min 60 s.
  guard let whole = Int(exactly: seconds.rounded()) else { return "unknown" }
  if whole < 60 { return "\(whole) s" }
  if whole < 3600 { return "\(whole / 60) min \(twoDigits(whole % 60)) s" }
  let minutes = (whole + 30) / 60
  if minutes < 24 * 60 { return "\(minutes / 60) h \(twoDigits(minutes % 60)) min" }
  let hours = (whole + 1800) / 3600
  return "\(hours / 24) d \(twoDigits(hours % 24)) h"
}

/// A rate with three significant digits: "0.0533", "3.20", "1.54 k".
func rateText(_ rate: Double) -> String {
  guard rate.isFinite, rate >= 0 else { return "?" }
  return scaledText(rate, by: 1000, units: thousands, small: { threeDigits($0) }) {
    threeDigits($0)
  }
}

private let thousands = ["", " k", " M", " B", " T"]

/// A number in the first unit in which it is under `step`, rounding included: 999,999 is
/// 1.00 M, not 1000 k.
private func scaledText(
  _ number: Double, by step: Double, units: [String], small: (Double) -> String,
  scaled: (Double) -> String
) -> String {
  if number < 0 {
    return "-" + scaledText(-number, by: step, units: units, small: small, scaled: scaled)
  }
  var rest = number
  var index = 0
  while rest.rounded() >= step, index + 1 < units.count {
    rest /= step
    index += 1
  }
  return (index == 0 ? small(rest) : scaled(rest)) + units[index]
}

private func threeDigits(_ number: Double) -> String {
  if number >= 99.95 { return decimal(number, places: 0) }
  if number >= 9.995 { return decimal(number, places: 1) }
  if number >= 0.9995 { return decimal(number, places: 2) }
  return String(format: "%.3g", number)
}

private func decimal(_ number: Double, places: Int) -> String {
  String(format: "%.\(places)f", number)
}

private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
