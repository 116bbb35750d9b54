#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// usage: unpack.js PYTHON3 MODULE.wasm PAGE.html
// page/lzma.js alone: what python3's lzma packs comes back, whatever it is and whatever the settings; what was damaged on its
// way is refused, whichever bit it is. Then the page: the module in it is MODULE.wasm to the byte, and it is as small as is
// promised.
'use strict';
const {spawnSync} = require('child_process');
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const [python, moduleFile, pageFile] = process.argv.slice(2);
const source = path.join(__dirname, '..', 'page', 'lzma.js');
const scripts = ['lzma', 'unpack'].map((name) => fs.readFileSync(path.join(__dirname, '..', 'page', `${name}.js`), 'utf8'));
vm.runInThisContext(scripts.join('\n') + ';Object.assign(globalThis, {unpackLzma, unpackModule});', 'lzma.js and unpack.js');

const packer = `
import lzma, sys, zlib
lc, lp, pb, size = map(int, sys.argv[1:])
filters = [{"id": lzma.FILTER_LZMA1, "preset": 9, "lc": lc, "lp": lp, "pb": pb, "dict_size": size}]
plain = sys.stdin.buffer.read()
sys.stdout.buffer.write(zlib.crc32(plain).to_bytes(4, "little") + lzma.compress(plain, lzma.FORMAT_ALONE, filters=filters))`;
function pack(input, [lc, lp, pb], window = 1 << 22) {
  const got = spawnSync(python, ['-c', packer, lc, lp, pb, window].map(String), {input, maxBuffer: 1 << 28});
  if (got.status !== 0) throw new Error(`${python}: ${got.stderr}`);
  return new Uint8Array(got.stdout);
}

// Bytes without any order, the same in each run.
function disorder(count) {
  let x = 1;
  return Uint8Array.from({length: count}, () => (x = Math.imul(x, 1103515245) + 12345 >>> 0) >>> 24);
}
const module_ = fs.readFileSync(moduleFile);
const text = fs.readFileSync(source);
const inputs = {
  'nothing': new Uint8Array(0),
  'one byte': Uint8Array.of(0x80),
  'one byte, often': new Uint8Array(300000).fill(7),
  'all bytes': Uint8Array.from({length: 256}, (none, i) => i),
  'disorder': disorder(100000),
  'disorder, again from far': Buffer.concat([disorder(90000), new Uint8Array(70000), disorder(90000)]),
  'records': Uint8Array.from({length: 60000}, (none, i) => i % 12 < 4 ? i >> 8 : i % 12 < 8 ? 0 : i * i >> i % 3),
  'text': text,
  'the module': module_,
};
const settings = [[4, 0, 0], [3, 0, 2], [0, 4, 4], [0, 2, 0], [1, 3, 1]];
let checks = 0, failed = 0;
function check(holds, what) {
  ++checks;
  if (holds) return;
  ++failed;
  console.log(`not so: ${what}`);
}

for (const [name, input] of Object.entries(inputs)) {
  for (const setting of input === module_ ? settings.slice(0, 2) : settings) {
    const packed = pack(input, setting);
    check(Buffer.compare(unpackLzma(packed), input) === 0, `${name} comes back with ${setting}`);
  }
}

function refused(packed) {
  try {
    unpackLzma(packed);
    return false;
  } catch (failure) {
    return failure.message.startsWith('the packed module is damaged: ');
  }
}
const packed = pack(text.subarray(0, 1500), [4, 0, 0]);
for (let size = 0; size < packed.length; ++size) check(refused(packed.subarray(0, size)), `${size} bytes of ${packed.length}`);
check(refused(Buffer.concat([packed, Uint8Array.of(0)])), 'a byte after its end');
for (let i = 0; i < 8 * packed.length; ++i) {
  if (i >= 8 * 5 && i < 8 * 9) continue;  // the size of the window, which nothing here depends on
  const damaged = packed.slice();
  damaged[i >> 3] ^= 1 << (i & 7);
  check(refused(damaged), `bit ${i & 7} of byte ${i >> 3} is another`);
}
check(refused(disorder(5000)), 'disorder');

const page = fs.readFileSync(pageFile);
const packedModule = new Uint8Array(Buffer.from(page.toString().match(/id="module">([^<]*)</)[1], 'base64'));
const times = [0, 1, 2].map(() => {
  const begin = performance.now();
  check(Buffer.compare(unpackModule(packedModule), module_) === 0, 'the module in the page');
  return performance.now() - begin;
});
for (const at of [0, 1000, packedModule.length >> 1, packedModule.length - 1]) {
  const damaged = packedModule.slice();
  damaged[at] ^= 1;
  let taken = true;
  try { unpackModule(damaged); } catch { taken = false; }
  check(!taken, `the page's module with another bit in byte ${at}`);
}
console.log(`measured: the module, ${module_.length} bytes, unpacked from ${packedModule.length} in ` +
            `${times[0].toFixed(0)} ms the first time, ${Math.min(...times).toFixed(0)} ms at best`);
// By gzip itself: node's zlib is another and packs a little better.
const small = spawnSync('gzip', ['-9', '-c', pageFile], {maxBuffer: 1 << 28}).stdout.length;
console.log(`measured: the page is ${small} bytes gzipped`);
check(small > 100000 && small <= 700000, 'at most 700 kB');
console.log(`${checks} checks, ${failed} failed`);
if (failed !== 0 || checks < 1000) process.exitCode = 1;
