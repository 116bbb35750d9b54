#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// usage: compare.js MODULE.wasm NATIVE FOLDER
// The command as WebAssembly against the native one, run in FOLDER, the root of the tree: every command of the pages, of the
// golden files, every scenario and every pasted text, as text and as JSON. Output, messages and exit code are the same to the
// byte.
'use strict';
const {spawnSync} = require('child_process');
const fs = require('fs');
const path = require('path');
const vm = require('vm');
const command = require('./command.js');

const [file, native, folder] = process.argv.slice(2);
process.chdir(folder);
const words = path.join(__dirname, '..', 'page', 'words.js');
vm.runInThisContext(fs.readFileSync(words, 'utf8') + ';globalThis.splitWords = splitWords;', words);

// `$ vmsa ...` lines, up to the first pipe or redirection that no quote protects.
function commandsOf(page) {
  return fs.readFileSync(page, 'utf8').split('\n').filter((l) => l.startsWith('$ vmsa ')).map((l) => {
    const plain = l.slice('$ vmsa '.length).match(/^(?:[^'"|<>;]|'[^']*'|"[^"]*")*/)[0];
    return globalThis.splitWords(plain);
  });
}
const listed = (where, end) => fs.readdirSync(where).filter((f) => f.endsWith(end)).sort().map((f) => path.join(where, f));

const questions = ['README.md', 'src/QUESTIONS.md', ...listed('tests/golden', '.golden')].flatMap(commandsOf);
for (const scenario of listed('tests/scenarios', '.toml')) {
  questions.push(['coherency', scenario], ['coherency', scenario, '--json'], ['coherency', scenario, '--format', 'svg']);
}
for (const text of listed('tests/pasted', '.txt')) questions.push(['explain', text], ['explain', text, '--json']);
questions.push(['coherency', '--list'], ['--help'], ['--version'], ['frobnicate'], ['decode', 'esr', '0x9381zz'],
               ['tables', 'find', 'tests/dumps/pair/before.elf.gz'], ['coherency', 'tests/none.toml']);

const module_ = command.compile(file);
let different = 0;
for (const args of questions) {
  // How much memory an exploration took is told in JSON, and depends on the machine's number of threads.
  if (args[0] === 'coherency' && args.includes('--json')) args.push('--threads', '1');
  const expected = spawnSync(native, args, {input: '', maxBuffer: 1 << 28});
  const got = command.run(module_, {args, readFile: command.readFile});
  const same = expected.status === got.code && Buffer.compare(expected.stdout, got.out) === 0 &&
      Buffer.compare(expected.stderr, got.err) === 0;
  if (same) continue;
  ++different;
  const lines = (b) => Buffer.from(b).toString().split('\n');
  const [was, is] = [lines(expected.stdout).concat(lines(expected.stderr)), lines(got.out).concat(lines(got.err))];
  const at = was.findIndex((l, i) => l !== is[i]);
  console.log(`vmsa ${args.join(' ')}\n  native (${expected.status}): ${was[at]}\n  web (${got.code}):    ${is[at]}`);
}
console.log(`${questions.length} questions, ${different} answered otherwise`);
if (questions.length < 200 || different !== 0) process.exitCode = 1;
