import Storage

extension AdapterConfiguration {
  /// Reads `adapter_config.json`.
  ///
  /// Keys of other versions of PEFT are left aside, with a note where they say anything.
  ///
  /// - Parameters:
  ///   - json: The file.
  ///   - source: What errors and notes call it, usually its path.
  /// - Throws: `AdapterError` with everything that is wrong or not supported.
  public init(
    reading json: JSONValue, source: String = "adapter_config.json"
  ) throws(AdapterError) {
    guard case .object(let object) = json else {
      throw AdapterError(
        "\(source): the file holds \(json.shown), not an object with the adapter's configuration.")
    }
    var reader = AdapterConfigurationReader(object, source: source)
    reader.checkKind()
    let rank = reader.whole("r", from: 1, to: Limits.rank)
    let alpha = reader.number("lora_alpha", from: -Limits.alpha, to: Limits.alpha)
    let dropout = reader.number("lora_dropout", from: 0, to: 1, default: 0)
    let target = reader.targetModules()
    let excluded = reader.excludedModules()
    let layers = reader.layersToTransform(isPattern: target?.isList == false)
    let stabilized = reader.bool("use_rslora")
    let rankPattern = reader.pattern("rank_pattern", "whole number from 1 to \(Limits.rank)") {
      $0.int.flatMap { (1...Limits.rank).contains($0) ? $0 : nil }
    }
    let alphaPattern = reader.pattern("alpha_pattern", "number within ±\(Int(Limits.alpha))") {
      $0.double.flatMap { abs($0) <= Limits.alpha ? $0 : nil }
    }
    let baseModel = reader.text("base_model_name_or_path")
    let revision = reader.text("revision")
    reader.checkVariants()
    reader.noteUnknownKeys()
    guard reader.findings.isEmpty, let rank, let alpha, let dropout, let target, let stabilized
    else { throw AdapterError(reader.findings) }
    self.init(
      rank: rank, alpha: alpha, dropout: dropout, targetModules: target,
      excludedModules: excluded, layersToTransform: layers, usesRankStabilization: stabilized,
      rankPattern: rankPattern, alphaPattern: alphaPattern, baseModel: baseModel,
      revision: revision, notes: reader.notes)
  }
}

extension ModuleSelection {
  fileprivate var isList: Bool { if case .names = self { true } else { false } }
}

/// Takes values out of `adapter_config.json`, and collects what is wrong instead of stopping at it.
///
/// Each method that gives an optional returns nil once it has added a finding.
struct AdapterConfigurationReader {
  let object: JSONObject
  private let source: String
  private(set) var findings: [String] = []
  private(set) var notes: [String] = []

  /// The most names, layers or patterns in one list.
  private static let longestList = 1 << 14

  init(_ object: JSONObject, source: String) {
    self.object = object
    self.source = source
  }

  mutating func add(_ finding: String) { findings.append("\(source): \(finding)") }
  mutating func note(_ note: String) { notes.append("\(source): \(note)") }

  /// The value of a key; nil where it is absent or null.
  func value(_ key: String) -> JSONValue? {
    object[key].flatMap { $0 == .null ? nil : $0 }
  }

  mutating func whole(_ key: String, from least: Int, to most: Int) -> Int? {
    guard let value = required(key) else { return nil }
    if case .number(let number) = value, let int = number.int, (least...most).contains(int) {
      return int
    }
    add("'\(key)' is \(value.shown), not a whole number from \(least) to \(most).")
    return nil
  }

  /// A number of a range whose ends are whole.
  mutating func number(
    _ key: String, from least: Double, to most: Double, default: Double? = nil
  ) -> Double? {
    if let `default`, value(key) == nil { return `default` }
    guard let value = required(key) else { return nil }
    if case .number(let number) = value, let double = number.double,
      (least...most).contains(double)
    {
      return double
    }
    add("'\(key)' is \(value.shown), not a number from \(Int(least)) to \(Int(most)).")
    return nil
  }

  /// False where the key is absent or null, as in PEFT.
  mutating func bool(_ key: String) -> Bool? {
    switch value(key) {
    case nil: return false
    case .bool(let bool): return bool
    case let value?:
      add("'\(key)' is \(value.shown), not true or false.")
      return nil
    }
  }

  mutating func text(_ key: String) -> String? {
    switch value(key) {
    case nil: return nil
    case .string(let text): return text
    case let value?:
      add("'\(key)' is \(value.shown), not a text.")
      return nil
    }
  }

  private mutating func required(_ key: String) -> JSONValue? {
    guard let value = object[key] else {
      add("missing key '\(key)'.")
      return nil
    }
    return value
  }

  // MARK: - Modules and layers

  mutating func targetModules() -> ModuleSelection? {
    switch required("target_modules") {
    case nil: return nil
    case .null:
      add("'target_modules' is null. Name the modules that the adapter is for.")
      return nil
    case .array([]):
      add("'target_modules' is empty. Name the modules that the adapter is for.")
      return nil
    case .string(let text) where text.utf8.count == 10 && text.lowercased() == "all-linear":
      return .allLinear
    case let value?: return selection(value, "target_modules")
    }
  }

  mutating func excludedModules() -> ModuleSelection? {
    switch value("exclude_modules") {
    case nil, .array([]), .string(""): nil
    case let value?: selection(value, "exclude_modules")
    }
  }

  private mutating func selection(_ value: JSONValue, _ key: String) -> ModuleSelection? {
    switch value {
    case .string(let text): return pattern(text, in: "'\(key)'").map { .pattern($0) }
    case .array(let elements):
      guard isShort(elements.count, key) else { return nil }
      var names: [String] = []
      for element in elements {
        guard case .string(let name) = element else {
          add("'\(key)' has \(element.shown) in it, which is not a name.")
          return nil
        }
        names.append(name)
      }
      return .names(names)
    default:
      add("'\(key)' is \(value.shown), not a list of names or a regular expression.")
      return nil
    }
  }

  private mutating func pattern(_ text: String, in place: String) -> ModulePattern? {
    do throws(ModulePatternError) {
      return try ModulePattern(text)
    } catch {
      add(
        "\(place) has the regular expression \(quoted(text)): \(error.description) "
          + "Write it another way, or list the names of the modules.")
      return nil
    }
  }

  mutating func layersToTransform(isPattern: Bool) -> [Int]? {
    let key = "layers_to_transform"
    var layers: [Int] = []
    switch value(key) {
    case nil, .array([]): return nil
    case .array(let elements):
      guard isShort(elements.count, key) else { return nil }
      for element in elements {
        guard case .number(let number) = element, let layer = number.int, layer >= 0 else {
          add("'\(key)' has \(element.shown) in it, which is not the number of a layer.")
          return nil
        }
        layers.append(layer)
      }
    case let value?:
      guard case .number(let number) = value, let layer = number.int, layer >= 0 else {
        add("'\(key)' is \(value.shown), not a layer's number or a list of them.")
        return nil
      }
      layers = [layer]
    }
    if isPattern {
      add(
        "'\(key)' goes with a list of names in 'target_modules' only. Put the layers into the "
          + "regular expression.")
      return nil
    }
    checkLayersPattern()
    return layers
  }

  /// The list of layers has one name in all models here.
  private mutating func checkLayersPattern() {
    let key = "layers_pattern"
    let known = [JSONValue.string("layers"), .string("model.layers"), .string("")]
    guard let value = value(key), !known.contains(value), value != .array([]) else { return }
    if case .array(let elements) = value, elements.contains(where: known.contains) { return }
    add("'\(key)' is \(value.shown), but the layers of the models read here are in 'layers'.")
  }

  mutating func pattern<Value>(
    _ key: String, _ wording: String, read: (JSONNumber) -> Value?
  ) -> [AdapterConfiguration.PatternValue<Value>] {
    guard let value = value(key) else { return [] }
    guard case .object(let object) = value else {
      add("'\(key)' is \(value.shown), not an object with a number for each name.")
      return []
    }
    guard isShort(object.members.count, key) else { return [] }
    var values: [AdapterConfiguration.PatternValue<Value>] = []
    for (name, value) in object.members {
      guard case .number(let number) = value, let found = read(number) else {
        add("\(quoted(name)) in '\(key)' is \(value.shown), not a \(wording).")
        continue
      }
      guard let pattern = pattern(name, in: "'\(key)'") else { continue }
      values.append(.init(pattern, found))
    }
    return values
  }

  private mutating func isShort(_ count: Int, _ key: String) -> Bool {
    if count <= Self.longestList { return true }
    add("'\(key)' has \(count) elements; at most \(Self.longestList) are read.")
    return false
  }
}

extension JSONValue {
  /// The value as an error names it.
  var shown: String {
    switch self {
    case .null: "null"
    case .bool(let bool): "\(bool)"
    case .number(let number):
      number.text.utf8.count > 30 ? "\(number.text.prefix(30))…" : number.text
    case .string(let text): quoted(text)
    case .array: "a list"
    case .object: "an object"
    }
  }

  /// Whether it says nothing: null, false, or empty.
  var isNothing: Bool {
    switch self {
    case .null, .bool(false), .array([]): true
    case .string(let text): text.isEmpty
    case .object(let object): object.members.isEmpty
    default: false
    }
  }
}
