/// How long documents are, as a picture of text.
public struct LengthHistogram: Sendable {
  /// A range of lengths, and how many documents have one in it.
  public struct Bucket: Equatable, Sendable {
    public let lengths: ClosedRange<Int>
    public var count: Int
  }

  public let buckets: [Bucket]
  public let count: Int
  public let mean: Double
  private let sorted: [Int]

  /// Buckets of one width from the shortest on, about ten up to the 99th percentile, and one for
  /// what is longer.
  public init(_ lengths: [Int]) {
    sorted = lengths.sorted()
    count = lengths.count
    mean = lengths.isEmpty ? 0 : Double(lengths.reduce(0, +)) / Double(lengths.count)
    guard let longest = sorted.last else {
      buckets = []
      return
    }
    let width = Self.width(for: max(sorted[(count - 1) * 99 / 100], 1))
    let last = max(0, (sorted[(count - 1) * 99 / 100] - 1) / width)
    var buckets = (0...last).map {
      Bucket(lengths: $0 * width + 1...($0 + 1) * width, count: 0)
    }
    if longest > (last + 1) * width {
      buckets.append(Bucket(lengths: (last + 1) * width + 1...longest, count: 0))
    }
    for length in lengths {
      buckets[min(max(length - 1, 0) / width, buckets.count - 1)].count += 1
    }
    self.buckets = Array(buckets.drop { $0.count == 0 })
  }

  /// The least of 1, 2 and 5 times a power of two or ten that takes at most twelve buckets.
  private static func width(for longest: Int) -> Int {
    var width = 1
    while true {
      for factor in [1, 2, 5] where (longest - 1) / (width * factor) < 12 { return width * factor }
      width *= 10
    }
  }

  /// The length that so many hundredths of the documents do not exceed; 0 without any.
  public func percentile(_ hundredths: Int) -> Int {
    sorted.isEmpty ? 0 : sorted[max(0, (sorted.count * hundredths + 99) / 100 - 1)]
  }

  /// Lines of at most 80 columns: a bar for each bucket, and a summary.
  public var lines: [String] {
    let most = max(buckets.map(\.count).max() ?? 1, 1)
    let digits = buckets.map { String($0.lengths.upperBound).count }.max() ?? 1
    func padded(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    let countDigits = max(String(most).count, 5)
    let room = 80 - 2 * digits - 3 - 2 - countDigits - 2 - 7 - 2
    let bars = buckets.map { bucket in
      let range =
        padded("\(bucket.lengths.lowerBound)", digits) + " – "
        + padded("\(bucket.lengths.upperBound)", digits)
      let share = Int((1000 * Double(bucket.count) / Double(max(count, 1))).rounded())
      let percent = padded("\(share / 10).\(share % 10) %", 7)
      let bar = Self.bar(Double(bucket.count) / Double(most), width: room)
      let line = "\(range)  \(padded("\(bucket.count)", countDigits))  \(percent)  \(bar)"
      return line.last == " " ? String(line.dropLast(2)) : line
    }
    let summary =
      "mean \(Int(mean.rounded())), median \(percentile(50)), 90 % up to \(percentile(90)), "
      + "99 % up to \(percentile(99)), longest \(sorted.last ?? 0)"
    return bars + [summary]
  }

  /// A bar in eighths of a column; anything above nothing is seen.
  private static func bar(_ share: Double, width: Int) -> String {
    var eighths = Int((share * Double(8 * width)).rounded())
    if share > 0 { eighths = max(eighths, 1) }
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }
}
