/// What the splitting patterns tell apart.
enum CharacterClass: UInt8 {
  /// Neither letter, number nor space; bytes that are no UTF-8 as well.
  case other
  /// `\p{L}`
  case letter
  /// `\p{N}`
  case number
  /// `\s`, but for the two of `newline`.
  case space
  /// Carriage return and line feed.
  case newline

  /// The classes of all scalars, by their number.
  ///
  /// Unicode's general categories and White_Space as the standard library knows them; planes
  /// without letters and numbers are left out.
  nonisolated(unsafe) static let table: UnsafePointer<CharacterClass> = {
    let table = UnsafeMutablePointer<CharacterClass>.allocate(capacity: 0x110000)
    table.initialize(repeating: .other, count: 0x110000)
    for value: UInt32 in 0..<0x40000 {
      guard let scalar = Unicode.Scalar(value) else { continue }
      table[Int(value)] = CharacterClass(scalar)
    }
    return UnsafePointer(table)
  }()

  /// The classes of the ASCII bytes.
  nonisolated(unsafe) static let ascii: UnsafePointer<CharacterClass> = {
    let table = UnsafeMutablePointer<CharacterClass>.allocate(capacity: 128)
    for value: UInt8 in 0..<128 {
      (table + Int(value)).initialize(to: CharacterClass(Unicode.Scalar(value)))
    }
    return UnsafePointer(table)
  }()

  /// Characters of a later version of Unicode than 16, the one that Hugging Face's library and
  /// tiktoken know, are `.other`, as everything is that is not assigned: ids must not depend on how
  /// new the standard library is.
  private init(_ scalar: Unicode.Scalar) {
    guard let age = scalar.properties.age, age.major <= 16 else {
      self = .other
      return
    }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      self = .letter
    case .decimalNumber, .letterNumber, .otherNumber:
      self = .number
    default:
      self =
        scalar == "\r" || scalar == "\n"
        ? .newline : scalar.properties.isWhitespace ? .space : .other
    }
  }
}
