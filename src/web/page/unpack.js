// SPDX-License-Identifier: MIT
// Puts the module together again from what pack.py made of it: streams of one kind of number each, so that each packs better.
'use strict';

// Appends to bytes that grow.
class Output {
  constructor(room) {
    this.bytes = new Uint8Array(room);
    this.size = 0;
  }
  makeRoom(count) {
    if (this.size + count <= this.bytes.length) return;
    const larger = new Uint8Array(2 * (this.size + count));
    larger.set(this.bytes.subarray(0, this.size));
    this.bytes = larger;
  }
  byte(value) {
    if (this.size === this.bytes.length) this.makeRoom(1);
    this.bytes[this.size++] = value;
  }
  append(bytes) {
    this.makeRoom(bytes.length);
    this.bytes.set(bytes, this.size);
    this.size += bytes.length;
  }
  number(value) {  // LEB128
    for (; value > 0x7f; value >>>= 7) this.byte(value & 0x7f | 0x80);
    this.byte(value);
  }
}

class Input {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  raw(count) {
    this.at += count;
    this.checkEnd();
    return this.bytes.subarray(this.at - count, this.at);
  }
  byte() {
    if (++this.at > this.bytes.length) this.checkEnd();
    return this.bytes[this.at - 1];
  }
  checkEnd() {
    if (this.at > this.bytes.length) throw new Error('the packed module is damaged: a stream ends early');
  }
  number() {
    let value = 0;
    for (let shift = 0;; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }
  // Its next `count` numbers of LEB128 to `out`, as they are.
  copyNumbers(count, out) {
    for (; count > 0; --count) {
      let byte;
      do {
        byte = this.byte();
        out.byte(byte);
      } while (byte > 0x7f);
    }
  }
  copyNumber(out) {
    const begin = this.at;
    this.copyNumbers(1, out);
    return new Input(this.bytes.subarray(begin, this.at)).number();
  }
}

function joinStreams(table, streams) {
  const [rest, code] = streams;
  // By opcode, the streams that its operands are in.
  const operands = Array.from(table, (byte) => [byte & 15, byte >> 4].filter((n) => n !== 0).map((n) => streams[n - 1]));
  const [brTable, f32Const, f64Const, prefix, codeSection] = [0x0e, 0x43, 0x44, 0xfc, 10];
  const prefixed = {8: 2, 9: 1, 10: 2, 11: 1};
  const opens = [0x02, 0x03, 0x04, 0x06], closes = [0x0b, 0x18];
  const deeper = Int8Array.from({length: 256}, (none, op) => opens.includes(op) ? 1 : closes.includes(op) ? -1 : 0);

  const body = new Output(1 << 16);
  const joinFunction = () => {
    body.size = 0;
    for (let groups = code.copyNumber(body); groups > 0; --groups) {
      code.copyNumbers(1, body);
      body.byte(code.byte());
    }
    for (let depth = 1; depth > 0;) {
      const op = code.byte();
      body.byte(op);
      depth += deeper[op];
      if (op === brTable) code.copyNumbers(code.copyNumber(body) + 1, body);
      else if (op === f32Const) body.append(code.raw(4));
      else if (op === f64Const) body.append(code.raw(8));
      else if (op === prefix) code.copyNumbers(prefixed[code.copyNumber(body)] ?? 0, body);
      else for (let i = 0; i < operands[op].length; ++i) operands[op][i].copyNumbers(1, body);
    }
    return body;
  };

  const module = new Output(4 * rest.bytes.length);
  const functions = new Output(4 * rest.bytes.length);
  module.append(rest.raw(8));
  while (rest.at < rest.bytes.length) {
    const kind = rest.byte();
    let content = rest.raw(rest.number());
    if (kind === codeSection) {
      functions.append(content);
      for (let count = new Input(content).number(); count > 0; --count) {
        const {bytes, size} = joinFunction();
        functions.number(size);
        functions.append(bytes.subarray(0, size));
      }
      content = functions.bytes.subarray(0, functions.size);
    }
    module.byte(kind);
    module.number(content.length);
    module.append(content);
  }
  return module.bytes.subarray(0, module.size);
}

function unpackModule(packed) {
  const input = new Input(packed);
  const parts = [];
  while (input.at < packed.length) {
    const head = input.raw(4);
    const size = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
    parts.push(unpackLzma(input.raw(size)));
  }
  const [table, ...streams] = parts;
  return joinStreams(table, streams.map((bytes) => new Input(bytes)));
}
