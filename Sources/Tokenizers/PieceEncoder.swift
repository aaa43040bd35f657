/// Turns pieces into tokens.
struct PieceEncoder {
  private let model: BytePairModel
  private let cache = PieceCache()
  private var encoding: BytePairEncoding
  private var symbols: [Int32] = []

  init(_ model: BytePairModel) {
    self.model = model
    encoding = BytePairEncoding(model.merges.index)
  }

  func deallocate() { cache.deallocate() }

  /// Appends the tokens of the piece from `start` to `end`, which holds a byte at least.
  @inline(__always)
  mutating func append(_ text: TextView, _ start: Int, _ end: Int, to output: inout [Int32]) {
    let count = end - start
    if count > PieceCache.longestPiece {
      appendLong(text, start, end, to: &output)
      return
    }
    let key = PieceCache.key(text, start, count: count)
    let slot = cache.slot(of: key)
    if slot.pointee.key == key {
      let tokens = slot.pointee.tokens
      output.append(tokens[0])
      var i = 1
      while i < PieceCache.mostTokens, tokens[i] >= 0 {
        output.append(tokens[i])
        i += 1
      }
      return
    }
    appendCaching(text, start, end, key, to: &output)
  }

  @inline(never)
  private mutating func appendCaching(
    _ text: TextView, _ start: Int, _ end: Int, _ key: PieceCache.Key, to output: inout [Int32]
  ) {
    let before = output.count
    appendEncoding(text, start, end, to: &output)
    let count = output.count - before
    guard (1...PieceCache.mostTokens).contains(count) else { return }
    var tokens = SIMD4<Int32>(repeating: -1)
    for i in 0..<count { tokens[i] = output[before + i] }
    cache.slot(of: key).pointee = PieceCache.Slot(key: key, tokens: tokens)
  }

  /// The places in a piece are counted in 32 bits: a piece of a gigabyte is cut, which no tokenizer
  /// does, and no text needs.
  private static let longestEncoded = 1 << 30

  @inline(never)
  private mutating func appendLong(
    _ text: TextView, _ start: Int, _ end: Int, to output: inout [Int32]
  ) {
    for part in stride(from: start, to: end, by: Self.longestEncoded) {
      appendEncoding(text, part, min(part + Self.longestEncoded, end), to: &output)
    }
  }

  @inline(never)
  private mutating func appendEncoding(
    _ text: TextView, _ start: Int, _ end: Int, to output: inout [Int32]
  ) {
    if let whole = model.wholePieces,
      let id = whole.id(of: UnsafeRawBufferPointer(start: text.bytes + start, count: end - start))
    {
      output.append(Int32(id))
      return
    }
    symbols.removeAll(keepingCapacity: true)
    appendSymbols(text, start, end)
    let left = symbols.withUnsafeMutableBufferPointer { encoding.merge($0) }
    output.append(contentsOf: symbols[..<left])
    if symbols.count > 1 << 16 { symbols = [] }
  }

  private mutating func appendSymbols(_ text: TextView, _ start: Int, _ end: Int) {
    switch model.alphabet {
    case .bytes(let tokens):
      for i in start..<end {
        let id = tokens[Int(text.bytes[i])]
        if id >= 0 { symbols.append(id) }
      }
    case .characters(let bytes, let unknown, let fusesUnknown):
      var isUnknown = false
      var i = start
      while i < end {
        let length = text.scalar(at: i)?.length ?? 1
        let character = UnsafeRawBufferPointer(start: text.bytes + i, count: length)
        i += length
        if let id = model.vocabulary.id(of: character) {
          symbols.append(Int32(id))
          isUnknown = false
        } else if let bytes, character.allSatisfy({ bytes[Int($0)] >= 0 }) {
          for byte in character { symbols.append(bytes[Int(byte)]) }
          isUnknown = false
        } else if let unknown {
          if !(isUnknown && fusesUnknown) { symbols.append(unknown) }
          isUnknown = true
        }
      }
    }
  }
}
