// SPDX-License-Identifier: MIT
// Sections as tabs, the command line above them, and the address that holds the question. `host` is what a section may ask
// of the page: open(words, text) goes to whichever section takes that command, remember(words, text) puts it in the address.
'use strict';

const host = {
  line: undefined,
  current: undefined,
  made: new Map(),  // by id
  written: '',      // the address that we wrote ourselves

  show(section) {
    if (!host.made.has(section.id)) {
      const part = section.make(host);
      host.made.set(section.id, part);
      document.getElementById('main').append(el('section', {id: `section-${section.id}`, role: 'tabpanel',
        'aria-labelledby': `tab-${section.id}`}, part.box));
    }
    for (const s of sections) {
      const tab = document.getElementById(`tab-${s.id}`);
      tab.setAttribute('aria-selected', String(s === section));
      tab.tabIndex = s === section ? 0 : -1;
      document.getElementById(`section-${s.id}`)?.toggleAttribute('hidden', s !== section);
    }
    host.current = section;
    return host.made.get(section.id);
  },

  async open(words, text) {
    const section = sections.find((s) => s.takes(words, text));
    await host.show(section).open(words, text);
  },

  async remember(words, text) {
    host.line.value = joinWords(['vmsa', ...words]);
    host.written = await stateToHash(words, text);
    history.replaceState(null, '', host.written);
  },
};

// What a tab asks when it is opened for the first time.
const firstQuestions = {explain: ['explain'], bits: ['decode', 'pte', '0x400000000007d7'], grid: ['combine', '--table'],
  decide: ['decide'], coherency: ['coherency', 'seed'], dma: ['decide'], dump: ['tables'], command: []};

async function openSection(section) {
  const fresh = !host.made.has(section.id);
  const part = host.show(section);
  if (fresh) await part.open(firstQuestions[section.id]);
  part.focus();
}

function makeTabs() {
  const bar = document.getElementById('tabs');
  bar.append(...sections.map((s) => el('button', {type: 'button', role: 'tab', id: `tab-${s.id}`, 'aria-selected': 'false',
    onclick: () => openSection(s)}, s.title)));
  bar.addEventListener('keydown', (event) => {
    const by = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (by === undefined) return;
    const to = bar.children[(sections.indexOf(host.current) + by + sections.length) % sections.length];
    to.click();
    to.focus();
  });
}

async function openAddress() {
  let state;
  try {
    state = await hashToState(location.hash);
  } catch {
    state = undefined;  // an address that was cut: the page opens as without it
  }
  if (state !== undefined) return host.open(state.words, state.text);
  await openSection(sections[0]);
}

function startPage() {
  const text = (id) => document.getElementById(id).textContent;
  startEngine(text('module').trim(), text('worker-source'));
  makeTabs();
  host.line = document.getElementById('line');
  document.getElementById('line-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const words = splitWords(host.line.value);
    host.open(words[0] === 'vmsa' ? words.slice(1) : words);
  });
  document.getElementById('download').addEventListener('click', () => {
    const page = '<!DOCTYPE html>\n' + host.source;
    const a = el('a', {href: URL.createObjectURL(new Blob([page], {type: 'text/html'})), download: 'vmsa.html'});
    a.click();
  });
  window.addEventListener('hashchange', () => { if (location.hash !== host.written) openAddress(); });
  openAddress();
}

// The page as it was opened, before anything is added to it.
host.source = document.documentElement.outerHTML;
startPage();
