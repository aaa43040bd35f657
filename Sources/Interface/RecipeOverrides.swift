extension RecipeValue {
  /// Replaces one value, as `--set key=value` says.
  ///
  /// The key is a path with dots: names of members, numbers of list elements. A member that is
  /// not there yet is added; whether there may be one, the decoding finds out. The value is read
  /// as JSON5 if it is JSON5, otherwise as a text.
  ///
  /// - Returns: What is wrong with the override; then nothing is replaced.
  mutating func apply(_ override: String, number: Int) -> [Finding] {
    let place = Place(override: number, offset: 0)
    guard let (path, written) = parts(ofOverride: override) else {
      return [
        Finding(place: place, words: "it must be a key, '=' and a value, such as 'seed=1'.")
      ]
    }
    guard path.count <= JSON5Scanner.depthLimit else {
      return [Finding(place: place, words: "the key has more than 64 parts.")]
    }
    var scanner = JSON5Scanner(RecipeText(written), override: number)
    var value = RecipeValue(content: .text(written), place: place)
    if let parsed = try? scanner.document() {
      guard scanner.findings.isEmpty else { return scanner.findings }
      value = parsed
    }
    do {
      try set(value, at: path[...], below: [])
      return []
    } catch let finding as Finding {
      return [finding]
    } catch {
      return []
    }
  }

  private mutating func set(
    _ new: RecipeValue, at path: ArraySlice<String>, below parents: [String]
  ) throws {
    guard let key = path.first else {
      self = new
      return
    }
    switch content {
    case .object(var object):
      var value = object.member(key)?.value ?? RecipeValue(content: .null, place: new.place)
      try value.set(new, at: path.dropFirst(), below: parents + [key])
      object.set(key, to: value, at: new.place)
      content = .object(object)
    case .null:  // a feature that was off
      self = RecipeValue(content: .object(RecipeObject()), place: new.place)
      try set(new, at: path, below: parents)
    case .list(var elements):
      guard let index = Int(key), elements.indices.contains(index) else {
        let numbers =
          switch elements.count {
          case 0: "is empty"
          case 1: "has the element 0 only"
          default: "has the elements 0 to \(elements.count - 1)"
          }
        throw Finding(
          place: new.place, words: "\(name(parents)) \(numbers); there is no \(quoted(key)).")
      }
      try elements[index].set(new, at: path.dropFirst(), below: parents + [key])
      content = .list(elements)
    default:
      throw Finding(
        place: new.place,
        words: "\(name(parents)) is no object; it is \(found), and has no key \(quoted(key)).")
    }
  }
}

/// The path and the value of `key=value`; nil if it is not written so.
func parts(ofOverride override: String) -> (path: [String], value: String)? {
  guard let equals = override.firstIndex(of: "=") else { return nil }
  let path = override[..<equals].split(separator: ".", omittingEmptySubsequences: false)
  guard path.allSatisfy({ !$0.isEmpty }) else { return nil }
  return (path.map(String.init), String(override[override.index(after: equals)...]))
}

/// A path as it is named in a sentence, and written in an override.
func name(_ path: [String]) -> String {
  path.isEmpty ? "the recipe" : quoted(path.joined(separator: "."), limit: 120)
}

extension RepeatedOption where Value == String {
  /// `--set <key=value>`, for the commands that take a recipe; its values are what
  /// `decodeRecipe` takes as overrides.
  public static var recipeOverrides: RepeatedOption {
    RepeatedOption(
      "set", "key=value",
      help: "Use another value for one key of the recipe, such as optimizer.learningRate=2e-4.",
      Values("a key, '=' and a value") { parts(ofOverride: $0) == nil ? nil : $0 })
  }
}

/// An override as errors tell it: whoever gives a key by mistake must not find it in a log.
func withoutSecret(_ override: String) -> String {
  guard let equals = override.firstIndex(of: "=") else { return override }
  let names = override[..<equals].lowercased().split(separator: ".")
  let isSecret = names.contains { name in
    ["key", "apikey", "api_key", "token", "secret", "password"].contains(String(name))
  }
  return isSecret ? override[..<equals] + "=…" : override
}
