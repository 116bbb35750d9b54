// SPDX-License-Identifier: MIT
// Unpacks LZMA in its oldest container, the one of .lzma files, with an end marker: what python3's lzma.FORMAT_ALONE writes.
// It holds no checksum, so a CRC-32 of what was packed comes before it. Browsers unpack gzip and nothing better, and the
// module is a quarter smaller this way.
//
// The input is the digits of one long binary fraction. A range is cut in two for each bit in proportion to how likely a 0 is,
// the fraction tells the half that it is in, and each context learns its likelihood from the bits that it has seen. Such bits
// say: a literal byte, or a copy of `length` bytes from `distance` back, where the last four distances are cheap to name.
'use strict';

function crc32(bytes) {
  const table = Uint32Array.from({length: 256}, (none, i) => {
    for (let bit = 0; bit < 8; ++bit) i = i & 1 ? i >>> 1 ^ 0xedb88320 : i >>> 1;
    return i;
  });
  let crc = ~0;
  for (let i = 0; i < bytes.length; ++i) crc = crc >>> 8 ^ table[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}

function unpackLzma(checked) {
  const refuse = (why) => { throw new Error(`the packed module is damaged: ${why}`); };
  const headSize = 13;
  const packed = checked.subarray(4);
  if (packed.length < headSize + 5 || packed[0] >= 9 * 5 * 5) refuse('no head of LZMA');
  if (packed.subarray(5, headSize).some((byte) => byte !== 0xff)) refuse('a size where an end marker is expected');
  const literalContextBits = packed[0] % 9;
  const literalPositionMask = (1 << Math.floor(packed[0] / 9) % 5) - 1;
  const positionMask = (1 << Math.floor(packed[0] / 45)) - 1;

  // Where the contexts of each kind begin; `state` is one of 12, for what the last few symbols were.
  let contexts = 0;
  const reserve = (count) => (contexts += count) - count;
  const isCopy = reserve(12 << 4), isRepeat = reserve(12), isOlder = reserve(12), isLong = reserve(12 << 4);
  const isThird = reserve(12), isFourth = reserve(12);
  const lengths = () => ({more: reserve(2), low: reserve(16 << 3), middle: reserve(16 << 3), high: reserve(256)});
  const copyLength = lengths(), repeatLength = lengths();
  const slots = reserve(4 << 6), middleBits = reserve(128), lowBits = reserve(16);
  const literals = reserve((literalPositionMask + 1) * 0x300 << literalContextBits);
  const likely = new Uint16Array(contexts).fill(1024);  // that a bit is 0, of 2048

  // The range, and how far the fraction is above its lower end: in an array, because variables that closures share and that
  // do not fit into 31 bits cost V8 an allocation each time.
  const range = 0, code = 1;
  const is = new Uint32Array([0xffffffff, 0]);
  let at = headSize + 1;
  const widen = () => {
    is[range] <<= 8;
    is[code] = is[code] << 8 | packed[at++];
  };
  if (packed[headSize] !== 0) refuse('no start of LZMA');
  for (let i = 0; i < 4; ++i) is[code] = is[code] << 8 | packed[at++];

  const bit = (context) => {
    const zero = likely[context];
    const bound = (is[range] >>> 11) * zero;
    const one = is[code] >= bound;
    if (one) {
      is[range] -= bound;
      is[code] -= bound;
      likely[context] = zero - (zero >> 5);
    } else {
      is[range] = bound;
      likely[context] = zero + (2048 - zero >> 5);
    }
    if (is[range] < 0x1000000) widen();
    return one ? 1 : 0;
  };
  // A number of `bits` bits, the highest first, each in the context of those before it; and the lowest first.
  const number = (context, bits) => {
    let node = 1;
    for (let i = 0; i < bits; ++i) node = node << 1 | bit(context + node);
    return node - (1 << bits);
  };
  const reversed = (context, bits) => {
    let node = 1, value = 0;
    for (let i = 0; i < bits; ++i) {
      const b = bit(context + node);
      node = node << 1 | b;
      value |= b << i;
    }
    return value;
  };
  const evenly = (bits) => {  // in no context
    let value = 0;
    for (let i = 0; i < bits; ++i) {
      is[range] >>>= 1;
      const one = is[code] >= is[range];
      if (one) is[code] -= is[range];
      value = value << 1 | one;
      if (is[range] < 0x1000000) widen();
    }
    return value;
  };
  const length = (of, position) => {
    if (!bit(of.more)) return 2 + number(of.low + (position << 3), 3);
    if (!bit(of.more + 1)) return 10 + number(of.middle + (position << 3), 3);
    return 18 + number(of.high, 8);
  };
  const distance = (copied) => {
    const slot = number(slots + (Math.min(copied - 2, 3) << 6), 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | slot & 1) << bits;
    if (slot < 14) return high + reversed(middleBits + high - slot, bits);
    return (high + (evenly(bits - 4) << 4) + reversed(lowBits, 4)) >>> 0;
  };

  let out = new Uint8Array(4 * packed.length);
  let size = 0;
  const makeRoom = (count) => {
    if (size + count <= out.length) return;
    const larger = new Uint8Array(2 * (size + count));
    larger.set(out);
    out = larger;
  };
  const literal = (near) => {
    const before = size === 0 ? 0 : out[size - 1];
    const context = literals +
        0x300 * (((size & literalPositionMask) << literalContextBits) + (before >> 8 - literalContextBits));
    let node = 1;
    // After a copy the byte that would have gone on with it is a context too, as long as the literal agrees with it.
    if (near !== undefined) {
      for (let expected = near; node < 0x100; expected <<= 1) {
        const wanted = expected >> 7 & 1;
        const got = bit(context + (1 + wanted << 8) + node);
        node = node << 1 | got;
        if (got !== wanted) break;
      }
    }
    while (node < 0x100) node = node << 1 | bit(context + node);
    return node & 0xff;
  };

  let state = 0;
  let last = [0, 0, 0, 0];  // distances, less 1, the newest first
  for (;;) {
    if (at > packed.length) refuse('it ends early');
    const position = size & positionMask;
    let count = 1;
    if (!bit(isCopy + (state << 4) + position)) {
      makeRoom(1);
      out[size] = literal(state < 7 ? undefined : out[size - last[0] - 1]);
      ++size;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    if (!bit(isRepeat + state)) {
      count = length(copyLength, position);
      const back = distance(count);
      if (back === 0xffffffff) break;
      last = [back, last[0], last[1], last[2]];
      state = state < 7 ? 7 : 10;
    } else {
      let long = true;
      if (!bit(isOlder + state)) {
        long = bit(isLong + (state << 4) + position) === 1;
      } else {
        const which = !bit(isThird + state) ? 1 : 2 + bit(isFourth + state);
        last.unshift(...last.splice(which, 1));
      }
      if (long) count = length(repeatLength, position);
      state = (state < 7 ? 8 : 11) + (long || state >= 7 ? 0 : 1);
    }
    if (last[0] >= size) refuse('a copy from before its beginning');
    makeRoom(count);
    for (const end = size + count; size < end; ++size) out[size] = out[size - last[0] - 1];
  }
  if (is[code] !== 0 || at !== packed.length) refuse('its end is not where it should be');
  const unpacked = out.subarray(0, size);
  if (crc32(unpacked) !== new DataView(checked.buffer, checked.byteOffset).getUint32(0, true)) refuse('its CRC differs');
  return unpacked;
}
