#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// usage: repairs.js NATIVE FOLDER
// Every repair that the command names for every built-in scenario, applied to the scenario's text as the page does, makes the
// scenario coherent.
'use strict';
const {spawnSync} = require('child_process');
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const [native, folder] = process.argv.slice(2);
const source = path.join(__dirname, '..', 'page', 'repair.js');
vm.runInThisContext(fs.readFileSync(source, 'utf8') + ';globalThis.repairScenario = repairScenario;', source);
const ask = (input, ...args) => JSON.parse(spawnSync(native, [...args, '--json'], {input, encoding: 'utf8', maxBuffer: 1 << 28}).stdout || 'null');

const scenarios = path.join(folder, 'tests/scenarios');
const files = new Set(fs.readdirSync(scenarios));
let applied = 0, failed = 0;
const kinds = new Set();
for (const file of [...files].sort()) {
  const toml = fs.readFileSync(path.join(scenarios, file), 'utf8');
  const answer = ask('', 'coherency', path.join(scenarios, file));
  for (const set of answer.repairs) {
    ++applied;
    set.forEach((c) => kinds.add(c.change));
    const repaired = repairScenario(toml, set);
    const again = ask(repaired, 'coherency', '-', '--no-repair');
    if (again?.verdict === 'coherent') continue;
    ++failed;
    console.log(`${file}: ${set.map((c) => c.text).join('; ')}: ${again?.verdict ?? 'refused'}\n${repaired}`);
  }
}
console.log(`${applied} repairs of ${[...kinds].sort().join(' ')}, ${failed} do not help`);
if (failed !== 0 || applied < 40) process.exitCode = 1;
