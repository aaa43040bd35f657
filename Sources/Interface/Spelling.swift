/// The candidate whose spelling is nearest to `word`, if any is near.
///
/// Letter case, '-' and '_' do not count. Of the rest, one edit (a letter added, left out,
/// replaced, or swapped with its neighbour) is near, and one more for every three letters.
func closest(to word: String, in candidates: some Sequence<String>) -> String? {
  // Longer words are not slips of the hand, and a file may hold a key of a megabyte.
  guard word.utf8.count <= 64 else { return nil }
  let letters = comparable(word)
  let limit = max(1, letters.count / 3)
  var best: (candidate: String, distance: Int)?
  for candidate in candidates where candidate.utf8.count <= 64 {
    let other = comparable(candidate)
    var distance = editDistance(letters, other)
    // A word broken off after three letters or more is near, however much is missing.
    if letters.count >= 3, other.starts(with: letters) { distance = min(distance, limit) }
    if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.candidate
}

/// `" Did you mean 'threads'?"`, or nothing if no candidate is near.
public func hint(for word: String, in candidates: some Sequence<String>) -> String {
  closest(to: word, in: candidates).map { " Did you mean \(quoted($0))?" } ?? ""
}

/// The optimal string alignment distance: insertions, deletions, replacements, and swaps of
/// two neighbours that are not edited again.
func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var row = [i + 1]
    for (j, y) in b.enumerated() {
      var distance = min(previous[j] + (x == y ? 0 : 1), row[j] + 1, previous[j + 1] + 1)
      if i > 0, j > 0, x == b[j - 1], a[i - 1] == y {
        distance = min(distance, beforePrevious[j - 1] + 1)
      }
      row.append(distance)
    }
    (beforePrevious, previous) = (previous, row)
  }
  return previous[b.count]
}

private func comparable(_ word: String) -> [Character] {
  word.lowercased().filter { $0 != "-" && $0 != "_" }
}

/// What the user wrote, in 'quotes': cut after `limit` characters, and printable.
func quoted(_ text: String, limit: Int = 60) -> String {
  let scalars = text.unicodeScalars
  guard scalars.index(scalars.startIndex, offsetBy: limit + 1, limitedBy: scalars.endIndex) != nil
  else { return "'\(printable(text))'" }
  return "'\(printable(String(String.UnicodeScalarView(scalars.prefix(limit)))))…'"
}

/// The text with everything escaped that a terminal might obey instead of show: control
/// characters, and the marks that change the direction of writing.
public func printable(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: isUnprintable) else { return text }
  return text.unicodeScalars
    .map { isUnprintable($0) ? "\\u{\(String($0.value, radix: 16))}" : String($0) }
    .joined()
}

private func isUnprintable(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .lineSeparator, .paragraphSeparator: true
  case .format: scalar.value != 0x200D  // the joiner inside emoji is harmless
  default: false
  }
}

/// `"'a', 'b' and 'c'"`, or with another last word than "and".
func listed(_ words: some Collection<String>, last: String = "and") -> String {
  let words = words.map { quoted($0) }
  guard let final = words.last, words.count > 1 else { return words.first ?? "" }
  return "\(words.dropLast().joined(separator: ", ")) \(last) \(final)"
}
