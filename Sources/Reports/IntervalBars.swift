/// Values with intervals, as bars below each other under their names, drawn as SVG without scripts.
///
/// A bar begins at zero; its interval is a line with ends across it. What was not measured is drawn
/// hollow. A value that is not finite is left out.
public struct IntervalBars: Equatable, Sendable {
  public struct Bar: Equatable, Sendable {
    public var name: String
    public var value: Double
    public var low: Double?
    public var high: Double?
    /// The value in words, at the right end of its name's line.
    public var text: String
    public var isMeasured: Bool

    public init(
      _ name: String, _ value: Double, low: Double? = nil, high: Double? = nil, text: String,
      isMeasured: Bool = true
    ) {
      (self.name, self.value, self.low, self.high) = (name, value, low, high)
      (self.text, self.isMeasured) = (text, isMeasured)
    }
  }

  public var title: String
  public var axis: PlotAxis
  /// Where the axis ends; nil for the largest value.
  public var most: Double?
  public var bars: [Bar]

  public init(_ title: String, axis: PlotAxis, most: Double? = nil, bars: [Bar]) {
    (self.title, self.axis, self.most, self.bars) = (title, axis, most, bars)
  }

  private static let rowHeight = 42.0
  private static let barHeight = 14.0
  private static let top = 34.0
  private static let (left, right) = (4.0, PlotFrame.width - 18)

  /// The plot as an `svg` element; see `LinePlot.svg`.
  public func svg(isStandalone: Bool = true) -> String {
    let bars = bars.filter { $0.value.isFinite && $0.value.magnitude <= 1e150 }
    let range = range(bars)
    let bottom = Self.top + Double(bars.count) * Self.rowHeight + 8
    let c = NumberText.coordinate
    var svg =
      "<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 "
      + "\(c(PlotFrame.width)) \(c(bottom + 46))\" role=\"img\"><title>\(escaped(title))</title>\n"
    if isStandalone {
      svg += "<style>\n\(PlotStyle.variables(".plot"))\(PlotStyle.rules)</style>\n"
      svg += "<rect width=\"100%\" height=\"100%\" style=\"fill:var(--background)\"/>\n"
    }
    let shown = fitted(title, width: (PlotFrame.width - 8) / 18)
    svg += "<text class=\"title\" x=\"4\" y=\"18\">\(escaped(shown))</text>\n"
    svg += ticks(range, bottom)
    for (i, bar) in bars.enumerated() {
      svg += Self.drawing(of: bar, range, y: Self.top + Double(i) * Self.rowHeight)
    }
    let start = c(Self.position(max(0, range.low), range))
    svg += "<path class=\"axis\" d=\"M\(start) \(c(Self.top))V\(c(bottom))\"/>\n"
    svg += "<text class=\"caption\" x=\"\(c(Self.right))\" y=\"\(c(bottom + 40))\" "
    return svg + "text-anchor=\"end\">\(escaped(axis.caption))</text>\n</svg>\n"
  }

  private func range(_ bars: [Bar]) -> AxisRange {
    let values = bars.flatMap { [$0.value, $0.low, $0.high] }.compactMap { $0 }
      .filter { $0.magnitude <= 1e150 }
    var axis = axis
    axis.scale = .linear
    return AxisRange(
      of: axis, from: min(0, values.min() ?? 0),
      to: max(most ?? 0, values.max() ?? 1, 1e-9), ticks: 6, isWidened: true)
  }

  private static func position(_ value: Double, _ range: AxisRange) -> Double {
    left + min(max(range.fraction(of: value), 0), 1) * (right - left)
  }

  private func ticks(_ range: AxisRange, _ bottom: Double) -> String {
    let c = NumberText.coordinate
    var grid = ""
    var labels = ""
    for (value, label) in zip(range.ticks, range.labels) {
      let x = Self.position(value, range)
      grid += "M\(c(x)) \(c(Self.top))V\(c(bottom))"
      let isFirst = x < Self.left + 8
      labels += "<text class=\"xtick\" x=\"\(c(x))\" y=\"\(c(bottom + 19))\" "
      labels += "text-anchor=\"\(isFirst ? "start" : "middle")\">\(escaped(label))</text>\n"
    }
    return "<path class=\"grid\" d=\"\(grid)\"/>\n\(labels)"
  }

  private static func drawing(of bar: Bar, _ range: AxisRange, y: Double) -> String {
    let c = NumberText.coordinate
    let size = PlotFrame.textSize
    let textWidth = Reports.textWidth(bar.text) * size
    let name = fitted(bar.name, width: max(60, PlotFrame.width - textWidth - 34) / size)
    let whole = "<title>\(escaped(bar.name)): \(escaped(bar.text))</title>"
    var svg = "<g>\(whole)<text class=\"name\" x=\"\(c(left + 4))\" y=\"\(c(y + 14))\">"
    svg += "\(escaped(name))</text>"
    svg += "<text class=\"value\" x=\"\(c(right))\" y=\"\(c(y + 14))\" text-anchor=\"end\">"
    svg += "\(escaped(bar.text))</text>\n"
    let zero = position(0, range)
    let end = position(bar.value, range)
    let barTop = y + 20
    let kind = bar.isMeasured ? "bar" : "hollow"
    svg += "<rect class=\"\(kind)\" x=\"\(c(min(zero, end)))\" y=\"\(c(barTop))\" "
    svg += "width=\"\(c(abs(end - zero)))\" height=\"\(c(barHeight))\"/>\n"
    if let low = bar.low, let high = bar.high, low.isFinite, high.isFinite, low <= high {
      let middle = barTop + barHeight / 2
      let (from, to) = (position(low, range), position(high, range))
      svg += "<path class=\"interval\" d=\"M\(c(from)) \(c(middle))H\(c(to))"
      svg += "M\(c(from)) \(c(middle - 5))v10M\(c(to)) \(c(middle - 5))v10\"/>"
    }
    return svg + "</g>\n"
  }
}
