// SPDX-License-Identifier: MIT
// What every section ends with: the command's own text, what to do with it, and the questions that it names next.
'use strict';

// host: see main.js. Returns {box, show(words, options), result}. show asks and resolves to the answer, or to undefined when
// a newer question came meanwhile.
function makeAnswer(host) {
  const output = el('pre', {class: 'answer', tabindex: '0', 'aria-label': 'answer', role: 'region'});
  const status = el('p', {class: 'status', role: 'status', 'aria-live': 'polite'});
  const stop = el('button', {type: 'button', hidden: true, class: 'stop', onclick: stopEngine}, 'Stop');
  const next = el('div', {class: 'next'});
  const copied = (what) => { status.textContent = `${what} copied`; };
  let asked = {words: [], options: {}};
  let number = 0;

  const asFormat = async (words) => {
    const got = await runVmsa(words, asked.options);
    return got.code >= 0 && got.code !== 2 ? got.out : undefined;
  };
  const copy = async (what, text) => {
    await navigator.clipboard.writeText(await text());
    copied(what);
  };
  const command = () => `$ ${joinWords(['vmsa', ...asked.words])}\n`;
  const buttons = el('div', {class: 'copies', role: 'group', 'aria-label': 'copy the answer'},
    el('button', {type: 'button', onclick: () => copy('Text', () => command() + output.textContent)}, 'Copy text'),
    el('button', {type: 'button', onclick: () => copy('Markdown', async () =>
      await asFormat([...asked.words, '--format', 'markdown']) ?? '```console\n' + command() + output.textContent + '```\n')},
       'Markdown'),
    el('button', {type: 'button', onclick: () => copy('JSON', async () => await asFormat([...asked.words, '--json']) ?? '')},
       'JSON'),
    el('button', {type: 'button', onclick: () => copy('Link', async () =>
      location.href.replace(/#.*/, '') + await stateToHash(asked.words, asked.options.text))}, 'Link'));

  const showNext = (text) => {
    next.replaceChildren(...[...new Set([...text.matchAll(/^next: (vmsa .*)$/gm)].map((m) => m[1]))].map((line) =>
      el('button', {type: 'button', class: 'ask', onclick: () => host.open(splitWords(line).slice(1))}, line)));
  };

  async function show(words, options = {}) {
    asked = {words, options};
    const mine = ++number;
    host.remember(words, options.text);
    const late = setTimeout(() => {
      stop.hidden = false;
      status.textContent = 'working …';
    }, 300);
    const got = await runVmsa(words, {...options, progress: (line) => { status.textContent = line; }});
    clearTimeout(late);
    if (mine !== number) return undefined;
    stop.hidden = true;
    status.textContent = got.code === 0 || got.code === 1 ? '' : got.code === -1 ? got.err.trim() : `exit code ${got.code}`;
    output.textContent = got.out + got.err;
    showNext(got.out);
    document.documentElement.dataset.answered = String(Number(document.documentElement.dataset.answered ?? 0) + 1);
    return got;
  }
  return {box: el('div', {class: 'answer-box'}, el('div', {class: 'bar'}, status, stop), next, output, buttons), show};
}
