extension Interpreter {
  func applyToSequence(
    _ filter: TemplateFilter, _ value: TemplateValue, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    func bound(_ parameters: String...) throws -> [TemplateValue?] {
      try arguments.bound(to: parameters, of: filter.rawValue)
    }
    switch filter {
    case .first:
      _ = try bound()
      return try elements(value).first ?? .undefined(Missing("the first of nothing"))
    case .last:
      _ = try bound()
      if case .sequence(let sequence) = value, sequence.kind == .generator {
        throw TemplateFault.evaluation(
          "the result of a filter has no last element before it is a list. Add the filter 'list'.")
      }
      return try elements(value).last ?? .undefined(Missing("the last of nothing"))
    case .list:
      _ = try bound()
      let items = try elements(value)
      try budget.chargeElements(items.count)
      return try list(items)
    case .join:
      let values = try bound("d", "attribute")
      var items = try elements(value)
      if let attribute = values[1] {
        items = try items.map { try member(attribute, of: $0) }
      }
      let separator = try values[0].map { try printed($0) } ?? TemplateText()
      return .string(try joined(items, separator, for: nil))
    case .reverse:
      _ = try bound()
      let items = try elements(value)
      try budget.chargeElements(items.count)
      if case .string = value {
        return .string(try joined(items.reversed(), TemplateText(), for: nil))
      }
      return try generator(items.reversed())
    case .map: return try map(value, arguments)
    case .select, .reject, .selectattr, .rejectattr: return try select(filter, value, arguments)
    case .batch: return try batch(value, try bound("linecount", "fill_with"))
    case .slice: return try slices(value, try bound("slices", "fill_with"))
    case .dictsort: return try sorted(value, try bound("case_sensitive", "by", "reverse"))
    case .sort:
      let values = try bound("reverse", "case_sensitive", "attribute")
      let items = try elements(value)
      let keys = try sortingKeys(items, values[2], isCaseSensitive: values[1]?.isTrue ?? false)
      let order = try sorted(keys, isReversed: values[0]?.isTrue ?? false)
      try budget.chargeElements(items.count)
      return try list(order.map { items[$0] })
    case .unique:
      let values = try bound("case_sensitive", "attribute")
      let items = try elements(value)
      let keys = try sortingKeys(items, values[1], isCaseSensitive: values[0]?.isTrue ?? false)
      try budget.chargeElements(2 * items.count)
      var seen = Set<DictionaryKey>()
      var result: [TemplateValue] = []
      for (item, key) in zip(items, keys) {
        if seen.insert(try DictionaryKey(key, budget)).inserted { result.append(item) }
      }
      return try generator(result)
    case .min, .max:
      let values = try bound("case_sensitive", "attribute")
      let items = try elements(value)
      let keys = try sortingKeys(items, values[1], isCaseSensitive: values[0]?.isTrue ?? false)
      var best: Int?
      let relation = filter == .min ? Relation.less : .greater
      for i in items.indices {
        guard let known = best else {
          best = i
          continue
        }
        if try holds(keys[i], relation, keys[known]) { best = i }
      }
      return best.map { items[$0] } ?? .undefined(Missing("the \(filter.rawValue) of nothing"))
    default:
      let values = try bound("attribute", "start")
      var sum = values[1] ?? .int(0)
      if case .string = sum {
        throw TemplateFault.evaluation("'sum' does not add texts. Use 'join'.")
      }
      for item in try elements(value) {
        let number =
          if case .some(let attribute) = values[0], !isNone(attribute) {
            try member(attribute, of: item)
          } else { item }
        sum = try calculate(sum, .add, number)
      }
      return sum
    }
  }

  private func isNone(_ value: TemplateValue) -> Bool {
    if case .none = value { true } else { false }
  }

  // MARK: Members

  /// A member by a path such as `function.name` or `0.text`, as filters take it.
  func member(_ path: TemplateValue, of value: TemplateValue) throws -> TemplateValue {
    guard case .string(let text) = path else { return try item(path, of: value) }
    try budget.charge(text)
    var result = value
    for part in text.bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
      try budget.charge()
      let word = String(decoding: part, as: UTF8.self)
      let isNumber = !part.isEmpty && part.allSatisfy { (0x30...0x39).contains($0) }
      if isNumber {
        guard let index = Int(word) else { throw TemplateFault.overflow }
        result = try item(.int(index), of: result)
      } else {
        result = try item(.text(word), of: result)
      }
    }
    return result
  }

  private func map(_ value: TemplateValue, _ arguments: PassedArguments) throws -> TemplateValue {
    let items = try elements(value)
    try budget.chargeElements(items.count)
    var arguments = arguments
    if arguments.positional.isEmpty,
      let attribute = arguments.named.first(where: { $0.name == "attribute" })?.value
    {
      let values = try arguments.bound(to: ["attribute", "default"], of: "map")
      return try generator(
        items.map { item in
          let member = try member(attribute, of: item)
          if case .undefined = member, let standard = values[1] { return standard }
          return member
        })
    }
    guard let first = arguments.positional.first else {
      throw TemplateFault.evaluation("'map' needs a filter or an attribute.")
    }
    let name = try text(first, for: "map").string
    guard let filter = TemplateFilter(rawValue: name), !filter.isMarkup else {
      throw TemplateFault.unsupported("the filter '\(name)' is not known in 'map'.")
    }
    arguments.positional.removeFirst()
    return try generator(
      items.map { item in try nested { try apply(filter, to: item, arguments) } })
  }

  private func select(
    _ filter: TemplateFilter, _ value: TemplateValue, _ arguments: PassedArguments
  ) throws -> TemplateValue {
    var arguments = arguments
    var attribute: TemplateValue?
    if filter == .selectattr || filter == .rejectattr {
      guard !arguments.positional.isEmpty else {
        throw TemplateFault.evaluation("'\(filter.rawValue)' needs the name of an attribute.")
      }
      attribute = arguments.positional.removeFirst()
    }
    var test: TemplateTest?
    if !arguments.positional.isEmpty {
      let name = try text(arguments.positional.removeFirst(), for: filter.rawValue).string
      test = TemplateTest(name: name)
      guard test != nil else {
        throw TemplateFault.unsupported("the test '\(name)' is not known.")
      }
    }
    let wanted = filter == .select || filter == .selectattr
    let items = try elements(value)
    try budget.chargeElements(items.count)
    return try generator(
      items.filter { item in
        try budget.charge()
        let examined = try attribute.map { try member($0, of: item) } ?? item
        let holds = try test.map { try self.test($0, examined, arguments) } ?? examined.isTrue
        return holds == wanted
      })
  }

  // MARK: Order

  private func sortingKeys(
    _ items: [TemplateValue], _ attribute: TemplateValue?, isCaseSensitive: Bool
  ) throws -> [TemplateValue] {
    try budget.chargeElements(items.count)
    func folded(_ value: TemplateValue) throws -> TemplateValue {
      guard !isCaseSensitive, case .string(let text) = value else { return value }
      return .string(try cased(text, "lower"))
    }
    return try items.map { item in
      guard let attribute, !isNone(attribute) else { return try folded(item) }
      guard case .string(let text) = attribute, text.bytes.contains(UInt8(ascii: ",")) else {
        return try folded(try member(attribute, of: item))
      }
      let paths = text.string.split(separator: ",", omittingEmptySubsequences: false)
      return try tuple(paths.map { try folded(try member(.text(String($0)), of: item)) })
    }
  }

  /// The order of values, equal ones as they were.
  func sorted(_ keys: [TemplateValue], isReversed: Bool = false) throws -> [Int] {
    try budget.chargeElements(keys.count)
    return try Array(keys.indices).sorted { a, b in
      let order = try order(keys[a], .less, keys[b]) ?? 0
      return order == 0 ? a < b : (order < 0) != isReversed
    }
  }

  private func sorted(
    _ value: TemplateValue, _ values: [TemplateValue?]
  ) throws -> TemplateValue {
    guard case .dictionary(let dictionary) = value else {
      throw TemplateFault.evaluation("a \(value.kind) where 'dictsort' needs a dict.")
    }
    let by = try values[1].map { try text($0, for: "dictsort").string } ?? "key"
    guard by == "key" || by == "value" else {
      throw TemplateFault.evaluation("'dictsort' by neither 'key' nor 'value'.")
    }
    let keys = try sortingKeys(
      by == "key" ? dictionary.keys : dictionary.values, nil,
      isCaseSensitive: values[0]?.isTrue ?? false)
    let pairs = try pairs(of: dictionary)
    return try list(sorted(keys, isReversed: values[2]?.isTrue ?? false).map { pairs[$0] })
  }

  // MARK: Groups

  private func batch(_ value: TemplateValue, _ values: [TemplateValue?]) throws -> TemplateValue {
    let size = try integer(values[0] ?? .none, for: "batch")
    let items = try elements(value)
    guard size > 0 else { throw TemplateFault.evaluation("'batch' of less than one element.") }
    try budget.chargeElements(2 * items.count)
    var rows: [[TemplateValue]] = []
    for item in items {
      if rows.isEmpty || rows[rows.count - 1].count == size { rows.append([]) }
      rows[rows.count - 1].append(item)
    }
    if let fill = values[1], !isNone(fill), let last = rows.last {
      try budget.chargeElements(size - last.count)
      rows[rows.count - 1] += repeatElement(fill, count: size - last.count)
    }
    return try generator(rows.map { try list($0) })
  }

  private func slices(_ value: TemplateValue, _ values: [TemplateValue?]) throws -> TemplateValue {
    let count = try integer(values[0] ?? .none, for: "slice")
    let items = try elements(value)
    guard count > 0 else { throw TemplateFault.evaluation("'slice' into less than one part.") }
    try budget.chargeElements(items.count)
    try budget.chargeElements(count)
    let (size, longer) = items.count.quotientAndRemainder(dividingBy: count)
    var start = 0
    return try generator(
      (0..<count).map { i in
        let end = start + size + (i < longer ? 1 : 0)
        var row = Array(items[start..<end])
        start = end
        if let fill = values[1], !isNone(fill), i >= longer { row.append(fill) }
        return try list(row)
      })
  }
}
