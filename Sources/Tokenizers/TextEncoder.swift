/// Turns text into tokens, one text at a time; a thread needs one of its own.
final class TextEncoder {
  private let normalizer: Normalizer
  private let preTokenizer: PreTokenizer
  private let rawTokens: AddedTokenMatcher
  private let normalizedTokens: AddedTokenMatcher
  private var pieces: PieceEncoder

  init(
    _ model: BytePairModel, _ normalizer: Normalizer, _ preTokenizer: PreTokenizer,
    rawTokens: AddedTokenMatcher, normalizedTokens: AddedTokenMatcher
  ) {
    self.normalizer = normalizer
    self.preTokenizer = preTokenizer
    self.rawTokens = rawTokens
    self.normalizedTokens = normalizedTokens
    pieces = PieceEncoder(model)
  }

  deinit { pieces.deallocate() }

  /// Appends the tokens of a text: added tokens are found first, in the text as it is; what is
  /// between them is normalized, searched for the others, cut into pieces and encoded.
  ///
  /// - Parameter literal: Ranges of it, ascending, in which special tokens are text.
  func append(
    _ text: UnsafeBufferPointer<UInt8>, literal: [Range<Int>], to output: inout [Int32]
  ) {
    var done = 0
    for match in rawTokens.matches(in: text, literal: literal) {
      appendNormalizing(text, done..<max(done, match.range.lowerBound), literal, &output)
      output.append(match.id)
      done = match.range.upperBound
    }
    appendNormalizing(text, done..<text.count, literal, &output)
  }

  private func appendNormalizing(
    _ whole: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ literal: [Range<Int>],
    _ output: inout [Int32]
  ) {
    if range.isEmpty { return }
    let text = UnsafeBufferPointer(rebasing: whole[range])
    let isFirst = range.lowerBound == 0
    let isUnchanged = normalizer.leavesUnchanged(text)
    if normalizedTokens.isEmpty {
      if isUnchanged { return appendPreparing(text, isFirst, &output) }
      return normalizer.normalized(text).withUnsafeBufferPointer {
        appendPreparing($0, isFirst, &output)
      }
    }
    let literal = literal.filter { $0.overlaps(range) }.map {
      let part = $0.clamped(to: range)
      let local = part.lowerBound - range.lowerBound..<part.upperBound - range.lowerBound
      return isUnchanged ? local : moved(local, in: text)
    }
    if isUnchanged { return appendSearching(text, isFirst, literal, &output) }
    normalizer.normalized(text).withUnsafeBufferPointer {
      appendSearching($0, isFirst, literal, &output)
    }
  }

  /// Where a range is after normalizing: as far along as the normalized text before it is long.
  private func moved(_ range: Range<Int>, in text: UnsafeBufferPointer<UInt8>) -> Range<Int> {
    let start = normalizer.normalized(text[..<range.lowerBound]).count
    return start..<max(start, normalizer.normalized(text[..<range.upperBound]).count)
  }

  private func appendSearching(
    _ text: UnsafeBufferPointer<UInt8>, _ isFirst: Bool, _ literal: [Range<Int>],
    _ output: inout [Int32]
  ) {
    var done = 0
    func appendText(to end: Int) {
      if done < end {
        appendPreparing(
          UnsafeBufferPointer(rebasing: text[done..<end]), isFirst && done == 0, &output)
      }
    }
    for match in normalizedTokens.matches(in: text, literal: literal) {
      appendText(to: match.range.lowerBound)
      output.append(match.id)
      done = match.range.upperBound
    }
    appendText(to: text.count)
  }

  private func appendPreparing(
    _ text: UnsafeBufferPointer<UInt8>, _ isFirst: Bool, _ output: inout [Int32]
  ) {
    if let prepared = preTokenizer.prepared(text, isFirst: isFirst) {
      prepared.withUnsafeBufferPointer { appendPieces($0, &output) }
    } else {
      appendPieces(text, &output)
    }
  }

  private func appendPieces(_ text: UnsafeBufferPointer<UInt8>, _ output: inout [Int32]) {
    guard let start = text.baseAddress, !text.isEmpty else { return }
    let view = TextView(start, end: text.count)
    // One loop for each common pattern, so that the scanner is compiled into it.
    switch preTokenizer.patterns {
    case [.cl100k(digits: 1)]:
      var i = 0
      while i < view.end {
        let end = SplitPattern.cl100k(digits: 1).endOfPiece(in: view, from: i)
        pieces.append(view, i, end, to: &output)
        i = end
      }
    case [.cl100k(digits: 3)]:
      var i = 0
      while i < view.end {
        let end = SplitPattern.cl100k(digits: 3).endOfPiece(in: view, from: i)
        pieces.append(view, i, end, to: &output)
        i = end
      }
    default:
      appendPieces(view, from: 0, preTokenizer.patterns[...], &output)
    }
  }

  private func appendPieces(
    _ text: TextView, from start: Int, _ patterns: ArraySlice<SplitPattern>,
    _ output: inout [Int32]
  ) {
    guard let pattern = patterns.first else {
      return pieces.append(text, start, text.end, to: &output)
    }
    var i = start
    while i < text.end {
      let end = pattern.endOfPiece(in: text, from: i)
      if patterns.count == 1 {
        pieces.append(text, i, end, to: &output)
      } else {
        appendPieces(TextView(text.bytes, end: end), from: i, patterns.dropFirst(), &output)
      }
      i = end
    }
  }
}
