// SPDX-License-Identifier: MIT
// Section 3: what stage 1 and stage 2 make together, every pair at once; a cell's click tells its steps.
'use strict';

sections.push({
  id: 'grid',
  title: 'Two stages',
  takes: (words) => words[0] === 'combine',
  make(host) {
    const answer = makeAnswer(host);
    const table = el('table', {class: 'grid'});
    const fwb = choice('HCR_EL2.FWB', [['off', '0'], ['on', '1']], 'off', () => { drawGrid(); askTable(); });
    const flag = () => ['--fwb', fwb.input.value];
    const askTable = () => answer.show(['combine', '--table', ...flag()]);
    const drawGrid = async () => {
      const grid = await askJson(['combine', '--table', ...flag()]);
      if (grid === undefined) return;
      const types = Object.keys(grid.rows[0].results);
      // Under FWB the highest bit of MemAttr says something else, and counts for no type.
      const binary = (n, digits) => n.toString(2).padStart(digits, '0');
      const memattrOf = (row) => fwb.input.value === 'on' ? `0bx${binary(Number(row.memattr), 3)}`
                                                          : `0b${binary(Number(row.memattr), 4)}`;
      table.replaceChildren(
        el('caption', {}, 'stage 1 (columns) under stage 2 MemAttr (rows)'),
        el('thead', {}, el('tr', {}, el('th', {scope: 'col'}, 'MemAttr'), types.map((t) => el('th', {scope: 'col'}, t)))),
        el('tbody', {}, grid.rows.map((row) => el('tr', {},
          el('th', {scope: 'row', title: row.says}, memattrOf(row)),
          types.map((type) => {
            const r = row.results[type];
            const name = r.memory_type === 'normal-mixed' ? `in ${r.inner.slice(0, 2)}, out ${r.outer.slice(0, 2)}` : r.memory_type;
            return el('td', {class: /^device/.test(name) ? 'device' : /wb/.test(name) ? 'cached' : 'uncached'},
              el('button', {type: 'button', 'aria-label': `${type} under ${row.memattr}: ${name}`,
                onclick: () => answer.show(['combine', type, row.memattr, ...flag()])}, name));
          })))));
    };
    return {
      box: el('div', {}, el('div', {class: 'form'}, fwb.box), el('div', {class: 'scroll', tabindex: '0', role: 'region',
        'aria-label': 'two-stage grid'}, table), answer.box),
      focus: () => fwb.input.focus(),
      async open(words) {
        const at = words.indexOf('--fwb');
        fwb.input.value = at >= 0 && words[at + 1] !== 'off' ? 'on' : 'off';
        await Promise.all([drawGrid(), words.length > 1 ? answer.show(words) : askTable()]);
      },
    };
  },
});
