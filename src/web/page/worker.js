// SPDX-License-Identifier: MIT
// The worker's side of engine.js, behind what it uses in one source.
'use strict';

let compiledModule;
let damage;  // why there is none

self.onmessage = ({data}) => {
  if (data.module !== undefined) {
    compiledModule = data.module;
    return;
  }
  if (data.packed !== undefined) {
    try {
      compiledModule = new WebAssembly.Module(unpackModule(fromBase64(data.packed)));
      self.postMessage({module: compiledModule});
    } catch (failure) {
      damage = failure;
    }
    return;
  }
  const {id, words, text, files = {}} = data;
  const readFile = (name) => Object.hasOwn(files, name) ? files[name] : undefined;
  const decode = new TextDecoder();
  try {
    if (damage !== undefined) throw damage;
    const got = runCommand(compiledModule, {
      args: words,
      readFile,
      stdin: encodeText.encode(text ?? ''),
      terminal: true,  // so that long work tells how far it is
      progress: (line) => { if (line !== '') self.postMessage({id, progress: line}); },
    });
    // What the progress line wrote over itself is no message.
    const err = decode.decode(got.err).replace(/\r[^\r\n]*(?=\r|$)/g, '').replaceAll('\r', '');
    self.postMessage({id, code: got.code, out: decode.decode(got.out), err});
  } catch (failure) {
    self.postMessage({id, code: -1, out: '', err: `the module failed: ${failure.message}\n`});
  }
};
