/// What a LaTeX command is to a reader of words.
enum LatexWording: Equatable {
  /// Says how something looks, or is a sign that is dropped everywhere.
  case dropped
  /// A fraction: dropped, and digits without braces behind it are two numbers.
  case fraction
  /// `\begin` and `\end`, whose argument is dropped.
  case environment
  case sign(UInt8)
  /// A word of another name.
  case word(UInt64)

  /// The wording of commands by the hash of their names; any other command is the word it spells.
  static let table: [UInt64: LatexWording] = {
    var table: [UInt64: LatexWording] = [:]
    func add(_ names: String, _ wording: LatexWording) {
      for name in names.split(separator: " ") { table[WordHash.of(String(name))] = wording }
    }
    add(
      """
      left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm
      text textbf textit textrm textsf texttt textup textnormal textcolor mbox hbox emph underline
      mathbf mathrm mathit mathsf mathtt mathcal mathbb mathfrak mathscr boldsymbol bm pmb operatorname
      displaystyle textstyle scriptstyle limits nolimits rm bf it sf tt cal bold
      boxed fbox overline overrightarrow vec hat bar tilde widehat widetilde
      cdot times ast bullet quad qquad hspace vspace hfill hline cline toprule midrule bottomrule
      ldots cdots dots dotsb dotsc dotsm dotso vdots ddots
      lbrace rbrace lbrack rbrack langle rangle lvert rvert lVert rVert vert Vert
      circ degree prime label tag nonumber notag newline noindent par item centering
      phantom hphantom vphantom stackrel substack limits displaylimits
      """.split(whereSeparator: \.isNewline).joined(separator: " "), .dropped)
    add("frac dfrac tfrac cfrac", .fraction)
    add("begin end", .environment)
    add("le leq leqslant", .sign(UInt8(ascii: "l")))
    add("ge geq geqslant", .sign(UInt8(ascii: "g")))
    add("ne neq", .sign(UInt8(ascii: "n")))
    add("lt", .sign(UInt8(ascii: "<")))
    add("gt", .sign(UInt8(ascii: ">")))
    add("pm mp", .sign(0x7e))
    add("div", .sign(UInt8(ascii: "/")))
    for (name, other) in [
      ("varepsilon", "epsilon"), ("varphi", "phi"), ("vartheta", "theta"),
      ("bigtriangleup", "triangle"),
      ("measuredangle", "angle"), ("infinity", "infty"), ("dbinom", "binom"), ("tbinom", "binom"),
      ("pmod", "mod"), ("bmod", "mod"),
    ] {
      add(name, .word(WordHash.of(other)))
    }
    return table
  }()

  /// Environments whose first argument tells how columns look.
  static let columned: Set<UInt64> = Set(
    ["array", "tabular", "tabularx", "longtable", "alignat"].map(WordHash.of))
}
