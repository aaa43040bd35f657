/// The machine that pickles are written for, without the part that runs anything.
///
/// Objects lie in one array and are known by their numbers, since a pickle goes on filling lists that
/// it has already put into others. They become a tree when it stops.
struct PickleReader {
  private let bytes: UnsafeRawBufferPointer
  private let source: String
  private let limits: PickleLimits
  private var position = 0
  /// Where the operation that is followed begins.
  private var start = 0
  private var operation = PickleOperation.stop
  /// Where the last frame ends, from protocol 4 on; no operation goes across.
  private var frameEnd = 0

  private var objects: [PickleObject] = []
  /// The numbers of the objects that containers hold.
  private var contents: [[Int]] = []
  private var stack: [Int] = []
  /// How high the stack was at each mark.
  private var marks: [Int] = []
  /// Objects that were kept to be used again; nil where none was.
  private var memo: [Int?] = []
  private var memoCount = 0
  /// Values and marks put on the stack so far.
  private var pushCount = 0

  init(_ bytes: UnsafeRawBufferPointer, source: String, limits: PickleLimits) {
    self.bytes = bytes
    self.source = source
    self.limits = limits
  }

  mutating func value() throws(PickleError) -> PickleValue {
    guard bytes.count <= limits.bytes else {
      throw error("the pickle has \(bytes.count) bytes; at most \(limits.bytes) are read.")
    }
    while true {
      start = position
      let byte = try take(1)[0]
      guard let next = PickleOperation(rawValue: byte) else {
        let digits = String(byte, radix: 16, uppercase: true)
        throw damaged("0x\(byte < 16 ? "0" : "")\(digits) is no operation")
      }
      operation = next
      guard operation == .stop else {
        try follow()
        continue
      }
      let result = try pop()
      guard stack.isEmpty, marks.isEmpty else { throw damaged("STOP leaves values behind") }
      guard position == bytes.count else {
        throw damaged("STOP comes before the end of \(bytes.count) bytes")
      }
      var tree = PickleTree(objects: objects, contents: contents, source: source, limits: limits)
      return try tree.value(of: result)
    }
  }

  private mutating func follow() throws(PickleError) {
    switch operation {
    case .none: try push(.none)
    case .newtrue: try push(.bool(true))
    case .newfalse: try push(.bool(false))
    case .int: try pushInteger(line: try line())
    case .long:
      let line = try line()
      let hasLetter = line.last == UInt8(ascii: "L")
      try pushInteger(
        digits: UnsafeRawBufferPointer(rebasing: line.dropLast(hasLetter ? 1 : 0)))
    case .binint:
      try push(.integer(String(Int32(truncatingIfNeeded: try number(4)))))
    case .binint1: try push(.integer(String(try number(1))))
    case .binint2: try push(.integer(String(try number(2))))
    case .long1: try pushInteger(bytes: try take(try number(1)))
    case .long4: try pushInteger(bytes: try take(try number(4)))
    case .float:
      guard let value = pickledFloat(try line()) else { throw noNumber }
      try push(.float(value))
    case .binfloat:
      try push(.float(Double(bitPattern: try take(8).reduce(0) { $0 << 8 | UInt64($1) })))

    case .unicode: try push(.text(try read(pickledLine(try line()))))
    case .shortBinunicode: try pushText(try number(1))
    case .binunicode: try pushText(try number(4))
    case .binunicode8: try pushText(try number(8))
    case .string: try push(.text(try read(pickledLiteral(try line()))))
    case .shortBinstring: try push(.text(try read(pickledASCII(try take(try number(1))))))
    case .binstring: try push(.text(try read(pickledASCII(try take(try number(4))))))
    case .shortBinbytes: try push(.bytes(Array(try take(try number(1)))))
    case .binbytes: try push(.bytes(Array(try take(try number(4)))))
    case .binbytes8: try push(.bytes(Array(try take(try number(8)))))

    case .emptyList: try push(.list(container([])))
    case .list: try push(.list(container(try popToMark())))
    case .append:
      let value = try pop()
      contents[try list()].append(value)
    case .appends:
      let values = try popToMark()
      contents[try list()] += values
    case .emptyTuple: try push(.tuple(container([])))
    case .tuple: try push(.tuple(container(try popToMark())))
    case .tuple1: try pushTuple(1)
    case .tuple2: try pushTuple(2)
    case .tuple3: try pushTuple(3)
    case .emptyDict: try push(.dictionary(container([])))
    case .dict: try push(.dictionary(container(try pairs(try popToMark()))))
    case .setitem:
      let value = try pop()
      let key = try pop()
      let pair = try pairs([key, value])
      contents[try dictionary()] += pair
    case .setitems:
      let all = try pairs(try popToMark())
      contents[try dictionary()] += all

    case .mark:
      try countPush()
      marks.append(stack.count)
    case .pop: if stack.count == marks.last { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .dup: try put(try top())
    case .get: try recall(try index())
    case .binget: try recall(try number(1))
    case .longBinget: try recall(try number(4))
    case .put: try keep(as: try index())
    case .binput: try keep(as: try number(1))
    case .longBinput: try keep(as: try number(4))
    case .memoize: try keep(as: memoCount)

    case .proto:
      let version = try number(1)
      guard version <= 5 else {
        throw error("the pickle is of protocol \(version); protocols 0 to 5 are read.")
      }
    case .frame:
      let count = try number(8)
      guard start >= frameEnd else { throw damaged("FRAME begins inside of another") }
      guard count <= bytes.count - position else { throw endsEarly }
      frameEnd = position + count

    case .global, .stackGlobal, .reduce, .build, .inst, .obj, .newobj, .newobjEx, .ext1, .ext2,
      .ext4, .persid, .binpersid, .emptySet, .additems, .frozenset, .bytearray8, .nextBuffer,
      .readonlyBuffer:
      throw error(
        "the pickle has \(operation.name) at byte \(start), which makes more than plain data. "
          + "Nothing of it was run; write it as JSON.")
    case .stop: return  // `value()` stops before.
    }
  }

  // MARK: Bytes

  private mutating func take(_ count: Int) throws(PickleError) -> UnsafeRawBufferPointer {
    guard count <= bytes.count - position else { throw endsEarly }
    guard position >= frameEnd || count <= frameEnd - position else {
      throw damaged("\(operation.name) goes beyond its frame")
    }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  /// The next bytes as a number that is not negative, the lowest first.
  private mutating func number(_ width: Int) throws(PickleError) -> Int {
    let value = try take(width).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    // Whatever is counted by such a number, a pickle in memory has less of it.
    return Int(clamping: value)
  }

  /// The bytes up to the next line feed, which is skipped.
  private mutating func line() throws(PickleError) -> UnsafeRawBufferPointer {
    guard let end = bytes[position...].firstIndex(of: 0x0A) else { throw endsEarly }
    let line = try take(end + 1 - position)
    return UnsafeRawBufferPointer(rebasing: line.dropLast())
  }

  private mutating func index() throws(PickleError) -> Int {
    guard let digits = pickledInteger(try line()), let index = Int(digits), index >= 0 else {
      throw noNumber
    }
    return index
  }

  // MARK: Scalars

  private mutating func pushInteger(line: UnsafeRawBufferPointer) throws(PickleError) {
    // Protocols 0 and 1 have no other way to write them.
    if line.elementsEqual("01".utf8) { return try push(.bool(true)) }
    if line.elementsEqual("00".utf8) { return try push(.bool(false)) }
    try pushInteger(digits: line)
  }

  private mutating func pushInteger(digits: UnsafeRawBufferPointer) throws(PickleError) {
    guard digits.count <= limits.digits + 1 else { throw tooManyDigits }
    guard let text = pickledInteger(digits) else { throw noNumber }
    try pushInteger(text)
  }

  private mutating func pushInteger(bytes: UnsafeRawBufferPointer) throws(PickleError) {
    // A byte is more than two digits, and turning bytes into digits takes the square of their count.
    guard bytes.count <= max(limits.digits / 2, 8) else { throw tooManyDigits }
    try pushInteger(pickledInteger(littleEndian: bytes))
  }

  private mutating func pushInteger(_ text: String) throws(PickleError) {
    guard text.utf8.count - (text.utf8.first == UInt8(ascii: "-") ? 1 : 0) <= limits.digits else {
      throw tooManyDigits
    }
    try push(.integer(text))
  }

  private mutating func pushText(_ count: Int) throws(PickleError) {
    try push(.text(try read(pickledUTF8(try take(count)))))
  }

  private func read(_ result: Result<String, PickledTextError>) throws(PickleError) -> String {
    switch result {
    case .success(let text): return text
    case .failure(.halfSurrogate):
      throw error(
        "the text at byte \(start) has half of a surrogate pair. Write U+FFFD in its place.")
    case .failure(.notUTF8): throw damaged("\(operation.name) has bytes that are not UTF-8")
    case .failure(.notASCII):
      throw error("the text at byte \(start) is of Python 2 and not ASCII. Write it as JSON.")
    case .failure(.notQuoted): throw damaged("\(operation.name) has no quotes")
    case .failure(.badEscape): throw damaged("\(operation.name) has an escape that is none")
    }
  }

  // MARK: The stack

  private mutating func countPush() throws(PickleError) {
    pushCount += 1
    guard pushCount <= limits.values else { throw tooManyValues }
  }

  private mutating func put(_ object: Int) throws(PickleError) {
    try countPush()
    stack.append(object)
  }

  private mutating func push(_ object: PickleObject) throws(PickleError) {
    objects.append(object)
    try put(objects.count - 1)
  }

  private func top() throws(PickleError) -> Int {
    guard let last = stack.last, stack.count > marks.last ?? 0 else {
      throw damaged("\(operation.name) finds too few values")
    }
    return last
  }

  private mutating func pop() throws(PickleError) -> Int {
    let last = try top()
    stack.removeLast()
    return last
  }

  private mutating func popToMark() throws(PickleError) -> [Int] {
    guard let mark = marks.popLast() else { throw damaged("\(operation.name) finds no mark") }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  // MARK: Containers

  private mutating func container(_ values: [Int]) -> Int {
    contents.append(values)
    return contents.count - 1
  }

  private mutating func pushTuple(_ count: Int) throws(PickleError) {
    var values: [Int] = []
    for _ in 0..<count { values.append(try pop()) }
    try push(.tuple(container(values.reversed())))
  }

  /// Where the contents of the list on top of the stack are.
  private func list() throws(PickleError) -> Int {
    guard case .list(let container) = objects[try top()] else {
      throw damaged("\(operation.name) finds no list")
    }
    return container
  }

  private func dictionary() throws(PickleError) -> Int {
    guard case .dictionary(let container) = objects[try top()] else {
      throw damaged("\(operation.name) finds no dictionary")
    }
    return container
  }

  /// The same values, which must be keys and values in turn.
  private func pairs(_ values: [Int]) throws(PickleError) -> [Int] {
    guard values.count.isMultiple(of: 2) else {
      throw damaged("\(operation.name) finds a key without a value")
    }
    for i in stride(from: 0, to: values.count, by: 2) {
      if case .text = objects[values[i]] { continue }
      let kind =
        switch objects[values[i]] {
        case .none: "None"
        case .bool: "a bool"
        case .integer: "an integer"
        case .float: "a float"
        case .text: "a text"
        case .bytes: "bytes"
        case .list: "a list"
        case .tuple: "a tuple"
        case .dictionary: "a dictionary"
        }
      throw error(
        "the pickle has \(kind) for a key, in \(operation.name) at byte \(start); only texts are "
          + "read as keys.")
    }
    return values
  }

  // MARK: The memo

  private mutating func keep(as index: Int) throws(PickleError) {
    let object = try top()
    // The memo has room for numbers that are left out. Python leaves none out, so that a short pickle
    // needs no high ones.
    guard index < max(bytes.count, 1 << 16) else {
      throw damaged("\(operation.name) has number \(index), too high for \(bytes.count) bytes")
    }
    guard index < limits.values else { throw tooManyValues }
    while memo.count <= index { memo.append(nil) }
    if memo[index] == nil { memoCount += 1 }
    memo[index] = object
  }

  private mutating func recall(_ index: Int) throws(PickleError) {
    guard memo.indices.contains(index), let object = memo[index] else {
      throw damaged("\(operation.name) asks for value \(index), which was not kept")
    }
    try put(object)
  }

  // MARK: Errors

  private func error(_ message: String) -> PickleError { PickleError(source, message) }

  private func damaged(_ what: String) -> PickleError {
    error("the pickle is damaged: at byte \(start), \(what). Get it again.")
  }

  private var endsEarly: PickleError { error("the pickle ends too early. Get it again.") }
  private var noNumber: PickleError { damaged("\(operation.name) has no number") }
  private var tooManyValues: PickleError {
    .tooManyValues(source, limits)
  }
  private var tooManyDigits: PickleError {
    error("the integer at byte \(start) has more than \(limits.digits) digits.")
  }
}
