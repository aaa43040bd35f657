"""Writes what Python pickles, in all protocols, and what Python reads in it.

Run by hand in this folder, with Python alone:

    python3 generate.py

Every pickle is packed by zlib and written in base64, as LiveCodeBench publishes its private tests.
`cases.jsonl` holds plain data, `refused.jsonl` what is hostile or more than plain data,
`damaged.jsonl` pickles with bytes changed and what Python makes of them, `tasks.jsonl` rows of
benchmarks with packed tests beside the same rows with plain ones.
"""

import base64
import collections
import copyreg
import datetime
import decimal
import io
import json
import os
import pickle
import pickletools
import random
import struct
import zlib


def packed(data, level=6):
    return base64.b64encode(zlib.compress(data, level)).decode()


def tagged(value):
    """Plain data as JSON that tells its types apart."""
    kind = type(value)
    if value is None:
        return {"none": None}
    if kind is bool:
        return {"bool": value}
    if kind is int:
        return {"int": str(value)}
    if kind is float:
        return {"float": struct.pack(">d", value).hex()}
    if kind is str:
        value.encode()  # no halves of surrogate pairs
        return {"str": value}
    if kind is bytes:
        return {"bytes": value.hex()}
    if kind is list or kind is tuple:
        return {kind.__name__: [tagged(element) for element in value]}
    if kind is dict:
        if not all(type(key) is str for key in value):
            raise TypeError("keys")
        return {"dict": [[tagged(key)["str"], tagged(each)] for key, each in value.items()]}
    raise TypeError(kind)


def write(name, rows):
    with open(name, "w") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


# Plain data

INTEGERS = [0, 1, 9, 255, 256, 65_535, 65_536, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63]
INTEGERS += [2**64 - 1, 2**64, 10**17, 10**18 - 1, 10**18, 10**18 + 1, 10**36, 7 * 10**54 + 3]
INTEGERS += [2**255, 2**256, 3**500, 2**2047, 10**4299]
INTEGERS += [-integer for integer in INTEGERS if integer] + [-128, -129, -32_768, -32_769]
FLOATS = [0.0, -0.0, 1.5, -0.1, 1e16, 1e-5, 123456789.123, 5e-324, 1.7976931348623157e308]
FLOATS += [2.2250738585072014e-308, float("inf"), float("-inf"), float("nan")]
TEXTS = ["", "a", "é", "日本語", "😀", "a😀b", "\0", "\\", "\\\\", "\\u0041", "\\\\u0041", "a\\"]
TEXTS += ["\n", "a\r\nb", "\x1a'\"", "e\u0301", "\u00e9", "\ufffd\uffff", "\u0085\u2028", "ÿ\xa0"]
TEXTS += ["x" * 255, "x" * 256, "é" * 128, "[1, 2]", "\U0010ffff"]

shared = ["again", {"again": "again"}]
nested = ()
for _ in range(63):
    nested = ([nested],)
VALUES = {
    "none": None,
    "bools": [True, False],
    "integers": INTEGERS,
    "floats": FLOATS,
    "texts": TEXTS,
    "long text": "0123456789abcdé\n" * 4_200,
    "lists": [[], [1], [[], [[]]], list(range(1_100))],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((), ((),))],
    "dictionaries": [{}, {"a": 1}, {"b": {}, "a": {"b": ()}}, {str(i): i for i in range(1_100)}],
    "keys": {text: number for number, text in enumerate(TEXTS)},
    "repeated": [shared, shared, (shared, shared[0]), "again", shared[1], ("again",) * 5],
    "nested": [nested, 1],
}
BYTES = [b"", b"a", b"\x00\xff\n", bytes(range(256)), b"x" * 300]


def cases():
    for name, value in VALUES.items():
        yield case(name, value, {protocol: pickle.dumps(value, protocol) for protocol in range(6)})
    yield case("bytes", BYTES, {protocol: pickle.dumps(BYTES, protocol) for protocol in range(3, 6)})
    # Without what is kept and not used again, and as the pickler in Python writes it.
    value = VALUES["repeated"]
    yield case("optimized", value, {
        protocol: pickletools.optimize(pickle.dumps(value, protocol)) for protocol in range(6)})
    mixed = [VALUES["repeated"], VALUES["tuples"], 1.5, -300, None, "é😀"]
    yield case("in Python", mixed, {
        protocol: pickle._dumps(mixed, protocol) for protocol in range(6)})
    # As Python 2 wrote texts, and what nothing writes but Python reads.
    handmade = {
        "python 2": rb"""(S'a\'b\\\x41\102\n\t\r\a\b\f\v'
S"it's"
"""
        + b"U\x03abcT\x04\0\0\0abcdl.",
        "duplicated": b"(K\x012l.",
        "taken off": b"(N0(0(1(1K\x05l.",
        "gaps in the memo": b"(Nr\x08\0\0\0K\x07\x94h\x01j\x08\0\0\0q\x03h\x03p12\ng12\nl.",
        "kept twice": b"(Np0\nK\x07p0\nK\x08\x94h\x01h\0l.",
        "long zero": b"(\x8a\x00\x8b\x00\x00\x00\x00\x8a\x03\x05\x00\x00L7\nL-7L\nl.",
        "negative bytes": b"(\x8a\x08" + b"\0" * 7 + b"\x80\x8a\x09" + b"\0" * 8 + b"\xff\x8a\x09"
        + b"\0" * 8 + b"\x80\x8a\x02\xff\xffl.",
        "protocol in the middle": b"\x80\x02(N\x80\x05\x95\x00\x00\x00\x00\x00\x00\x00\x00l.",
    }
    for name, text in handmade.items():
        value = pickle.loads(text)
        assert tagged(value) == tagged(pickle._loads(text)), name
        yield case(name, value, {0: text})


def case(name, value, texts):
    """The pickles of a value by their protocols; those of one case are packed in several ways."""
    return {"name": name, "value": tagged(value),
            "packed": {protocol: packed(text, protocol + 4) for protocol, text in texts.items()}}


# What is refused


class System:
    def __reduce__(self):
        return os.system, ("echo gone > gone",)


class Plain:
    pass


class Slotted(tuple):
    def __new__(cls, *, a):
        return tuple.__new__(cls)

    def __getnewargs_ex__(self):
        return (), {"a": 1}


class Persistent(pickle.Pickler):
    def persistent_id(self, value):
        return "7" if type(value) is Plain else None


def persistent(protocol):
    file = io.BytesIO()
    Persistent(file, protocol).dump([Plain()])
    return file.getvalue()


def refused():
    for protocol in range(6):
        yield f"os.system {protocol}", pickle.dumps(System(), protocol)
    yield "after data", pickle.dumps([1, "a", System()], 4)
    plain = Plain()
    plain.a = 1
    for protocol in [0, 2, 4]:
        yield f"object {protocol}", pickle.dumps(plain, protocol)
        yield f"persistent {protocol}", persistent(protocol)
    yield "keywords", pickle.dumps(Slotted(a=1), 4)
    copyreg.add_extension("posix", "system", 240)
    yield "extension", pickle.dumps(os.system, 2)
    copyreg.remove_extension("posix", "system", 240)
    yield "inst", b"(S'echo gone'\nios\nsystem\n."
    yield "obj", b"(cos\nsystem\nS'echo gone'\no."
    yield "bytes 0", pickle.dumps(b"a", 0)
    yield "bytes 2", pickle.dumps(b"a", 2)
    yield "set 2", pickle.dumps({1}, 2)
    yield "set 4", pickle.dumps({1}, 4)
    yield "frozenset 4", pickle.dumps(frozenset([1]), 4)
    yield "bytearray 5", pickle.dumps(bytearray(b"a"), 5)
    yield "buffer", pickle.dumps(pickle.PickleBuffer(bytearray(b"a")), 5, buffer_callback=list().append)
    yield "read-only buffer", pickle.dumps(
        pickle.PickleBuffer(b"a"), 5, buffer_callback=list().append)
    yield "complex", pickle.dumps(1j, 4)
    yield "decimal", pickle.dumps(decimal.Decimal(1), 4)
    yield "date", pickle.dumps(datetime.date(2024, 1, 1), 4)
    yield "ordered", pickle.dumps(collections.OrderedDict(a=1), 4)

    laughs = ["lol"]
    for _ in range(10):
        laughs = [laughs] * 10
    yield "billion laughs", pickle.dumps(laughs, 4)
    yield "long laughs", pickle.dumps(["ha" * 32_768] * 10_000, 4)
    itself = [1]
    itself.append(itself)
    yield "list in itself", pickle.dumps(itself, 4)
    itself = ([],)
    itself[0].append(itself)
    yield "tuple in itself", pickle.dumps(itself, 4)
    itself = {}
    itself["a"] = itself
    yield "dictionary in itself", pickle.dumps(itself, 0)
    yield "129 levels", pickle._dumps(levels(129), 4)
    yield "100,000 levels", b"]" * 100_000 + b"a" * 99_999 + b"."
    yield "100,000 marks", b"(" * 100_000 + b"t" * 100_000 + b"."

    yield "4,301 digits", pickle.dumps(10**4300, 4)
    yield "4,301 digits 0", b"L-1" + b"0" * 4300 + b"L\n."
    yield "a million digits", pickle.dumps(1 << 3_321_928, 4)
    yield "a million digits 0", b"L" + b"1" * 1_000_000 + b"L\n."
    yield "list as key", b"}]K\x01s."
    yield "dictionary as key", b"(}K\x01d."
    for key in [None, True, 1, 0.5, b"a", ("a",)]:
        yield f"{type(key).__name__} as key", pickle.dumps({"a": 1, key: 2}, 4)
    yield "key twice", b"}(X\x01\0\0\0aK\x01X\x01\0\0\0aK\x02u."
    for protocol in [0, 2, 4]:
        yield f"half {protocol}", pickle.dumps("a\ud83d", protocol)
        yield f"two halves {protocol}", pickle.dumps("\ud83d\ude00", protocol)
    yield "other letters of Python 2", b"U\x02\xc3\xa9."
    yield "other letters of Python 2, 0", b"S'\\xe9'\n."
    yield "bomb", bytes(8 << 20)


def levels(count):
    value = []
    for _ in range(count - 1):
        value = [value]
    return value


# What is damaged


class Careful(pickle._Unpickler):
    def find_class(self, module, name):
        raise pickle.UnpicklingError("code")

    def get_extension(self, code):
        raise pickle.UnpicklingError("code")


def read(text):
    try:
        return tagged(Careful(io.BytesIO(text)).load())
    except (Exception, RecursionError):
        return None


def damage(text, source, operations):
    text = bytearray(text)
    for _ in range(source.randrange(1, 4)):
        at = source.randrange(len(text))
        match source.randrange(6):
            case 0:
                text[at] ^= 1 << source.randrange(8)
            case 1:
                del text[at : at + source.randrange(1, 4)]
            case 2:
                text.insert(at, source.randrange(256))
            case 3:
                text[at] = source.choice(operations)
            case 4:
                text.insert(at, source.choice(operations))
            case 5:
                other = source.randrange(len(text))
                text[at:at] = text[min(at, other) : max(at, other)][:9]
    return bytes(text)


def damaged(count=3_000, kept=600, seed=6):
    source = random.Random(seed)
    operations = [ord(operation.code) for operation in pickletools.opcodes]
    values = [[1, "a", ("b", None)], {"a": [True, 2.5], "b": "a"}, ["again", ["again", ("again",)]],
              (1, 2, 3), [-1, 300, 70_000, 2**40], {"é😀": {"x\ny": ()}}]
    seen = set()
    readable, unreadable = [], []
    for _ in range(count):
        text = damage(pickle.dumps(source.choice(values), source.randrange(6)), source, operations)
        # Python makes a bytearray of any length before it looks whether there are as many bytes.
        if text in seen or not text or b"\x96" in text:
            continue
        seen.add(text)
        value = read(text)
        (unreadable if value is None else readable).append({"packed": packed(text), "value": value})
    return readable[:kept] + unreadable[: kept // 3]


# Rows of benchmarks


def tasks():
    scripts = [{"input": f"{i}\nß😀 \\ \"\n", "output": f"{i * i}\n", "testtype": "stdin"}
               for i in range(1, 40)]
    calls = [{"input": f'[{i}, 2]\n"a\\nb"', "output": "null", "testtype": "functional"}
             for i in range(3)]
    metadata = json.dumps({"func_name": "f"})
    for protocol in range(6):
        for name, tests in [("stdin", scripts), ("functional", calls)]:
            text = json.dumps(tests, ensure_ascii=protocol % 2 == 0)
            yield row(f"{name} {protocol}", "private_test_cases", pickle.dumps(text, protocol), text,
                      public_test_cases=json.dumps(tests[:1]), metadata=metadata)
    yield row("a list", "private_test_cases", pickle.dumps(scripts), json.dumps(scripts))
    yield row("a tuple", "private_test_cases", pickle.dumps(tuple(scripts)), json.dumps(scripts))
    contests = [{"input": {"stdin": "1\n"}, "output": {"stdout": "2\n"}}] * 3
    lists = {"inputs": ["1\n", "2\n"], "outputs": ["1\n", "4\n"], "fn_name": None}
    named = {"inputs": ["1\n[2]", '"a"'], "outputs": ["1", "4.5"], "fn_name": "f"}
    yield row("contests", "test", pickle.dumps(json.dumps(contests)), json.dumps(contests))
    yield row("contests as a list", "test", pickle.dumps(contests), contests)
    for name, value in [("lists", lists), ("lists of calls", named)]:
        yield row(name, "test", pickle.dumps(value), json.dumps(value))
        yield row(name + " as text", "test", pickle.dumps(json.dumps(value)), value)
        yield row(name + " within", "test", pickle.dumps({"input_output": json.dumps(value)}),
                  {"input_output": value})


def row(name, field, text, plain, **others):
    return {"packed": {"id": name, **others, field: packed(text)},
            "plain": {"id": name, **others, field: plain}}


write("cases.jsonl", cases())
write("refused.jsonl", ({"name": name, "packed": packed(text, 9)} for name, text in refused()))
write("damaged.jsonl", damaged())
write("tasks.jsonl", tasks())
