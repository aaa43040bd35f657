/// A recipe as it is written: a tree that knows where each of its parts stands.
struct RecipeValue: Equatable {
  enum Content: Equatable {
    case null
    case bool(Bool)
    /// A number in its shortest plain decimal form; equal numbers are equal texts.
    case number(String)
    case text(String)
    case list([RecipeValue])
    case object(RecipeObject)
  }

  var content: Content
  var place: Place
}

/// The members of an object, in the order they were written.
struct RecipeObject: Equatable {
  struct Member: Equatable {
    let key: String
    let place: Place
    var value: RecipeValue
  }

  private(set) var members: [Member] = []
  private var indices: [String: Int] = [:]

  func member(_ key: String) -> Member? { indices[key].map { members[$0] } }

  /// Sets a member; returns where the one that it replaces stands, if there is one.
  @discardableResult
  mutating func set(_ key: String, to value: RecipeValue, at place: Place) -> Place? {
    let member = Member(key: key, place: place, value: value)
    if let index = indices[key] {
      defer { members[index] = member }
      return members[index].place
    }
    indices[key] = members.count
    members.append(member)
    return nil
  }
}

/// Where something stands: so many characters into the file, or in an override.
struct Place: Equatable, Comparable {
  /// Which override, if it is not the file.
  var override: Int?
  var offset: Int

  static func < (a: Place, b: Place) -> Bool {
    (a.override ?? -1, a.offset) < (b.override ?? -1, b.offset)
  }
}

/// Something wrong with a recipe: where, and what, as the rest of a sentence.
struct Finding: Error, Equatable {
  let place: Place
  let words: String
}

extension RecipeValue {
  /// The deepest value that exists on the way along `path`.
  func nearest(to path: [String]) -> RecipeValue {
    var value = self
    for key in path {
      switch value.content {
      case .object(let object):
        guard let member = object.member(key) else { return value }
        value = member.value
      case .list(let elements):
        guard let index = Int(key), elements.indices.contains(index) else { return value }
        value = elements[index]
      default: return value
      }
    }
    return value
  }

  /// What it is, to complete "it is …".
  var found: String {
    switch content {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let digits): digits
    case .text(let text): "the text \(quoted(text))"
    case .list: "a list"
    case .object: "an object"
    }
  }

  /// How a number, true, false or null is written; nil for the others.
  var scalar: String? {
    switch content {
    case .null, .bool, .number: found
    case .text, .list, .object: nil
    }
  }

  /// Plain JSON with sorted keys, two blanks per level: the same text for the same content.
  var json: String {
    var text = ""
    appendJSON(to: &text, indent: "")
    return text + "\n"
  }

  private func appendJSON(to text: inout String, indent: String) {
    let inner = indent + "  "
    switch content {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let digits): text += digits
    case .text(let string): appendJSONString(string, to: &text)
    case .list(let elements) where elements.isEmpty: text += "[]"
    case .list(let elements):
      text += "[\n"
      for (index, element) in elements.enumerated() {
        text += inner
        element.appendJSON(to: &text, indent: inner)
        text += index + 1 < elements.count ? ",\n" : "\n"
      }
      text += "\(indent)]"
    case .object(let object) where object.members.isEmpty: text += "{}"
    case .object(let object):
      text += "{\n"
      let members = object.members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      for (index, member) in members.enumerated() {
        text += inner
        appendJSONString(member.key, to: &text)
        text += ": "
        member.value.appendJSON(to: &text, indent: inner)
        text += index + 1 < members.count ? ",\n" : "\n"
      }
      text += "\(indent)}"
    }
  }
}

private func appendJSONString(_ string: String, to text: inout String) {
  text += "\""
  for scalar in string.unicodeScalars {
    switch scalar {
    case "\"": text += "\\\""
    case "\\": text += "\\\\"
    case "\n": text += "\\n"
    case "\t": text += "\\t"
    case "\r": text += "\\r"
    case "\u{00}"..."\u{1F}", "\u{7F}", "\u{2028}", "\u{2029}":
      let digits = String(scalar.value, radix: 16)
      text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: text.unicodeScalars.append(scalar)
    }
  }
  text += "\""
}
