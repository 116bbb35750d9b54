# SPDX-License-Identifier: MIT
"""Packs a WebAssembly module for the page: apart by kinds of numbers, then LZMA.

LZMA guesses a byte from those before it. In code that is an opcode from the operands of the last one, which says little; among
opcodes alone, or among the numbers of locals alone, neighbours say more, and the whole is 6 % smaller. page/unpack.js puts the
streams together again; OPERANDS goes along with them."""
import lzma
import zlib

# Each stream and how many bits of the byte before are a context of its literals, by trial.
STREAMS = {"rest": 4, "code": 4, "locals": 1, "offsets": 1, "calls": 2, "i32": 2, "i64": 2}


def operands():
    """By opcode, the stream of each operand, all LEB128. Legacy exceptions are in, SIMD and garbage collection are not."""
    of = {}

    def take(first, last, *streams):
        of.update((op, streams) for op in range(first, last + 1))

    take(0x00, 0x01)  # unreachable nop
    take(0x02, 0x04, "code")  # block loop if
    take(0x05, 0x05)  # else
    take(0x06, 0x09, "code")  # try catch throw rethrow
    take(0x0b, 0x0b)  # end
    take(0x0c, 0x0d, "code")  # br br_if
    take(0x0f, 0x0f)  # return
    take(0x10, 0x10, "calls")
    take(0x11, 0x11, "code", "code")  # call_indirect
    take(0x18, 0x18, "code")  # delegate
    take(0x19, 0x1b)  # catch_all drop select
    take(0x20, 0x22, "locals")
    take(0x23, 0x24, "code")  # globals
    take(0x28, 0x3e, "code", "offsets")  # load and store: alignment, offset
    take(0x3f, 0x40, "code")  # memory.size memory.grow
    take(0x41, 0x41, "i32")
    take(0x42, 0x42, "i64")
    take(0x45, 0xc4)  # arithmetic
    return of


OPERANDS = operands()
BR_TABLE, F32_CONST, F64_CONST, PREFIX = 0x0e, 0x43, 0x44, 0xfc
CODE_SECTION = 10
# After PREFIX: conversions, and what works on the whole memory.
PREFIXED = {**{op: 0 for op in range(8)}, 8: 2, 9: 1, 10: 2, 11: 1}


def operand_table():
    """A byte for each opcode: its first operand's stream, counted from 1, and 16 times its second's."""
    place = {name: i for i, name in enumerate(STREAMS, 1)}
    return bytes(sum(place[name] << 4 * i for i, name in enumerate(OPERANDS.get(op, ()))) for op in range(256))


def leb(number):
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def raw(self, count):
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self):
        """The bytes of a LEB128."""
        begin = self.at
        while self.data[self.at] & 0x80:
            self.at += 1
        self.at += 1
        return self.data[begin:self.at]

    def count(self):
        """A number that page/unpack.js writes anew and therefore must be as short as it can be."""
        encoded = self.number()
        value = sum((byte & 0x7f) << 7 * i for i, byte in enumerate(encoded))
        assert leb(value) == encoded, "a number with bytes to spare"
        return value


def split_function(body, streams):
    """One function's body: its locals and code."""
    code = streams["code"]
    groups = body.number()
    code += groups
    for _ in range(Reader(groups).count()):
        code += body.number() + body.raw(1)
    depth = 1
    while depth:
        op = body.raw(1)[0]
        code.append(op)
        depth += {0x02: 1, 0x03: 1, 0x04: 1, 0x06: 1, 0x0b: -1, 0x18: -1}.get(op, 0)
        if op == BR_TABLE:
            labels = body.number()
            code += labels
            for _ in range(Reader(labels).count() + 1):
                code += body.number()
        elif op in (F32_CONST, F64_CONST):
            code += body.raw(4 if op == F32_CONST else 8)
        elif op == PREFIX:
            second = body.number()
            code += second
            for _ in range(PREFIXED[second[0]]):
                code += body.number()
        else:
            for stream in OPERANDS[op]:
                streams[stream] += body.number()


def split(module):
    """The streams of STREAMS; rest is the module with no function in its section of code."""
    streams = {name: bytearray() for name in STREAMS}
    reader = Reader(module)
    rest = streams["rest"]
    rest += reader.raw(8)
    while reader.at < len(module):
        kind = reader.raw(1)
        size = reader.count()
        end = reader.at + size
        if kind[0] != CODE_SECTION:
            rest += kind + leb(size) + reader.raw(size)
            continue
        functions = reader.count()
        rest += kind + leb(len(leb(functions))) + leb(functions)
        for _ in range(functions):
            size = reader.count()
            body_end = reader.at + size
            split_function(reader, streams)
            assert reader.at == body_end
        assert reader.at == end
    return streams


def pack_lzma(plain, literal_context_bits):
    """Behind a CRC-32 of what it holds."""
    filters = [{"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME, "lc": literal_context_bits, "lp": 0, "pb": 0,
                "nice_len": 273, "dict_size": 1 << 22}]
    return zlib.crc32(plain).to_bytes(4, "little") + lzma.compress(plain, lzma.FORMAT_ALONE, filters=filters)


def pack(module):
    """operand_table() and the streams in the order of STREAMS, packed, each behind its length of four bytes."""
    parts = [pack_lzma(operand_table(), 0)]
    parts += [pack_lzma(bytes(plain), STREAMS[name]) for name, plain in split(module).items()]
    return b"".join(len(part).to_bytes(4, "little") + part for part in parts)
