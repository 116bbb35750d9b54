// SPDX-License-Identifier: MIT
// Section 5: can anyone read stale data? A scenario to edit, its sequence picture, its steps, and its repairs as buttons.
'use strict';

sections.push({
  id: 'coherency',
  title: 'Coherency',
  takes: (words) => words[0] === 'coherency' && !words.includes('--list') && !words.includes('--print'),
  make(host) {
    const answer = makeAnswer(host);
    const editor = el('textarea', {rows: '14', spellcheck: 'false', autocomplete: 'off', id: 'scenario',
      'aria-label': 'scenario in TOML', oninput: settle(() => { builtin = undefined; ask(); }, 400)});
    const names = choice('scenario', [['', 'your own']], '', (name) => { if (name !== '') load(name); });
    const picture = el('div', {class: 'scroll', id: 'sequence'});
    const repairs = el('div', {class: 'next', role: 'group', 'aria-label': 'repairs'});
    const caption = el('caption', {}, '');
    const rows = el('tbody', {});
    const steps = el('table', {class: 'steps', tabindex: '0', 'aria-label': 'steps; arrow keys go through them',
      onkeydown: (event) => {
        const by = {ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1}[event.key];
        if (by === undefined || rows.children.length === 0) return;
        event.preventDefault();
        select(Math.min(rows.children.length - 1, Math.max(0, current + by)));
      }}, caption, rows);
    const told = el('p', {class: 'hint', 'aria-live': 'polite'});
    let builtin, current = 0, extra = [];

    const select = (n) => {
      rows.children[current]?.classList.remove('now');
      current = n;
      rows.children[n]?.classList.add('now');
      rows.children[n]?.scrollIntoView({block: 'nearest'});
      told.textContent = rows.children[n] === undefined ? ''
          : [...rows.children[n].children].map((c) => c.textContent).filter((t) => t).join(' · ');
    };
    const wordsOf = (memory) => Object.entries(memory).map(([w, v]) => `${w}=${v}`).join(' ');
    const drawSteps = (trace) => {
      caption.textContent = trace.length === 0 ? '' : 'one of the shortest ways there';
      rows.replaceChildren(...trace.map((s, i) => el('tr', {onclick: () => select(i)},
        el('td', {}, String(s.step)), el('td', {}, s.agent), el('td', {}, s.action),
        Object.entries(s.caches).map(([cache, lines]) =>
          el('td', {}, `${cache}: ${lines.map((l) => wordsOf(l.words)).join(' ') || '-'}`)),
        el('td', {}, `memory: ${wordsOf(s.memory)}`))));
      select(0);
    };
    const drawRepairs = (sets) => repairs.replaceChildren(...sets.map((set) =>
      el('button', {type: 'button', class: 'repair', onclick: () => {
        editor.value = repairScenario(editor.value, set);
        builtin = undefined;
        names.input.value = '';
        ask();
      }}, 'Repair: ' + set.map((c) => c.text).join('; '))));

    const question = () => builtin === undefined ? {words: ['coherency', '-', ...extra], options: {text: editor.value}}
                                                 : {words: ['coherency', builtin, ...extra], options: {}};
    const ask = async () => {
      const {words, options} = question();
      const got = await answer.show(words, options);
      if (got === undefined) return;
      const json = got.code === 2 || got.code === -1 ? undefined : await askJson(words, options);
      drawSteps(json?.trace ?? []);
      drawRepairs(json?.repairs ?? []);
      if (json?.verdict !== 'violation') return picture.replaceChildren();
      const svg = await runVmsa([...words, '--format', 'svg'], options);
      picture.replaceChildren(svgPicture(svg.out, `sequence of ${json.trace.length} steps: ${json.what}`));
    };
    const load = async (name) => {
      builtin = name;
      choose(names.input, name);
      editor.value = (await runVmsa(['coherency', '--print', name])).out;
      await ask();
    };
    const fillNames = async () => {
      if (names.input.options.length > 2) return;
      const all = await askJson(['coherency', '--list']);
      const chosen = names.input.value;
      names.input.replaceChildren(el('option', {value: ''}, 'your own'),
        ...(all ?? []).map((s) => el('option', {value: s.name}, `${s.name} (${s.expect})`)));
      names.input.value = chosen;
    };
    return {
      box: el('div', {}, el('div', {class: 'form'}, names.box), editor, repairs, picture, told,
              el('div', {class: 'scroll'}, steps), answer.box),
      focus: () => names.input.focus(),
      async open(words, text) {
        const name = words.slice(1).find((w) => !w.startsWith('--'));
        extra = words.slice(1).filter((w) => w !== name && w !== '-');
        if (text !== undefined) {
          builtin = undefined;
          names.input.value = '';
          editor.value = text;
          await ask();
        } else {
          await load(name === undefined || name === '-' ? 'seed' : name);
        }
        await fillNames();
      },
    };
  },
});
