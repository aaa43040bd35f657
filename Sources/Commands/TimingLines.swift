import Foundation
import Interface
import Storage
import Timings

/// A timing as a line of text, and as JSON.
enum TimingLine {
  static let header = line(["tokens", "precision", "tokens/s", "GFLOP/s", "of peak", "memory"], "")

  static func text(_ timing: Timing) -> String {
    line(
      [
        "\(timing.tokensPerRow)", timing.precision, format("%.1f", timing.tokensPerSecond),
        format("%.1f", timing.operationsPerSecond / 1e9),
        format("%.1f %%", timing.fractionOfPeak * 100), byteText(timing.peakMemoryBytes),
      ], timing.name)
  }

  static func json(_ timing: Timing) -> JSONValue {
    .members([
      ("name", .text(timing.name)), ("tokensPerRow", .count(timing.tokensPerRow)),
      ("precision", .text(timing.precision)), ("tokensPerSecond", .measure(timing.tokensPerSecond)),
      ("fractionOfPeak", .measure(timing.fractionOfPeak)),
      ("peakMemoryBytes", .count(timing.peakMemoryBytes)), ("seconds", .measure(timing.seconds)),
      ("operationsPerSecond", .measure(timing.operationsPerSecond)),
      ("threads", .count(timing.threads)),
    ])
  }

  private static func format(_ pattern: String, _ value: Double) -> String {
    String(format: pattern, value)
  }

  private static func line(_ cells: [String], _ name: String) -> String {
    paddedLine(cells, [6, 9, 10, 8, 7, 9], name)
  }
}

/// The timing of a tokenizer as a line of text, and as JSON.
enum TokenizerLine {
  static let header = line(["threads", "text", "tokens", "seconds", "MB/s", "tokens/s"], "")

  static func text(_ timing: TokenizerTiming) -> String {
    let isText = timing.bytes > 0
    return line(
      [
        "\(timing.threads)", isText ? byteText(timing.bytes) : "", countText(timing.tokens),
        String(format: "%.3f", timing.seconds),
        isText ? String(format: "%.1f", timing.bytesPerSecond / 1e6) : "",
        isText ? countText(Int(timing.tokensPerSecond)) : "",
      ], timing.name)
  }

  static func json(_ timing: TokenizerTiming) -> JSONValue {
    .members([
      ("name", .text(timing.name)), ("threads", .count(timing.threads)),
      ("bytes", .count(timing.bytes)), ("tokens", .count(timing.tokens)),
      ("seconds", .measure(timing.seconds)), ("bytesPerSecond", .measure(timing.bytesPerSecond)),
      ("tokensPerSecond", .measure(timing.tokensPerSecond)),
    ])
  }

  private static func line(_ cells: [String], _ name: String) -> String {
    paddedLine(cells, [7, 8, 9, 7, 6, 10], name)
  }
}

/// The timing of generation as a line of text, and as JSON.
enum GenerationLine {
  static let header = line(
    ["weights", "tokens/s", "GB/s", "of read", "of peak", "choosing", "memory"], "")

  static func text(_ timing: GenerationTiming) -> String {
    line(
      [
        timing.weights, String(format: "%.1f", timing.tokensPerSecond),
        String(format: "%.1f", timing.bytesPerSecond / 1e9), percent(timing.fractionOfRead),
        percent(timing.fractionOfPeak), percent(timing.samplingShare),
        byteText(timing.peakMemoryBytes),
      ], timing.name)
  }

  static func json(_ timing: GenerationTiming) -> JSONValue {
    .members([
      ("name", .text(timing.name)), ("weights", .text(timing.weights)),
      ("tokensPerSecond", .measure(timing.tokensPerSecond)),
      ("bytesPerSecond", .measure(timing.bytesPerSecond)),
      ("fractionOfRead", .measure(timing.fractionOfRead)),
      ("fractionOfPeak", .measure(timing.fractionOfPeak)),
      ("samplingShare", .measure(timing.samplingShare)),
      ("peakMemoryBytes", .count(timing.peakMemoryBytes)), ("threads", .count(timing.threads)),
    ])
  }

  private static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }

  private static func line(_ cells: [String], _ name: String) -> String {
    paddedLine(cells, [8, 8, 6, 7, 7, 8, 9], name)
  }
}

/// Cells to the right of their columns, and a name behind them: names are of any length, and lines
/// are printed as they are made.
private func paddedLine(_ cells: [String], _ widths: [Int], _ name: String) -> String {
  let padded = zip(cells, widths).map { cell, width in
    String(repeating: " ", count: max(0, width - cell.count)) + cell
  }
  return (padded + [name]).joined(separator: "  ").trimmingTrailingSpaces
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
