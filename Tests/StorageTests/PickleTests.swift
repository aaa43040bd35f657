import Foundation
import XCTest

@testable import Storage

/// Plain data is read from pickles as Python reads it, and nothing else is.
final class PickleTests: XCTestCase {
  private func sentence(_ pickle: [UInt8], limits: PickleLimits = .default) -> String? {
    do {
      _ = try PickleValue(pickle, limits: limits)
      return nil
    } catch { return "\(error)" }
  }

  private func sentence(_ pickle: String) -> String? { sentence(Array(pickle.utf8)) }

  // MARK: What Python writes

  func testEveryProtocol() throws {
    let rows = try PickleFixture.rows("cases.jsonl")
    var protocols: [String: Int] = [:]
    for row in rows {
      for (key, pickle) in try row.pickles() {
        protocols[key, default: 0] += 1
        let place = "\(row.name), protocol \(key): "
        assertSame(try PickleValue(pickle).tagged, try XCTUnwrap(row.value), place)
      }
    }
    XCTAssertEqual(protocols, ["0": 22, "1": 14, "2": 14, "3": 15, "4": 15, "5": 15])
  }

  /// One element after the other, so that a difference is shown where it is.
  private func assertSame(_ found: JSONValue, _ expected: JSONValue, _ place: String) {
    switch (found, expected) {
    case (.array(let a), .array(let b)) where a.count == b.count:
      for (i, pair) in zip(a, b).enumerated() { assertSame(pair.0, pair.1, "\(place)[\(i)]") }
    case (.object(let a), .object(let b)) where a.members.count == b.members.count:
      for (a, b) in zip(a.members, b.members) {
        XCTAssertEqual(Array(a.key.utf8), Array(b.key.utf8), place)
        assertSame(a.value, b.value, place)
      }
    default: XCTAssertEqual(found, expected, place)
    }
  }

  func testJSON() throws {
    let pickle: [UInt8] =
      Array("(".utf8) + Array("NI01\nI-12345678901234567890\nF0.5\nV\\u00e9\n(l(t(Va\n(K".utf8)
      + [7] + Array("tdt.".utf8)
    XCTAssertEqual(
      try PickleValue(pickle).json(source: "x"),
      try JSONValue(
        parsing: Array(#"[null,true,-12345678901234567890,0.5,"é",[],[],{"a":[7]}]"#.utf8),
        source: "y"))
    func refused(_ pickle: String) -> String? {
      do {
        _ = try PickleValue(Array(pickle.utf8)).json(source: "tests.jsonl:7")
        return nil
      } catch { return "\(error)" }
    }
    XCTAssertEqual(
      refused("]C\u{1}aa."), "tests.jsonl:7: the pickle holds bytes, which JSON has no form for.")
    for word in ["nan", "inf", "-inf"] {
      XCTAssertEqual(
        refused("(F\(word)\nt."),
        "tests.jsonl:7: the pickle holds \(word), which JSON has no number for.")
    }
  }

  // MARK: What is refused

  func testOperationsOfOtherThanPlainData() throws {
    let refused: [(UInt8, String)] = [
      (0x50, "PERSID"), (0x51, "BINPERSID"), (0x52, "REDUCE"), (0x62, "BUILD"), (0x63, "GLOBAL"),
      (0x69, "INST"), (0x6F, "OBJ"), (0x81, "NEWOBJ"), (0x82, "EXT1"), (0x83, "EXT2"),
      (0x84, "EXT4"), (0x8F, "EMPTY_SET"), (0x90, "ADDITEMS"), (0x91, "FROZENSET"),
      (0x92, "NEWOBJ_EX"), (0x93, "STACK_GLOBAL"), (0x96, "BYTEARRAY8"), (0x97, "NEXT_BUFFER"),
      (0x98, "READONLY_BUFFER"),
    ]
    for (byte, name) in refused {
      // Wherever it stands, and whatever is there for it.
      for (prefix, rest) in [([], []), (Array("N(NN".utf8), []), ([], Array("a\nb\n".utf8))] {
        XCTAssertEqual(
          sentence(prefix + [byte] + rest),
          "x: the pickle has \(name) at byte \(prefix.count), which makes more than plain data. "
            + "Nothing of it was run; write it as JSON.")
      }
    }
    let names = Set(refused.map(\.0))
    var known = 0
    for byte in UInt8.min...UInt8.max where !names.contains(byte) {
      let digits = String(byte, radix: 16, uppercase: true)
      let unknown =
        "x: the pickle is damaged: at byte 1, 0x\(digits.count < 2 ? "0" : "")\(digits) is no "
        + "operation. Get it again."
      if sentence([0x4E, byte]) != unknown { known += 1 }
    }
    XCTAssertEqual(known, 68 - refused.count)  // Python's opcodes, without those above
  }

  func testWhatIsHostile() throws {
    // The first operation that makes more than plain data, and where it stands.
    let code: [String: (String, Int)] = [
      "os.system 0": ("GLOBAL", 0), "os.system 1": ("GLOBAL", 0), "os.system 2": ("GLOBAL", 2),
      "os.system 3": ("GLOBAL", 2), "os.system 4": ("STACK_GLOBAL", 28),
      "os.system 5": ("STACK_GLOBAL", 28), "after data": ("STACK_GLOBAL", 37),
      "object 0": ("GLOBAL", 0), "object 2": ("GLOBAL", 2), "object 4": ("STACK_GLOBAL", 30),
      "persistent 0": ("PERSID", 5), "persistent 2": ("BINPERSID", 13),
      "persistent 4": ("BINPERSID", 17), "keywords": ("STACK_GLOBAL", 32),
      "extension": ("EXT1", 2), "inst": ("INST", 14), "obj": ("GLOBAL", 1),
      "bytes 0": ("GLOBAL", 0), "bytes 2": ("GLOBAL", 2), "set 2": ("GLOBAL", 2),
      "set 4": ("EMPTY_SET", 11), "frozenset 4": ("FROZENSET", 14),
      "bytearray 5": ("BYTEARRAY8", 11), "buffer": ("NEXT_BUFFER", 2),
      "read-only buffer": ("NEXT_BUFFER", 2), "complex": ("STACK_GLOBAL", 32),
      "decimal": ("STACK_GLOBAL", 31), "date": ("STACK_GLOBAL", 29),
      "ordered": ("STACK_GLOBAL", 39),
    ]
    let keys: [String: (String, String, Int)] = [
      "NoneType as key": ("None", "SETITEMS", 23), "bool as key": ("a bool", "SETITEMS", 23),
      "int as key": ("an integer", "SETITEMS", 24), "float as key": ("a float", "SETITEMS", 31),
      "bytes as key": ("bytes", "SETITEMS", 26), "tuple as key": ("a tuple", "SETITEMS", 26),
      "list as key": ("a list", "SETITEM", 4), "dictionary as key": ("a dictionary", "DICT", 4),
    ]
    let halves = [
      "half 0": 0, "half 2": 2, "half 4": 11, "two halves 0": 0, "two halves 2": 2,
      "two halves 4": 11,
    ]
    let long = [
      "4,301 digits": 11, "4,301 digits 0": 0, "a million digits": 11, "a million digits 0": 0,
    ]
    let deep = [
      "list in itself", "tuple in itself", "dictionary in itself", "129 levels", "100,000 levels",
      "100,000 marks",
    ]
    var expected = [
      "billion laughs": "the pickle makes more than 4194304 values.",
      "long laughs": "the pickle's texts have more than 268435456 bytes together.",
      "key twice": "the pickle has key 'a' a second time in one dictionary. Keep one of them.",
      "other letters of Python 2":
        "the text at byte 0 is of Python 2 and not ASCII. Write it as JSON.",
      "other letters of Python 2, 0":
        "the text at byte 0 is of Python 2 and not ASCII. Write it as JSON.",
      "bomb": "the pickle is damaged: at byte 0, 0x00 is no operation. Get it again.",
    ]
    for (name, (operation, byte)) in code {
      expected[name] =
        "the pickle has \(operation) at byte \(byte), which makes more than plain data. Nothing of "
        + "it was run; write it as JSON."
    }
    for (name, (kind, operation, byte)) in keys {
      expected[name] =
        "the pickle has \(kind) for a key, in \(operation) at byte \(byte); only texts are read as "
        + "keys."
    }
    for (name, byte) in halves {
      expected[name] =
        "the text at byte \(byte) has half of a surrogate pair. Write U+FFFD in its place."
    }
    for (name, byte) in long {
      expected[name] = "the integer at byte \(byte) has more than 4300 digits."
    }
    for name in deep { expected[name] = "the pickle's values are nested deeper than 128." }
    for row in try PickleFixture.rows("refused.jsonl") {
      XCTAssertEqual(
        sentence(try row.pickle()), "x: \(expected[row.name] ?? "no such row")", row.name)
      expected[row.name] = nil
    }
    XCTAssertEqual(expected, [:])
  }

  func testWhatIsDamaged() {
    func damaged(_ byte: Int, _ what: String) -> String {
      "x: the pickle is damaged: at byte \(byte), \(what). Get it again."
    }
    let early = "x: the pickle ends too early. Get it again."
    let refused: [(String, String)] = [
      ("", early), ("N", early), ("K", early), ("J\u{1}\u{1}\u{1}", early), ("I12", early),
      ("T\u{5}\0\0\0abcd", early), ("X\u{7F}\u{7F}\u{7F}\u{7F}.", early), ("G1234567", early),
      (".", damaged(0, "STOP finds too few values")),
      ("(.", damaged(1, "STOP finds too few values")),
      ("N(.", damaged(2, "STOP finds too few values")),
      ("NN.", damaged(2, "STOP leaves values behind")),
      ("(N.", damaged(2, "STOP leaves values behind")),
      ("N.N", damaged(1, "STOP comes before the end of 3 bytes")),
      ("0", damaged(0, "POP finds too few values")),
      ("1", damaged(0, "POP_MARK finds no mark")),
      ("2", damaged(0, "DUP finds too few values")),
      ("N(2", damaged(2, "DUP finds too few values")),
      ("Na", damaged(1, "APPEND finds too few values")),
      ("](Na", damaged(3, "APPEND finds too few values")),
      ("NNa", damaged(2, "APPEND finds no list")),
      (")Na", damaged(2, "APPEND finds no list")),
      ("}Na", damaged(2, "APPEND finds no list")),
      ("(e", damaged(1, "APPENDS finds too few values")),
      ("]e", damaged(1, "APPENDS finds no mark")),
      ("}(e", damaged(2, "APPENDS finds no list")),
      ("](u", damaged(2, "SETITEMS finds no dictionary")),
      ("}(Va\nu", damaged(5, "SETITEMS finds a key without a value")),
      ("(Va\nd", damaged(4, "DICT finds a key without a value")),
      ("]Va\nNs", damaged(5, "SETITEM finds no dictionary")),
      ("Va\nNs", damaged(4, "SETITEM finds too few values")),
      ("t", damaged(0, "TUPLE finds no mark")), ("l", damaged(0, "LIST finds no mark")),
      ("Nh\0", damaged(1, "BINGET asks for value 0, which was not kept")),
      ("Nq\u{1}h\0", damaged(3, "BINGET asks for value 0, which was not kept")),
      ("Np1\ng2\n", damaged(4, "GET asks for value 2, which was not kept")),
      ("p0\n", damaged(0, "PUT finds too few values")),
      ("Np-1\n", damaged(1, "PUT has no number")), ("g\n", damaged(0, "GET has no number")),
      ("g99999999999999999999\n", damaged(0, "GET has no number")),
      (
        "Nr\u{7F}\u{7F}\u{7F}\u{7F}",
        damaged(1, "LONG_BINPUT has number 2139062143, too high for 6 bytes")
      ),
      ("I\n", damaged(0, "INT has no number")), ("I1x\n", damaged(0, "INT has no number")),
      ("I010\n", damaged(0, "INT has no number")), ("I+1\n", damaged(0, "INT has no number")),
      ("I--1\n", damaged(0, "INT has no number")), ("I-0\n", damaged(0, "INT has no number")),
      ("I-\n", damaged(0, "INT has no number")), ("I1L\n", damaged(0, "INT has no number")),
      ("L1LL\n", damaged(0, "LONG has no number")), ("L\n", damaged(0, "LONG has no number")),
      ("F1,5\n", damaged(0, "FLOAT has no number")), ("F\n", damaged(0, "FLOAT has no number")),
      ("F0x1p3\n", damaged(0, "FLOAT has no number")),
      ("FNaN\n", damaged(0, "FLOAT has no number")),
      ("V\\u00e\n", damaged(0, "UNICODE has an escape that is none")),
      ("V\\u00eg\n", damaged(0, "UNICODE has an escape that is none")),
      ("V\\U00110000\n", damaged(0, "UNICODE has an escape that is none")),
      ("Sabc\n", damaged(0, "STRING has no quotes")), ("S'\n", damaged(0, "STRING has no quotes")),
      ("S'a\"\n", damaged(0, "STRING has no quotes")),
      ("S'\\x4'\n", damaged(0, "STRING has an escape that is none")),
      ("S'\\'\n", damaged(0, "STRING has an escape that is none")),
    ]
    for (pickle, words) in refused { XCTAssertEqual(sentence(pickle), words, pickle) }
    let binary: [([UInt8], String)] = [
      ([0x80, 6, 0x4E, 0x2E], "x: the pickle is of protocol 6; protocols 0 to 5 are read."),
      ([0x95, 1, 0, 0, 0, 0, 0, 0, 0], early), ([0x95, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x2E], early),
      ([0x8D, 255, 255, 255, 255, 255, 255, 255, 255], early),
      (
        [0x95, 3, 0, 0, 0, 0, 0, 0, 0, 0x4A, 1, 0, 0, 0, 0x2E],
        damaged(9, "BININT goes beyond its frame")
      ),
      (
        [0x95, 3, 0, 0, 0, 0, 0, 0, 0, 0x49, 0x31, 0x32, 0x0A, 0x2E],
        damaged(9, "INT goes beyond its frame")
      ),
      (
        [0x95, 10, 0, 0, 0, 0, 0, 0, 0, 0x95, 1, 0, 0, 0, 0, 0, 0, 0, 0x4E, 0x2E],
        damaged(9, "FRAME begins inside of another")
      ),
      ([0x85], damaged(0, "TUPLE1 finds too few values")),
      ([0x4E, 0x86], damaged(1, "TUPLE2 finds too few values")),
      ([0x4E, 0x28, 0x4E, 0x4E, 0x87], damaged(4, "TUPLE3 finds too few values")),
      ([0x94], damaged(0, "MEMOIZE finds too few values")),
      ([0x8C, 1, 0xFF, 0x2E], damaged(0, "SHORT_BINUNICODE has bytes that are not UTF-8")),
      ([0x8C, 2, 0xC0, 0x80, 0x2E], damaged(0, "SHORT_BINUNICODE has bytes that are not UTF-8")),
      (
        [0x8C, 4, 0xF4, 0x90, 0x80, 0x80],
        damaged(0, "SHORT_BINUNICODE has bytes that are not UTF-8")
      ),
    ]
    for (pickle, words) in binary { XCTAssertEqual(sentence(pickle), words, "\(pickle)") }
  }

  func testLimits() throws {
    func sentence(
      _ pickle: String, depth: Int = 9, bytes: Int = 99, values: Int = 99, digits: Int = 20
    ) -> String? {
      self.sentence(
        Array(pickle.utf8),
        limits: PickleLimits(depth: depth, bytes: bytes, values: values, digits: digits))
    }
    XCTAssertNil(sentence("]]]aa.", depth: 3))
    XCTAssertEqual(sentence("]]]aa.", depth: 2), "x: the pickle's values are nested deeper than 2.")
    XCTAssertNil(sentence("Nq\u{1}0N.", bytes: 6))
    XCTAssertEqual(sentence("N.", bytes: 1), "x: the pickle has 2 bytes; at most 1 are read.")
    // Texts, bytes and digits count wherever they stand.
    for scalar in ["Vabcdefgh\n", "C\u{8}abcdefgh", "I12345678\n"] {
      XCTAssertNil(sentence("(\(scalar)2222t.", bytes: 40))
      XCTAssertEqual(
        sentence("(\(scalar)2222t.", bytes: 39),
        "x: the pickle's texts have more than 39 bytes together.", scalar)
    }
    XCTAssertNil(sentence("(NNNt.", values: 5))
    for pickle in ["(NNNt.", "N0N0N0N0N.", "((((("] {
      XCTAssertEqual(
        sentence(pickle, values: 4), "x: the pickle makes more than 4 values.", pickle)
    }
    XCTAssertNil(sentence("I12345678901234567890\n."))
    XCTAssertNil(sentence("I-12345678901234567890\n."))
    for pickle in [
      "I123456789012345678901\n.", "I-123456789012345678901\n.", "L123456789012345678901L\n.",
    ] {
      XCTAssertEqual(sentence(pickle), "x: the integer at byte 0 has more than 20 digits.", pickle)
    }
    // 2^63 - 1 has 19 digits, 2^71 - 1 has 22; ten bytes are turned into digits here.
    let most = [UInt8](repeating: 0xFF, count: 8) + [0x7F]
    XCTAssertEqual(
      self.sentence([0x8A, 9] + most + [0x2E], limits: PickleLimits(digits: 21)),
      "x: the integer at byte 0 has more than 21 digits.")
    XCTAssertNil(self.sentence([0x8A, 9] + most + [0x2E], limits: PickleLimits(digits: 22)))
    XCTAssertNil(self.sentence([0x8A, 8] + most[1...] + [0x2E], limits: PickleLimits(digits: 19)))
    XCTAssertEqual(
      self.sentence(
        [0x8A, 12] + [UInt8](repeating: 0, count: 12) + [0x2E],
        limits: PickleLimits(digits: 22)),
      "x: the integer at byte 0 has more than 22 digits.")
  }

  /// Values that the stack holds once count in the tree as often as they stand there.
  func testCopiesCount() throws {
    // A tuple of two, and three times a tuple of the last one twice: 1 + 2 + 4 + 8 + 16 values.
    var pickle: [UInt8] = Array("N2".utf8) + [0x86]
    for _ in 0..<3 { pickle += [0x32, 0x86] }
    pickle.append(0x2E)
    XCTAssertNil(sentence(pickle, limits: PickleLimits(values: 31)))
    XCTAssertEqual(
      sentence(pickle, limits: PickleLimits(values: 30)),
      "x: the pickle makes more than 30 values.")
  }

  /// A list that was put into another is still filled there, by whatever name.
  func testSharedContainersAreFilledEverywhere() throws {
    XCTAssertEqual(
      try PickleValue(Array("(]q\u{1}h\u{1}K\u{7}a0h\u{1}(K\u{8}e2l.".utf8)).tagged,
      try PickleValue(Array("((K\u{7}K\u{8}l(K\u{7}K\u{8}l(K\u{7}K\u{8}ll.".utf8)).tagged)
  }
}
