/// The names of LaTeX and of Unicode that formulas are written with.
enum MathNames {
  /// What a character outside ASCII means in a formula.
  enum Meaning: Equatable {
    case token(MathToken)
    case digits([UInt8])
    case superscript(UInt8)
    case fraction(UInt8, UInt8)
    case space
    case nothing
  }

  /// Functions, as commands (`\sin`) and as words (`sin`).
  static let functions: [String: MathFunction] = [
    "sin": .sin, "cos": .cos, "tan": .tan, "cot": .cot, "sec": .sec, "csc": .csc,
    "arcsin": .arcsin, "arccos": .arccos, "arctan": .arctan, "asin": .arcsin, "acos": .arccos,
    "atan": .arctan, "sinh": .sinh, "cosh": .cosh, "tanh": .tanh, "ln": .ln, "log": .log,
    "exp": .exp, "gcd": .gcd, "lcm": .lcm, "min": .min, "max": .max, "det": .determinant,
  ]

  /// Greek letters; `\pi` is a number.
  static let letters: Set<String> = [
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta",
    "iota", "kappa", "lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "phi", "varphi", "chi",
    "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega",
    "ell", "hbar",
  ]

  static let relations: [String: MathExpression.Relation] = [
    "le": .lessOrEqual, "leq": .lessOrEqual, "leqslant": .lessOrEqual, "ge": .greaterOrEqual,
    "geq": .greaterOrEqual, "geqslant": .greaterOrEqual, "lt": .less, "gt": .greater,
    "ne": .notEqual, "neq": .notEqual, "in": .element, "approx": .approximately,
    "equiv": .other, "sim": .other, "simeq": .approximately, "cong": .other, "mid": .other,
    "parallel": .other, "perp": .other, "subset": .other, "subseteq": .other, "to": .other,
    "rightarrow": .other, "propto": .other, "notin": .other,
  ]

  /// Commands that the parser knows; any other makes a formula one that is not understood.
  static let commands: Set<String> = Set(functions.keys).union(relations.keys).union([
    "frac", "dfrac", "tfrac", "cfrac", "sqrt", "pi", "infty", "pm", "mp", "cdot", "times", "div",
    "cup", "cap", "setminus", "emptyset", "varnothing", "lfloor", "rfloor", "lceil", "rceil",
    "lvert", "rvert", "vert", "langle", "rangle", "binom", "dbinom", "tbinom", "mathbb", "Bbb",
    "overline", "bar", "vec", "hat", "overrightarrow", "widehat", "tilde", "mathcal", "mathbf",
    "lbrace", "rbrace", "lbrack", "rbrack", "lparen", "rparen", "ast", "star", "prime", "angle",
    "triangle", "colon", "backslash", "land", "lor", "wedge", "vee", "bigcup", "lVert", "rVert",
    "Vert", "over", "bmod", "pmod", "mod", "underline", "bigcap", "infinity", "oo", "boldsymbol",
  ])

  /// Words that mean a command where somebody types them outside `\text`.
  static let wordCommands: [String: String] = [
    "pi": "pi", "sqrt": "sqrt", "infty": "infty", "inf": "infty", "infinity": "infty",
    "oo": "infty", "Infinity": "infty", "frac": "frac", "cup": "cup", "cdot": "cdot",
    "times": "times", "theta": "theta", "alpha": "alpha", "beta": "beta", "lambda": "lambda",
  ]

  /// What a character means; nil for one without a meaning of its own.
  static func meaning(of scalar: Unicode.Scalar) -> Meaning? {
    switch scalar {
    case "\u{FF10}"..."\u{FF19}": return .digits([UInt8(scalar.value - 0xFF10 + 48)])
    case "\u{FF08}", "\u{FF09}", "\u{FF0B}", "\u{FF0C}", "\u{FF0D}", "\u{FF0F}", "\u{FF1A}",
      "\u{FF1B}", "\u{FF1C}", "\u{FF1D}", "\u{FF1E}", "\u{FF05}":
      return .token(.mark(UInt8(scalar.value - 0xFF00 + 0x20)))
    case "−", "–", "—", "‐", "‑": return .token(.mark(UInt8(ascii: "-")))
    case "×", "⋅", "·", "∙", "∗": return .token(.command("cdot"))
    case "÷", "∕", "⁄": return .token(.mark(UInt8(ascii: "/")))
    case "√": return .token(.command("sqrt"))
    case "π": return .token(.command("pi"))
    case "∞": return .token(.command("infty"))
    case "≤", "⩽": return .token(.command("le"))
    case "≥", "⩾": return .token(.command("ge"))
    case "≠": return .token(.command("ne"))
    case "≈": return .token(.command("approx"))
    case "∈": return .token(.command("in"))
    case "∪": return .token(.command("cup"))
    case "∩": return .token(.command("cap"))
    case "∖": return .token(.command("setminus"))
    case "∅", "⌀": return .token(.command("emptyset"))
    case "±": return .token(.command("pm"))
    case "∓": return .token(.command("mp"))
    case "ℝ": return .token(.letter("ℝ"))
    case "°", "º", "˚": return .token(.degree)
    case "′", "’": return .token(.mark(UInt8(ascii: "'")))
    case "€", "£", "¥", "₹", "¢": return .token(.currency)
    case "、": return .token(.mark(UInt8(ascii: ",")))
    case "∣": return .token(.mark(UInt8(ascii: "|")))
    case "⟨", "〈": return .token(.command("langle"))
    case "⟩", "〉": return .token(.command("rangle"))
    case "⌊": return .token(.command("lfloor"))
    case "⌋": return .token(.command("rfloor"))
    case "⌈": return .token(.command("lceil"))
    case "⌉": return .token(.command("rceil"))
    case "⁰", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹":
      return .superscript(UInt8(scalar.value - 0x2070 + 48))
    case "¹": return .superscript(UInt8(ascii: "1"))
    case "²": return .superscript(UInt8(ascii: "2"))
    case "³": return .superscript(UInt8(ascii: "3"))
    case "½": return .fraction(49, 50)
    case "⅓": return .fraction(49, 51)
    case "⅔": return .fraction(50, 51)
    case "¼": return .fraction(49, 52)
    case "¾": return .fraction(51, 52)
    case "α": return .token(.letter("alpha"))
    case "β": return .token(.letter("beta"))
    case "γ": return .token(.letter("gamma"))
    case "δ": return .token(.letter("delta"))
    case "ε": return .token(.letter("epsilon"))
    case "θ": return .token(.letter("theta"))
    case "λ": return .token(.letter("lambda"))
    case "μ": return .token(.letter("mu"))
    case "ρ": return .token(.letter("rho"))
    case "σ": return .token(.letter("sigma"))
    case "τ": return .token(.letter("tau"))
    case "φ", "ϕ": return .token(.letter("phi"))
    case "ω": return .token(.letter("omega"))
    case "Δ": return .token(.letter("Delta"))
    case "\u{A0}", "\u{2000}"..."\u{200A}", "\u{202F}", "\u{205F}", "\u{3000}": return .space
    case "\u{200B}"..."\u{200D}", "\u{2060}"..."\u{2064}", "\u{FEFF}", "“", "”", "。", "‘":
      return .nothing
    default: return nil
    }
  }
}
