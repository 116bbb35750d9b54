// SPDX-License-Identifier: MIT
// The command in a worker: questions queue there, and whoever stops one ends the worker with all of its questions.
'use strict';

const engine = {
  packed: '',          // the module, as pack.py packs it, in base64
  module: undefined,   // compiled, once a worker has done so
  worker: undefined,
  waiting: new Map(),  // by number: {resolve, progress}
  asked: 0,
  source: '',          // of the worker
};

// The first worker unpacks the module, so that the page is drawn and takes input meanwhile.
function startEngine(packed, workerSource) {
  engine.packed = packed;
  engine.source = workerSource;
  engineWorker();
}

function engineWorker() {
  if (engine.worker !== undefined) return engine.worker;
  const address = URL.createObjectURL(new Blob([engine.source], {type: 'text/javascript'}));
  engine.worker = new Worker(address);
  engine.worker.onmessage = ({data}) => {
    if (data.module !== undefined) {
      engine.module = data.module;
      return;
    }
    const asker = engine.waiting.get(data.id);
    if (asker === undefined) return;
    if (data.progress !== undefined) {
      asker.progress?.(data.progress);
      return;
    }
    engine.waiting.delete(data.id);
    asker.resolve(data);
  };
  engine.worker.postMessage(engine.module === undefined ? {packed: engine.packed} : {module: engine.module});
  return engine.worker;
}

// {code, out, err}: exit code and texts. files: bytes by name. code -1: stopped, or the module failed, which err tells.
async function runVmsa(words, {text, files, progress} = {}) {
  const worker = engineWorker();
  const id = ++engine.asked;
  return new Promise((resolve) => {
    engine.waiting.set(id, {resolve, progress});
    worker.postMessage({id, words, text, files});
  });
}

function stopEngine() {
  engine.worker?.terminate();
  engine.worker = undefined;
  for (const {resolve} of engine.waiting.values()) resolve({code: -1, out: '', err: 'stopped\n'});
  engine.waiting.clear();
}

// The same question as JSON; undefined where the answer is none.
async function askJson(words, options) {
  const got = await runVmsa([...words, '--json'], options);
  try {
    return JSON.parse(got.out);
  } catch {
    return undefined;
  }
}
