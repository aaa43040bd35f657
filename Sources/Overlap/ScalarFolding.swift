/// What a character beyond ASCII is to a reader of words.
enum FoldedScalar: Equatable {
  /// Ends a word: punctuation, symbols, blanks.
  case separator
  /// Neither ends a word nor is part of it: accents that combine, soft hyphens, joiners.
  case ignored
  /// A letter, as lower-case ASCII bytes where it is a Latin one with or without accents.
  case latin(UInt8, UInt8)
  /// Any other letter, in lower case.
  case letter(UInt32)
  case digit(UInt8)
  /// A word by itself: Han, Hiragana, Katakana.
  case ideograph(UInt32)
  /// A Greek letter, by its number in `ScalarFolding.greek`; alone it is a name such as `pi`.
  case greek(Int)
  /// A symbol that LaTeX spells as a word: `√` is `sqrt`.
  case name(String)
  case sign(UInt8)
}

/// Unicode scalars to what they count as.
///
/// Ranges of blocks, written out here rather than asked of the system's Unicode tables, so that no
/// version of them changes what a text's words are.
enum ScalarFolding {
  /// The base letters of U+00C0 to U+017F; '*' is no letter, '2' one of two letters.
  private static let latin = Array(
    ("aaaaaa2ceeeeiiiidnooooo*ouuuuy22aaaaaa2ceeeeiiiidnooooo*ouuuuy2y"
      + "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii22jjkkklllllll"
      + "lllnnnnnnnnnoooooo22rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs").utf8)

  static let greek = [
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "sigma", "tau", "upsilon", "phi",
    "chi", "psi", "omega",
  ]

  static func folded(_ scalar: UInt32) -> FoldedScalar {
    switch scalar {
    case 0xad: return .ignored
    case 0xb2, 0xb3: return .digit(UInt8(0x30 + scalar - 0xb0))
    case 0xb9: return .digit(0x31)
    case 0x80...0xbf: return scalar == 0xb1 ? .sign(0x7e) : .separator
    case 0xc0...0x17f:
      switch latin[Int(scalar - 0xc0)] {
      case UInt8(ascii: "*"): return .separator
      case UInt8(ascii: "2"): return pair(scalar)
      case let base: return .latin(base, 0)
      }
    case 0x300...0x36f: return .ignored
    case 0x391...0x3a9: return .greek(Int(scalar - 0x391))
    case 0x3b1...0x3c9: return .greek(Int(scalar - 0x3b1))
    case 0x3d1: return .greek(7)
    case 0x3d5: return .greek(21)
    case 0x3f5: return .greek(4)
    case 0x410...0x42f: return .letter(scalar + 0x20)
    case 0x400...0x40f: return .letter(scalar + 0x50)
    case 0x200b...0x200f, 0x2060...0x2064, 0xfe00...0xfe0f, 0xfeff: return .ignored
    case 0x2070, 0x2074...0x2079: return .digit(UInt8(0x30 + scalar - 0x2070))
    case 0x2080...0x2089: return .digit(UInt8(0x30 + scalar - 0x2080))
    case 0x2000...0x2bff: return symbol(scalar)
    case 0x3005, 0x3007, 0x3041...0x3096, 0x30a1...0x30fa, 0x30fc, 0x3400...0x4dbf, 0x4e00...0x9fff,
      0xf900...0xfaff, 0xff66...0xff9d, 0x20000...0x3ffff:
      return .ideograph(scalar)
    case 0x2e00...0x303f, 0x3099...0x30a0, 0x30fb, 0xe000...0xf8ff, 0xfe10...0xfe6f:
      return .separator
    case 0xff10...0xff19: return .digit(UInt8(0x30 + scalar - 0xff10))
    case 0xff21...0xff3a: return .latin(UInt8(0x61 + scalar - 0xff21), 0)
    case 0xff41...0xff5a: return .latin(UInt8(0x61 + scalar - 0xff41), 0)
    case 0xff0b: return .sign(UInt8(ascii: "+"))
    case 0xff0d: return .sign(UInt8(ascii: "-"))
    case 0xff1d: return .sign(UInt8(ascii: "="))
    case 0xff1c: return .sign(UInt8(ascii: "<"))
    case 0xff1e: return .sign(UInt8(ascii: ">"))
    case 0xff00...0xff65, 0xffe0...0xffff: return .separator
    // Letters of formulas: alphabets of 26 capitals and 26 small letters, one after the other.
    case 0x1d400...0x1d6a3: return .latin(UInt8(0x61 + (scalar - 0x1d400) % 26), 0)
    case 0x1d7ce...0x1d7ff: return .digit(UInt8(0x30 + (scalar - 0x1d7ce) % 10))
    case 0x1d000...0x1d3ff, 0x1f000...0x1faff, 0xe0000...: return .separator
    default: return .letter(scalar)
    }
  }

  private static func pair(_ scalar: UInt32) -> FoldedScalar {
    switch scalar {
    case 0xc6, 0xe6: .latin(UInt8(ascii: "a"), UInt8(ascii: "e"))
    case 0xde, 0xfe: .latin(UInt8(ascii: "t"), UInt8(ascii: "h"))
    case 0xdf: .latin(UInt8(ascii: "s"), UInt8(ascii: "s"))
    case 0x132, 0x133: .latin(UInt8(ascii: "i"), UInt8(ascii: "j"))
    default: .latin(UInt8(ascii: "o"), UInt8(ascii: "e"))
    }
  }

  private static func symbol(_ scalar: UInt32) -> FoldedScalar {
    switch scalar {
    case 0x2212, 0x2013: .sign(UInt8(ascii: "-"))
    case 0x2264, 0x2a7d: .sign(UInt8(ascii: "l"))
    case 0x2265, 0x2a7e: .sign(UInt8(ascii: "g"))
    case 0x2260: .sign(UInt8(ascii: "n"))
    case 0x221a: .name("sqrt")
    case 0x221e: .name("infty")
    case 0x2220: .name("angle")
    case 0x25b3, 0x2206: .name("triangle")
    case 0x2211: .name("sum")
    case 0x222b: .name("int")
    case 0x211d: .name("r")
    case 0x2124: .name("z")
    default: .separator
    }
  }
}
