/// The candidate at the least edit distance from `word`, if any is near.
///
/// A word of more than 64 characters is near to nothing, so that a hostile one costs no time.
func closest(to word: String, in candidates: [String]) -> String? {
  let length = word.prefix(65).count
  guard length <= 64 else { return nil }
  return
    candidates
    .map { (candidate: $0, distance: editDistance(word.lowercased(), $0.lowercased())) }
    .filter { $0.distance <= max(2, length / 3) }
    .min { $0.distance < $1.distance }?
    .candidate
}

private func editDistance(_ a: String, _ b: String) -> Int {
  let b = Array(b)
  var row = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in b.indices {
      let substitution = diagonal + (x == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(substitution, row[j] + 1, row[j + 1] + 1)
    }
  }
  return row[b.count]
}

/// A text from a file in single quotes, made fit for one line of an error: control characters
/// are replaced, and what is longer than a name would be is cut.
func quoted(_ text: String) -> String {
  let longest = 60
  let cut = text.unicodeScalars.prefix(longest + 1)
  let shown = cut.prefix(longest).map { scalar in
    scalar.properties.generalCategory == .control ? "\u{FFFD}" : String(scalar)
  }
  return "'" + shown.joined() + (cut.count > longest ? "…" : "") + "'"
}

/// The words in quotes, with commas between them and `conjunction` before the last.
func list(_ words: [String], _ conjunction: String) -> String {
  let quotedWords = words.map { "'\($0)'" }
  guard let last = quotedWords.last, quotedWords.count > 1 else { return quotedWords.joined() }
  return quotedWords.dropLast().joined(separator: ", ") + " \(conjunction) " + last
}
