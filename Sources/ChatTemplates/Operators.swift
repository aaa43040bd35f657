import Foundation

/// A number, as Python's operators see it: `True` is 1.
private enum Number {
  case int(Int)
  case float(Double)

  init?(_ value: TemplateValue) {
    switch value {
    case .bool(let value): self = .int(value ? 1 : 0)
    case .int(let value): self = .int(value)
    case .float(let value): self = .float(value)
    default: return nil
    }
  }

  var double: Double {
    switch self {
    case .int(let value): Double(value)
    case .float(let value): value
    }
  }
}

extension Interpreter {
  func calculate(
    _ a: TemplateValue, _ operation: Arithmetic, _ b: TemplateValue
  ) throws -> TemplateValue {
    try budget.charge()
    if case .undefined(let missing) = a { throw missing.fault }
    if case .string(let format) = a, operation == .remainder { return try percent(format, b) }
    if case .undefined(let missing) = b { throw missing.fault }
    if let a = Number(a), let b = Number(b) {
      if case .int(let a) = a, case .int(let b) = b { return try integers(a, operation, b) }
      return .float(try floats(a.double, operation, b.double))
    }
    switch (a, operation, b) {
    case (.largeInteger, _, _) where Number(b) != nil, (_, _, .largeInteger) where Number(a) != nil:
      throw TemplateFault.overflow
    case (.string(let a), .add, .string(let b)):
      try budget.chargeText(bytes: a.count + b.count, ranges: a.inputRanges.count)
      try budget.charge(b)
      var result = TemplateText()
      result.reserveCapacity(a.count + b.count)
      result.append(a)
      result.append(b)
      return .string(result)
    case (.list(let a), .add, .list(let b)):
      try budget.chargeElements(a.items.count + b.items.count)
      return try list(a.items + b.items)
    case (.tuple(let a), .add, .tuple(let b)):
      try budget.chargeElements(a.items.count + b.items.count)
      return try tuple(a.items + b.items)
    case (.string(let text), .multiply, let times), (let times, .multiply, .string(let text)):
      guard case .int(let times)? = Number(times) else { break }
      return .string(try repeated(text, times))
    case (.list(let items), .multiply, let times), (let times, .multiply, .list(let items)):
      guard case .int(let times)? = Number(times) else { break }
      return try list(repeated(items.items, times))
    case (.tuple(let items), .multiply, let times), (let times, .multiply, .tuple(let items)):
      guard case .int(let times)? = Number(times) else { break }
      return try tuple(repeated(items.items, times))
    default: break
    }
    throw TemplateFault.evaluation(
      "'\(operation.rawValue)' does not take a \(a.kind) and a \(b.kind).")
  }

  func repeated(_ text: TemplateText, _ times: Int) throws -> TemplateText {
    try budget.chargeRepeated(text, times)
    var result = TemplateText()
    guard times > 0, !text.isEmpty else { return result }
    result.reserveCapacity(text.count * times)
    result.append(text)
    var done = 1
    while done <= times / 2 {
      let half = result
      result.append(half)
      done *= 2
    }
    for _ in done..<times { result.append(text) }
    return result
  }

  private func repeated(_ items: [TemplateValue], _ times: Int) throws -> [TemplateValue] {
    guard times > 0, !items.isEmpty else { return [] }
    let (count, overflow) = items.count.multipliedReportingOverflow(by: times)
    try budget.chargeElements(overflow ? Int.max : count)
    var result: [TemplateValue] = []
    result.reserveCapacity(count)
    for _ in 0..<times { result += items }
    return result
  }

  // MARK: Numbers

  private func integers(_ a: Int, _ operation: Arithmetic, _ b: Int) throws -> TemplateValue {
    func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> TemplateValue {
      guard !result.overflow else { throw TemplateFault.overflow }
      return .int(result.partialValue)
    }
    switch operation {
    case .add: return try checked(a.addingReportingOverflow(b))
    case .subtract: return try checked(a.subtractingReportingOverflow(b))
    case .multiply: return try checked(a.multipliedReportingOverflow(by: b))
    case .divide: return .float(try floats(Double(a), .divide, Double(b)))
    case .floorDivide:
      guard b != 0 else { throw Self.divisionByZero }
      let quotient = a.dividedReportingOverflow(by: b)
      let isBelow = !quotient.overflow && a % b != 0 && (a < 0) != (b < 0)
      return try checked((quotient.partialValue - (isBelow ? 1 : 0), quotient.overflow))
    case .remainder:
      guard b != 0 else { throw Self.divisionByZero }
      let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
      return .int(remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder)
    case .power:
      guard b >= 0 else {
        guard a != 0 else { throw Self.divisionByZero }
        return .float(try floats(Double(a), .power, Double(b)))
      }
      return .int(try power(a, b))
    }
  }

  private func power(_ base: Int, _ exponent: Int) throws -> Int {
    var result = 1
    var square = base
    var left = exponent
    while left > 0 {
      if left & 1 == 1 {
        let product = result.multipliedReportingOverflow(by: square)
        guard !product.overflow else { throw TemplateFault.overflow }
        result = product.partialValue
      }
      left >>= 1
      guard left > 0 else { break }
      let next = square.multipliedReportingOverflow(by: square)
      guard !next.overflow else { throw TemplateFault.overflow }
      square = next.partialValue
    }
    return result
  }

  private static let divisionByZero = TemplateFault.evaluation("a division by zero.")

  private func floats(_ a: Double, _ operation: Arithmetic, _ b: Double) throws -> Double {
    switch operation {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .divide:
      guard b != 0 else { throw Self.divisionByZero }
      return a / b
    case .floorDivide:
      guard b != 0 else { throw Self.divisionByZero }
      let remainder = pythonRemainder(a, b)
      let quotient = (a - remainder) / b
      guard quotient != 0 else { return a / b < 0 ? -0.0 : 0 }
      let floor = quotient.rounded(.down)
      return quotient - floor > 0.5 ? floor + 1 : floor
    case .remainder:
      guard b != 0 else { throw Self.divisionByZero }
      return pythonRemainder(a, b)
    case .power:
      guard a != 0 || b >= 0 else { throw Self.divisionByZero }
      let result = pow(a, b)
      if result.isNaN, !a.isNaN, !b.isNaN {
        throw TemplateFault.evaluation("a power that is no real number.")
      }
      if result.isInfinite, a.isFinite, b.isFinite {
        throw TemplateFault.evaluation("a number too large for a float.")
      }
      return result
    }
  }

  private func pythonRemainder(_ a: Double, _ b: Double) -> Double {
    let remainder = fmod(a, b)
    if remainder == 0 { return b < 0 ? -0.0 : 0 }
    return (remainder < 0) != (b < 0) ? remainder + b : remainder
  }

  func negative(_ value: TemplateValue) throws -> TemplateValue {
    switch (value, Number(value)) {
    case (.undefined(let missing), _): throw missing.fault
    case (_, .int(let value)):
      guard value != Int.min else { throw TemplateFault.overflow }
      return .int(-value)
    case (_, .float(let value)): return .float(-value)
    default: throw TemplateFault.evaluation("'-' does not take a \(value.kind).")
    }
  }

  func positive(_ value: TemplateValue) throws -> TemplateValue {
    switch (value, Number(value)) {
    case (.undefined(let missing), _): throw missing.fault
    case (_, .int(let value)): return .int(value)
    case (_, .float): return value
    default: throw TemplateFault.evaluation("'+' does not take a \(value.kind).")
    }
  }

  // MARK: Comparison

  func holds(_ a: TemplateValue, _ relation: Relation, _ b: TemplateValue) throws -> Bool {
    switch relation {
    case .equal: try equals(a, b)
    case .notEqual: try !equals(a, b)
    case .isIn: try contains(b, a)
    case .isNotIn: try !contains(b, a)
    case .less: try order(a, relation, b).map { $0 < 0 } ?? false
    case .lessOrEqual: try order(a, relation, b).map { $0 <= 0 } ?? false
    case .greater: try order(a, relation, b).map { $0 > 0 } ?? false
    case .greaterOrEqual: try order(a, relation, b).map { $0 >= 0 } ?? false
    }
  }

  func equals(_ a: TemplateValue, _ b: TemplateValue) throws -> Bool {
    try budget.charge()
    if let a = Number(a), let b = Number(b) {
      if case .int(let a) = a, case .int(let b) = b { return a == b }
      return a.double == b.double
    }
    switch (a, b) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.string(let a), .string(let b)):
      guard a.count == b.count else { return false }
      try budget.charge(a.count / 64)
      return a.bytes == b.bytes
    case (.largeInteger(let a), .largeInteger(let b)): return a.bytes == b.bytes
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      guard a.items.count == b.items.count else { return false }
      return try zip(a.items, b.items).allSatisfy { try equals($0, $1) }
    case (.dictionary(let a), .dictionary(let b)):
      guard a.count == b.count else { return false }
      for (key, value) in a.members {
        guard let other = try b.value(key, budget), try equals(value, other) else { return false }
      }
      return true
    case (.namespace(let a), .namespace(let b)): return a === b
    case (.sequence(let a), .sequence(let b)):
      guard a.kind != .generator, a.kind.name == b.kind.name, a.items.count == b.items.count
      else { return a === b }
      return try zip(a.items, b.items).allSatisfy { try equals($0, $1) }
    case (.loop(let a), .loop(let b)): return a === b
    default: return false
    }
  }

  /// Below, at or above 0 as `a` is less than, equal to or greater than `b`; nil for NaN.
  func order(_ a: TemplateValue, _ relation: Relation, _ b: TemplateValue) throws -> Int? {
    try budget.charge()
    if let a = Number(a), let b = Number(b) {
      if case .int(let a) = a, case .int(let b) = b { return a < b ? -1 : a > b ? 1 : 0 }
      let (a, b) = (a.double, b.double)
      return a < b ? -1 : a > b ? 1 : a == b ? 0 : nil
    }
    switch (a, b) {
    case (.undefined(let missing), _), (_, .undefined(let missing)): throw missing.fault
    case (.string(let a), .string(let b)):
      // UTF-8 orders as code points do.
      try budget.charge(min(a.count, b.count) / 16)
      return a.bytes.lexicographicallyPrecedes(b.bytes) ? -1 : a.bytes == b.bytes ? 0 : 1
    case (.list(let a), .list(let b)), (.tuple(let a), .tuple(let b)):
      for (a, b) in zip(a.items, b.items) where try !equals(a, b) {
        return try order(a, relation, b)
      }
      return a.items.count - b.items.count
    default:
      throw TemplateFault.evaluation(
        "'\(relation.rawValue)' does not compare a \(a.kind) with a \(b.kind).")
    }
  }

  /// Python's `item in container`.
  func contains(_ container: TemplateValue, _ item: TemplateValue) throws -> Bool {
    switch container {
    case .string(let text):
      guard case .string(let part) = item else {
        if case .undefined(let missing) = item { throw missing.fault }
        throw TemplateFault.evaluation("'in' looks for a \(item.kind) in a str.")
      }
      return try find(part, in: text, from: 0) != nil
    case .dictionary(let dictionary): return try dictionary.value(item, budget) != nil
    case .namespace, .none, .bool, .int, .float, .largeInteger, .callable, .loop:
      throw TemplateFault.evaluation("'in' does not look into a \(container.kind).")
    default: return try elements(container).contains { try equals($0, item) }
    }
  }

  /// Where a text first is in another, in bytes, at or after `start`.
  func find(_ part: TemplateText, in text: TemplateText, from start: Int) throws -> Int? {
    guard let first = part.bytes.first else { return start <= text.count ? start : nil }
    guard start >= 0, part.count <= text.count - start else { return nil }
    var place = start
    var compared = 0
    let last = text.count - part.count
    while place <= last {
      var same = 0
      if text.bytes[place] == first {
        same = 1
        while same < part.count, text.bytes[place + same] == part.bytes[same] { same += 1 }
      }
      if same == part.count {
        try budget.charge(compared / 16)
        return place
      }
      compared += same + 1
      if compared > 65_536 {
        try budget.charge(compared / 16)
        compared = 0
      }
      place += 1
    }
    try budget.charge(compared / 16)
    return nil
  }
}
