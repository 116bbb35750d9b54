// SPDX-License-Identifier: MIT
// The calls of WASI that the command makes, over files in memory. Names, numbers and layouts are those of WASI's
// snapshot_preview1: every call returns an error number, and answers go to addresses in the module's memory.
'use strict';

const wasiError = {none: 0, badDescriptor: 8, exists: 20, invalid: 28, missing: 44, unsupported: 52};
const wasiType = {character: 2, folder: 3, file: 4};
const decodeText = new TextDecoder();
const encodeText = new TextEncoder();

// What proc_exit throws, so that nothing of the module runs on.
class WasiExit {
  constructor(code) { this.code = code; }
}

// args: words, the program's name first. readFile(path): the bytes of a file, 'folder', or undefined where there is none.
// stdin: bytes. write(descriptor, bytes): what the command prints, 1 or 2. terminal: whether a person reads descriptor 2.
function makeWasi({args, readFile, stdin = new Uint8Array(0), write, terminal = false}) {
  let memory;
  const view = () => new DataView(memory.buffer);
  const bytes = (at, size) => new Uint8Array(memory.buffer, at, size);
  const text = (at, size) => decodeText.decode(bytes(at, size));

  // The command's own files; it makes one where it unpacks a dump, and removes its name at once.
  const made = new Map();
  const find = (path) => made.get(path) ?? readFile(path);
  const files = new Map([
    [0, {kind: wasiType.file, data: stdin, size: stdin.length, at: 0}],
    [1, {kind: wasiType.file}],
    [2, {kind: terminal ? wasiType.character : wasiType.file}],
    [3, {kind: wasiType.folder}],
  ]);
  let next = 4;

  const putStrings = (strings) => ({
    sizes(countAt, bytesAt) {
      view().setUint32(countAt, strings.length, true);
      view().setUint32(bytesAt, strings.reduce((sum, s) => sum + encodeText.encode(s).length + 1, 0), true);
      return wasiError.none;
    },
    get(listAt, at) {
      for (const s of strings) {
        const encoded = encodeText.encode(s);
        view().setUint32(listAt, at, true);
        bytes(at, encoded.length).set(encoded);
        view().setUint8(at + encoded.length, 0);
        listAt += 4;
        at += encoded.length + 1;
      }
      return wasiError.none;
    },
  });
  const argv = putStrings(args);
  const environment = putStrings([]);

  const putStat = (at, kind, size) => {
    bytes(at, 64).fill(0);
    view().setUint8(at + 16, kind);
    view().setBigUint64(at + 24, 1n, true);  // links
    view().setBigUint64(at + 32, BigInt(size), true);
    return wasiError.none;
  };
  // Calls `use` for each of the buffers in a list of `count` until one is not filled; the sum goes to `sumAt`.
  const eachBuffer = (listAt, count, sumAt, use) => {
    let sum = 0;
    for (let i = 0; i < count; ++i) {
      const at = view().getUint32(listAt + 8 * i, true);
      const size = view().getUint32(listAt + 8 * i + 4, true);
      const n = use(at, size, sum);
      sum += n;
      if (n < size) break;
    }
    view().setUint32(sumAt, sum, true);
    return wasiError.none;
  };
  const readAt = (file, offset, at, size) => {
    const n = Math.max(0, Math.min(size, file.size - offset));
    bytes(at, n).set(file.data.subarray(offset, offset + n));
    return n;
  };
  const writeAt = (file, offset, at, size) => {
    if (offset + size > file.data.length) {
      const grown = new Uint8Array(Math.max(offset + size, 2 * file.data.length));
      grown.set(file.data);
      file.data = grown;
    }
    file.data.set(bytes(at, size), offset);
    file.size = Math.max(file.size, offset + size);
    return size;
  };
  const withData = (descriptor, use) => {
    const file = files.get(descriptor);
    return file?.data === undefined ? wasiError.badDescriptor : use(file);
  };

  const calls = {
    args_sizes_get: argv.sizes,
    args_get: argv.get,
    environ_sizes_get: environment.sizes,
    environ_get: environment.get,
    clock_time_get(clock, precision, at) {
      const now = clock === 0 ? Date.now() : performance.now();
      view().setBigUint64(at, BigInt(Math.round(now * 1e6)), true);
      return wasiError.none;
    },
    proc_exit(code) { throw new WasiExit(code); },

    // One folder is given, the root; wasi-libc takes names without a / at the front from it too.
    fd_prestat_get(descriptor, at) {
      if (descriptor !== 3) return wasiError.badDescriptor;
      view().setUint32(at, 0, true);
      view().setUint32(at + 4, 1, true);
      return wasiError.none;
    },
    fd_prestat_dir_name(descriptor, at) {
      view().setUint8(at, '/'.charCodeAt(0));
      return wasiError.none;
    },
    path_filestat_get(folder, flags, at, size, statAt) {
      const found = find(text(at, size));
      if (found === undefined) return wasiError.missing;
      if (found === 'folder') return putStat(statAt, wasiType.folder, 0);
      return putStat(statAt, wasiType.file, found.size ?? found.length);
    },
    path_open(folder, follow, at, size, openFlags, rights, inherited, flags, resultAt) {
      const path = text(at, size);
      const [create, exclusive] = [openFlags & 1, openFlags & 4];
      let found = find(path);
      if (found !== undefined && create && exclusive) return wasiError.exists;
      if (found === undefined && !create) return wasiError.missing;
      if (found === undefined) made.set(path, found = {data: new Uint8Array(1 << 16), size: 0});
      const file = found === 'folder' ? {kind: wasiType.folder}
          : found.data === undefined ? {kind: wasiType.file, data: found, size: found.length, at: 0}
          : Object.assign(found, {kind: wasiType.file, at: 0});
      files.set(next, file);
      view().setUint32(resultAt, next++, true);
      return wasiError.none;
    },
    path_unlink_file(folder, at, size) {
      return made.delete(text(at, size)) ? wasiError.none : wasiError.missing;
    },

    fd_close(descriptor) { return files.delete(descriptor) ? wasiError.none : wasiError.badDescriptor; },
    fd_fdstat_get(descriptor, at) {
      const file = files.get(descriptor);
      if (file === undefined) return wasiError.badDescriptor;
      bytes(at, 24).fill(0);
      view().setUint8(at, file.kind);
      // All rights, but for a terminal those to seek, by whose lack isatty tells it.
      const seek = (1n << 2n) | (1n << 5n);
      const rights = file.kind === wasiType.character ? ~seek : ~0n;
      view().setBigUint64(at + 8, BigInt.asUintN(64, rights), true);
      view().setBigUint64(at + 16, BigInt.asUintN(64, ~0n), true);
      return wasiError.none;
    },
    fd_fdstat_set_flags: () => wasiError.none,
    fd_filestat_get(descriptor, at) {
      const file = files.get(descriptor);
      return file === undefined ? wasiError.badDescriptor : putStat(at, file.kind, file.size ?? 0);
    },
    fd_filestat_set_size: (descriptor, size) => withData(descriptor, (file) => {
      const zero = new Uint8Array(0);
      if (Number(size) > file.data.length) {
        const grown = new Uint8Array(Number(size));
        grown.set(file.data ?? zero);
        file.data = grown;
      }
      file.size = Number(size);
      return wasiError.none;
    }),
    fd_read: (descriptor, listAt, count, sumAt) => withData(descriptor, (file) =>
      eachBuffer(listAt, count, sumAt, (at, size) => {
        const n = readAt(file, file.at, at, size);
        file.at += n;
        return n;
      })),
    fd_pread: (descriptor, listAt, count, offset, sumAt) => withData(descriptor, (file) =>
      eachBuffer(listAt, count, sumAt, (at, size, sum) => readAt(file, Number(offset) + sum, at, size))),
    fd_write(descriptor, listAt, count, sumAt) {
      if (descriptor !== 1 && descriptor !== 2)
        return withData(descriptor, (file) => eachBuffer(listAt, count, sumAt, (at, size) => {
          file.at += writeAt(file, file.at, at, size);
          return size;
        }));
      return eachBuffer(listAt, count, sumAt, (at, size) => {
        if (size !== 0) write(descriptor, bytes(at, size).slice());
        return size;
      });
    },
    fd_pwrite: (descriptor, listAt, count, offset, sumAt) => withData(descriptor, (file) =>
      eachBuffer(listAt, count, sumAt, (at, size, sum) => writeAt(file, Number(offset) + sum, at, size))),
    fd_seek: (descriptor, offset, whence, at) => withData(descriptor, (file) => {
      file.at = Number(offset) + [0, file.at, file.size][whence];
      view().setBigUint64(at, BigInt(file.at), true);
      return wasiError.none;
    }),
    fd_readdir: () => wasiError.unsupported,
  };
  return {calls, attach(instance) { memory = instance.exports.memory; }};
}

// Runs the command once: a fresh instance of the compiled `module`, so that nothing of one question reaches the next.
function runCommand(module, {args, readFile, stdin, terminal, progress}) {
  const printed = [[], [], []];
  const write = (descriptor, chunk) => {
    printed[descriptor].push(chunk);
    if (descriptor === 2 && progress !== undefined && chunk[0] === 13) progress(decodeText.decode(chunk).trim());
  };
  const wasi = makeWasi({args: ['vmsa', ...args], readFile, stdin, write, terminal});
  const instance = new WebAssembly.Instance(module, {wasi_snapshot_preview1: wasi.calls});
  wasi.attach(instance);
  let code = 0;
  try {
    instance.exports._start();
  } catch (thrown) {
    if (!(thrown instanceof WasiExit)) throw thrown;
    code = thrown.code;
  }
  const join = (chunks) => {
    const all = new Uint8Array(chunks.reduce((sum, c) => sum + c.length, 0));
    let at = 0;
    for (const c of chunks) all.set(c, at), at += c.length;
    return all;
  };
  return {code, out: join(printed[1]), err: join(printed[2])};
}
