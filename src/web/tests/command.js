#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// usage: command.js MODULE.wasm WORD...
// The command as WebAssembly under node: files of the machine are read, nothing is written, standard input is ours.
'use strict';
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const shim = path.join(__dirname, '..', 'page', 'wasi.js');
vm.runInThisContext(fs.readFileSync(shim, 'utf8') + ';globalThis.runCommand = runCommand;', shim);

// wasi-libc hands over names without their first /, so that both readings are tried.
function readFile(name) {
  for (const candidate of [name, '/' + name]) {
    const found = fs.statSync(candidate, {throwIfNoEntry: false});
    if (found === undefined) continue;
    return found.isDirectory() ? 'folder' : new Uint8Array(fs.readFileSync(candidate));
  }
  return undefined;
}

function compile(file) { return new WebAssembly.Module(fs.readFileSync(file)); }

module.exports = {compile, readFile, run: (module, options) => globalThis.runCommand(module, options)};

if (require.main === module) {
  const [file, ...args] = process.argv.slice(2);
  let stdin = new Uint8Array(0);
  if (!process.stdin.isTTY) try { stdin = new Uint8Array(fs.readFileSync(0)); } catch { /* closed */ }
  const got = globalThis.runCommand(compile(file), {args, readFile, stdin});
  fs.writeSync(1, got.out);
  fs.writeSync(2, got.err);
  process.exitCode = got.code;
}
