import Storage

/// Reads the members of a header, token by token: what is not wanted is refused where it stands,
/// so that no tree is built of it.
struct HeaderReader {
  struct Tensor {
    let name: String
    let dtype: SafetensorsType
    let shape: [Int]
    /// From the beginning of the data, as written.
    let begin: Int
    let end: Int
  }

  private(set) var tensors: [Tensor] = []
  private(set) var indices: [String: Int] = [:]
  private(set) var metadata: [String: String] = [:]

  private var tokens: JSONTokens
  private let file: String

  private static let mostDimensions = 64

  init(_ tokens: JSONTokens, _ file: String) {
    self.tokens = tokens
    self.file = file
  }

  /// Reads the whole header.
  mutating func read() throws(SafetensorsError) {
    guard try next() == .beginObject else {
      throw SafetensorsError(file, "its header is not a JSON object.")
    }
    var hasMetadata = false
    while case .key(let text) = try next() {
      let name = tokens.string(text)
      if name.utf8.elementsEqual(metadataKey.utf8) {
        guard !hasMetadata else { throw SafetensorsError(file, "'\(metadataKey)' is there twice.") }
        hasMetadata = true
        try readMetadata()
      } else {
        try readTensor(name)
      }
    }
    // The object has ended, or `next` had thrown; nothing but white space may follow.
    _ = try next()
  }

  private mutating func readMetadata() throws(SafetensorsError) {
    guard try next() == .beginObject else {
      throw SafetensorsError(file, "'\(metadataKey)' is not an object of strings.")
    }
    while case .key(let text) = try next() {
      let key = tokens.string(text)
      guard case .string(let value) = try next() else {
        throw SafetensorsError(
          file, "\(quoted(key)) in '\(metadataKey)' is not a string.")
      }
      guard metadata.updateValue(tokens.string(value), forKey: key) == nil else {
        throw SafetensorsError(file, "'\(metadataKey)' has \(quoted(key)) twice.")
      }
    }
  }

  private mutating func readTensor(_ name: String) throws(SafetensorsError) {
    if let problem = problem(ofName: name) {
      throw SafetensorsError(file, tensor: name, problem)
    }
    if let first = indices[name] {
      let isSame = tensors[first].name.utf8.elementsEqual(name.utf8)
      throw error(
        name, isSame ? "is there twice." : "is there twice, in two normal forms of Unicode.")
    }
    guard try next() == .beginObject else {
      throw error(name, "is not an object with 'dtype', 'shape' and 'data_offsets'.")
    }
    var dtype: SafetensorsType?
    var shape: [Int]?
    var offsets: [Int]?
    while case .key(let text) = try next() {
      let key = tokens.string(text)
      func isFirst<Value>(_ value: Value?) throws(SafetensorsError) {
        guard value == nil else { throw error(name, "has '\(key)' twice.") }
      }
      if key.utf8.elementsEqual("dtype".utf8) {
        try isFirst(dtype)
        dtype = try readType(name)
      } else if key.utf8.elementsEqual("shape".utf8) {
        try isFirst(shape)
        shape = try readNumbers(name, "shape", atMost: Self.mostDimensions)
      } else if key.utf8.elementsEqual("data_offsets".utf8) {
        try isFirst(offsets)
        offsets = try readNumbers(name, "data_offsets", atMost: 2)
      } else {
        throw error(name, "has \(quoted(key)), which the format does not know.")
      }
    }
    guard let dtype else { throw error(name, "has no 'dtype'.") }
    guard let shape else { throw error(name, "has no 'shape'.") }
    guard let offsets else { throw error(name, "has no 'data_offsets'.") }
    guard offsets.count == 2 else {
      throw error(name, "has \(offsets.count) 'data_offsets' in place of 2.")
    }
    indices[name] = tensors.count
    tensors.append(
      Tensor(name: name, dtype: dtype, shape: shape, begin: offsets[0], end: offsets[1]))
  }

  private mutating func readType(_ name: String) throws(SafetensorsError) -> SafetensorsType {
    guard case .string(let text) = try next() else {
      throw error(name, "has a 'dtype' that is not a string.")
    }
    let written = tokens.string(text)
    if let dtype = SafetensorsType.allCases.first(where: {
      $0.rawValue.utf8.elementsEqual(written.utf8)
    }) {
      return dtype
    }
    let longest = 16
    if written.utf8.count <= longest,
      let dtype = SafetensorsType(rawValue: written.uppercased())
    {
      throw error(name, "has dtype \(quoted(written)). Did you mean '\(dtype.rawValue)'?")
    }
    let known = SafetensorsType.allCases.map(\.rawValue).joined(separator: ", ")
    throw error(name, "has dtype \(quoted(written)), which is not one of \(known).")
  }

  /// An array of whole numbers from 0, written in digits only.
  private mutating func readNumbers(
    _ name: String, _ key: String, atMost most: Int
  ) throws(SafetensorsError) -> [Int] {
    guard try next() == .beginArray else {
      throw error(name, "has '\(key)' that is not an array.")
    }
    var numbers: [Int] = []
    while true {
      let token = try next()
      if token == .endArray { return numbers }
      guard numbers.count < most else {
        throw error(name, "has more than \(most) numbers in '\(key)'.")
      }
      guard case .number(let range) = token else {
        throw error(name, "has something in '\(key)' that is not a number.")
      }
      let digits = tokens[range]
      var number = 0
      for digit in digits {
        guard (0x30...0x39).contains(digit) else {
          throw error(
            name, "has \(excerpt(digits)) in '\(key)', which is not a whole number from 0.")
        }
        let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
        let (sum, overflow2) = tens.addingReportingOverflow(Int(digit - 0x30))
        guard !overflow && !overflow2 else {
          throw error(name, "has \(excerpt(digits)) in '\(key)', which is too large.")
        }
        number = sum
      }
      numbers.append(number)
    }
  }

  private func excerpt(_ digits: UnsafeRawBufferPointer) -> String {
    quoted(String(decoding: digits.prefix(200), as: UTF8.self))
  }

  private func error(_ name: String, _ message: String) -> SafetensorsError {
    SafetensorsError(file, tensor: name, quoted(name) + " " + message)
  }

  private mutating func next() throws(SafetensorsError) -> JSONToken {
    do throws(JSONError) {
      return try tokens.next()
    } catch {
      throw SafetensorsError(file, inHeader: error)
    }
  }
}

extension SafetensorsError {
  /// An error of the JSON in a header, which knows its line and column there.
  init(_ file: String, inHeader error: JSONError) {
    self.init(file, "header \(error.line):\(error.column): \(error.message)")
  }
}
