// SPDX-License-Identifier: MIT
// A repair of `vmsa coherency --json` as a change of the scenario's text. The text stays the user's: comments and the order of
// things are kept, and only the lines that a change needs are touched.
'use strict';

// The text in parts, each beginning with its [[...]] line; the first is what stands before any.
function tomlParts(toml) {
  return toml.split(/^(?=\[\[)/m);
}
const tomlName = (part) => part.match(/^\s*name\s*=\s*"([^"]*)"/m)?.[1];
const tomlKind = (part) => part.match(/^\[\[(\w+)\]\]/)?.[1];

function setTomlKey(part, key, value) {
  const line = new RegExp(`^\\s*${key}\\s*=.*\n?`, 'm');
  if (value === undefined) return part.replace(line, '');
  if (line.test(part)) return part.replace(line, `${key} = ${value}\n`);
  return part.replace(/^(\s*name\s*=.*\n?)/m, (name) => `${name.replace(/\n?$/, '\n')}${key} = ${value}\n`);
}

// The words of each line, in order: a step that names several, or a line, counts as several for `before_step`.
function scenarioLines(parts) {
  const lines = new Map();
  for (const part of parts.filter((p) => tomlKind(p) === 'line')) {
    const words = part.match(/^\s*words\s*=\s*\[([^\]]*)\]/m);
    lines.set(tomlName(part), words ? [...words[1].matchAll(/"([^"]*)"/g)].map((m) => m[1]) : []);
  }
  if (lines.size === 0) lines.set('line', ['x']);
  return lines;
}

// "store x, y via a" as ["store x via a", "store y via a"].
function singleSteps(step, lines) {
  const several = step.match(/^(load|store|snapshot|dc \w+|dma read|dma write)\s+(.*?)(\s+via\s+\S+|\s+no-snoop)?$/);
  if (several === null) return [step];
  const [, verb, names, tail = ''] = several;
  const each = names.split(',').map((n) => n.trim());
  const words = verb.startsWith('dc') ? each : each.flatMap((n) => lines.has(n) ? lines.get(n) : [n]);
  return words.map((w) => `${verb} ${w}${tail}`);
}

function changeProgram(part, change) {
  const program = /^(\s*program\s*=\s*)\[([\s\S]*?)\]/m;
  const steps = [...(part.match(program)?.[2] ?? '').matchAll(/"([^"]*)"/g)].map((m) => m[1]);
  const text = `[${change(steps).map((s) => `"${s}"`).join(', ')}]`;
  return program.test(part) ? part.replace(program, (all, head) => head + text) : setTomlKey(part, 'program', text);
}

function applyChange(parts, change) {
  const lines = scenarioLines(parts);
  const ofAgent = (part) => ['agent', 'device'].includes(tomlKind(part)) && tomlName(part) === change.agent;
  const aliasOf = (part) => tomlKind(part) === 'alias' &&
      part.match(/^\s*agent\s*=\s*"([^"]*)"/m)?.[1] === change.agent;
  switch (change.change) {
    case 'add-dsb':
    case 'add-cvac':
    case 'add-civac': {
      const added = change.change === 'add-dsb' ? ['dsb']
          : [`dc ${change.change.slice(4)} ${change.line}`, ...(change.dsb ? ['dsb'] : [])];
      // Where the agent has several aliases of the line, the first one does, as in the search for repairs.
      const covering = parts.filter((p) => aliasOf(p) && (!/^\s*lines\s*=/m.test(p) || p.match(/^\s*lines\s*=.*/m)[0].includes(`"${change.line}"`)));
      if (covering.length > 1 && added.length > 0 && added[0] !== 'dsb') added[0] += ` via ${tomlName(covering[0])}`;
      return parts.map((p) => !ofAgent(p) ? p : changeProgram(p, (steps) => {
        const out = [];
        let count = 0;
        const before = change.before_step - 1;
        for (const step of steps) {
          const singles = singleSteps(step, lines);
          if (before === count) out.push(...added);
          if (before > count && before < count + singles.length) {
            out.push(...singles.slice(0, before - count), ...added, ...singles.slice(before - count));
          } else {
            out.push(step);
          }
          count += singles.length;
        }
        if (before === count) out.push(...added);
        return out;
      }));
    }
    case 'map-write-back':
    case 'force-write-back':
      return parts.map((p) => !aliasOf(p) ? p
        : setTomlKey(['stage1', 'stage2', 'fwb', 'dic', 'policy', 'backing', 'sh'].reduce((q, key) => setTomlKey(q, key), p),
                     'attributes', '"Normal-WB"'));
    case 'make-snoop':
      return parts.map((p) => !ofAgent(p) ? p
        : changeProgram(setTomlKey(setTomlKey(setTomlKey(p, 'no_snoop'), 'smmu'), 'snoops', 'true'),
                        (steps) => steps.map((s) => s.replace(/\s+no-snoop$/, ''))));
    case 'set-canwbs':
      return parts.map((p) => ofAgent(p) ? setTomlKey(p, 'canwbs', 'true') : p);
    case 'drop-alias':
      return parts.map((p) => tomlKind(p) === 'alias' && tomlName(p) === change.alias ? setTomlKey(p, 'mapped', 'false') : p);
    default:
      return parts;
  }
}

// A set of changes. Places are those of the program before any of them, so the last place is changed first. What the file
// expected of the scenario before them is gone with it.
function repairScenario(toml, changes) {
  const lastFirst = [...changes].reverse().sort((a, b) => (b.before_step ?? 0) - (a.before_step ?? 0));
  const parts = lastFirst.reduce(applyChange, tomlParts(toml));
  parts[0] = ['expect', 'property', 'reason'].reduce((head, key) => setTomlKey(head, key), parts[0]);
  return parts.join('');
}
