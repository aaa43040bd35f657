/// The characters of a recipe, and where they stand in the file.
struct RecipeText {
  private let scalars: [Unicode.Scalar]
  /// Whether the bytes end, or stop being UTF-8, where the scalars end.
  let isUTF8: Bool

  init(_ text: String) {
    scalars = Array(text.unicodeScalars)
    isUTF8 = true
  }

  /// The text in UTF-8, up to the first byte that is not.
  init(utf8 bytes: [UInt8]) {
    var scalars: [Unicode.Scalar] = []
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    while case .valid(let encoded) = parser.parseScalar(from: &iterator) {
      scalars.append(Unicode.UTF8.decode(encoded))
    }
    self.scalars = scalars
    isUTF8 = scalars.reduce(0) { $0 + Unicode.UTF8.width($1) } == bytes.count
  }

  var end: Int { scalars.count }

  /// The character at an offset; nil beyond the end.
  subscript(offset: Int) -> Unicode.Scalar? {
    scalars.indices.contains(offset) ? scalars[offset] : nil
  }

  /// Line and column of an offset, both counted from 1; columns count Unicode scalars.
  func position(of offset: Int) -> (line: Int, column: Int) {
    var line = 1
    var lineStart = 0
    for (index, scalar) in scalars.prefix(offset).enumerated() {
      if scalar == "\n" || (scalar == "\r" && self[index + 1] != "\n") {
        line += 1
        lineStart = index + 1
      }
    }
    return (line, offset - lineStart + 1)
  }
}
