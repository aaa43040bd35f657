/// How much a word tells about which question a text asks.
///
/// Problems share much that says nothing: `find the sum of all positive integers n such that`. A
/// word of such a frame, a single letter and a digit weigh a quarter; other words and numbers of two
/// digits or more weigh 1. The words that only tell how to answer are left out altogether where
/// whole questions are compared, because every recipe wraps problems in its own.
enum WordWeights {
  static let frameWeight = 0.25

  static func weight(of word: UInt64) -> Double { frame.contains(word) ? frameWeight : 1 }

  static func isInstruction(_ word: UInt64) -> Bool { instructions.contains(word) }

  private static func hashes(_ text: String) -> Set<UInt64> {
    Set(text.split { $0 == " " || $0.isNewline }.map { WordHash.of(String($0)) })
  }

  private static let frame = hashes(
    """
    a b c d e f g h i j k l m n o p q r s t u v w x y z 0 1 2 3 4 5 6 7 8 9
    alpha beta gamma theta lambda pi
    an the of to in on at by for from with and or but if then is are was be been has have had do
    does as it its this these those there that which what who how many much where when each all
    every any some we can will would than not other so into between both same such
    let given find compute determine evaluate calculate express simplify solve prove show answer
    your form enter suppose denote define defined satisfies satisfy following possible exactly terms
    one two three first second value values number numbers integer integers real positive negative
    nonnegative nonzero common fraction lowest minimum maximum smallest largest least greatest sum
    product point points line equation function
    """
  ).union(instructions)

  private static let instructions = hashes(
    """
    please reason step steps think thinking careful carefully return response final provide give
    answer your within box inside solution solve problem following question reasoning boxed put
    """)
}
