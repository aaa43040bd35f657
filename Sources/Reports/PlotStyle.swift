/// How plots look: colors as variables of CSS, for light and for dark surroundings.
///
/// The series' colors can be told apart without seeing red or green, after Okabe and Ito, "Color
/// Universal Design", 2008; yellow and sky blue are darkened on white and the others lightened on
/// black, so that each has a contrast of 3 to 1 or more with its background (WCAG 2.1, 1.4.11).
/// From the seventh series on they come again, dashed.
enum PlotStyle {
  static let light = ["#0072b2", "#d55e00", "#008862", "#a8498a", "#8a6d00", "#4b4b4b"]
  static let dark = ["#56b4e9", "#f08a4b", "#2bc79a", "#e79ac8", "#f0e442", "#c8c8c8"]
  static let lightBackground = "#ffffff"
  static let darkBackground = "#14171a"

  /// The classes of the series at a position.
  static func classes(ofSeries index: Int) -> String {
    "s\(index % light.count)" + (index / light.count % 2 == 1 ? " dashed" : "")
  }

  /// Defines the variables on elements that `selector` chooses.
  static func variables(_ selector: String) -> String {
    func values(
      _ colors: [String], _ background: String, ink: String, quiet: String, line: String,
      bad: String
    ) -> String {
      let series = colors.enumerated().map { "--series-\($0):\($1);" }.joined()
      return "\(selector){--background:\(background);--ink:\(ink);--quiet:\(quiet);"
        + "--line:\(line);--bad:\(bad);\(series)}"
    }
    return values(
      light, lightBackground, ink: "#1b1f23", quiet: "#57606a", line: "#d8dee4", bad: "#b3001b")
      + "\n@media screen and (prefers-color-scheme:dark){"
      + values(
        dark, darkBackground, ink: "#e6edf3", quiet: "#a0a9b2", line: "#363d45", bad: "#ff7b85")
      + "}\n"
  }

  /// The rules that plots need, beside the variables.
  static let rules: String = {
    let series = light.indices.map { ".s\($0){--c:var(--series-\($0))}" }.joined()
    return """
      .plot{display:block;width:100%;height:auto;font-family:system-ui,sans-serif;font-size:16px}
      .plot text{fill:var(--quiet);stroke:none}
      .plot .title{fill:var(--ink);font-size:17px;font-weight:600}
      .plot .grid{stroke:var(--line);stroke-width:1;fill:none}
      .plot .axis{stroke:var(--quiet);stroke-width:1;fill:none}
      .plot .curve{stroke:var(--c);stroke-width:2;fill:none;stroke-linejoin:round;stroke-linecap:round}
      .plot .dots{stroke:var(--c);stroke-width:6;fill:none;stroke-linecap:round}
      .plot .faint{stroke:var(--c);stroke-width:4.5;fill:none;stroke-linecap:round;opacity:.4}
      .plot .band{stroke-width:1.2;stroke-linejoin:round}
      .plot .dashed.curve{stroke-dasharray:5 5}
      .plot .bar{fill:var(--series-0)}
      .plot .hollow{fill:none;stroke:var(--quiet);stroke-width:1.2;stroke-dasharray:4 3}
      .plot .interval{stroke:var(--ink);stroke-width:1.6;fill:none}
      .plot .name{fill:var(--ink)}
      .plot .mark{stroke:var(--quiet);stroke-width:1.2;fill:none;stroke-dasharray:2 3}
      .plot .mark1{stroke-dasharray:7 3}
      .plot .bad{stroke:var(--bad);stroke-width:2;fill:none}
      @media(min-width:700px){.plot{font-size:13px}.plot .title{font-size:16px}}
      \(series)

      """
  }()
}
