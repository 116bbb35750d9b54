// SPDX-License-Identifier: MIT
// Section 2: the 64 bits of a descriptor or register. A click flips one, and each reading follows.
'use strict';

const bitKinds = 'pte mair esr hpfar par vtcr vttbr hcr hcrx tcr ttbr sctlr scr spsr far gpt id_aa64mmfr0 id_aa64mmfr1 id_aa64mmfr2'
    .split(' ');

sections.push({
  id: 'bits',
  title: 'Bits',
  takes: (words) => words[0] === 'decode' && words.some((w) => /^(0x)?[0-9a-f_]+$/i.test(w)) && !words.includes('-') &&
      !['change', 'tlbi', 'event', 'ste', 'cd'].includes(words[1]),
  make(host) {
    const answer = makeAnswer(host);
    let extra = [];   // words of a link beyond kind and value
    let value = 0x400000000007d7n;
    const kind = choice('kind', bitKinds, 'pte', () => { extra = []; ask(); });
    const hex = entry('value', '', (typed) => {
      if (!/^(0x)?[0-9a-f_]{1,16}$/i.test(typed)) return;
      value = BigInt('0x' + typed.replace(/^0x/i, '').replaceAll('_', ''));
      ask();
    }, {id: 'bits-value'});
    const shown = el('p', {class: 'hint', 'aria-live': 'polite'}, 'Point at a bit, or go there by arrow keys: its field stands here.');
    const cells = Array.from({length: 64}, (_, i) => {
      const bit = 63 - i;
      return el('button', {type: 'button', class: 'bit', 'data-bit': String(bit), tabindex: bit === 63 ? '0' : '-1',
        onclick: () => { value ^= 1n << BigInt(bit); ask(); },
        onmouseenter: () => tell(bit), onfocus: () => tell(bit)});
    });
    const grid = el('div', {class: 'bits', role: 'group', 'aria-label': 'bits 63 to 0', onkeydown: (event) => {
      const at = cells.indexOf(document.activeElement);
      const step = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -16, ArrowDown: 16}[event.key];
      if (at < 0 || step === undefined) return;
      event.preventDefault();
      const to = cells[Math.min(63, Math.max(0, at + step))];
      cells[at].tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    }}, cells);
    const readings = el('div', {class: 'columns'});
    let fields = [];

    const fieldOf = (bit) => fields.find((f) => bit <= f.high && bit >= f.low);
    const tell = (bit) => {
      const f = fieldOf(bit);
      shown.textContent = f === undefined ? `bit ${bit}`
          : `bit ${bit}: ${f.name} [${f.high}${f.high === f.low ? '' : ':' + f.low}] = ${f.value}` +
            (f.meaning ? `, ${f.meaning}` : '') + (f.when ? ` (${f.when})` : '');
      cells.forEach((c) => {
        const b = Number(c.dataset.bit);
        c.classList.toggle('same', f !== undefined && b <= f.high && b >= f.low);
      });
    };
    const draw = () => {
      let odd = false, last;
      cells.forEach((c) => {
        const bit = Number(c.dataset.bit);
        const set = (value >> BigInt(bit)) & 1n;
        const f = fieldOf(bit);
        if (f !== last) odd = !odd;
        last = f;
        c.textContent = String(set);
        c.setAttribute('aria-pressed', set ? 'true' : 'false');
        c.setAttribute('aria-label', `bit ${bit}${f === undefined ? '' : ', ' + f.name}: ${set}`);
        c.classList.toggle('odd', odd);
      });
    };
    // A stage 2 descriptor means different things by FWB and DS: each reading of its own, where none is chosen.
    const showReadings = async (words) => {
      if (kind.input.value !== 'pte' || extra.length !== 0) return readings.replaceChildren();
      const variants = [];
      for (const fwb of ['off', 'on']) for (const ds of ['off', 'on']) variants.push([fwb, ds]);
      const got = await Promise.all(variants.map(([fwb, ds]) => askJson([...words, '--fwb', fwb, '--ds', ds])));
      readings.replaceChildren(...got.map((r, i) => el('section', {class: 'card'},
        el('h3', {}, `FWB=${variants[i][0] === 'on' ? 1 : 0} DS=${variants[i][1] === 'on' ? 1 : 0}`),
        el('p', {}, r?.summary ?? 'no such reading'))));
    };
    const ask = async () => {
      const text = '0x' + value.toString(16);
      if (document.activeElement !== hex.input) hex.input.value = text;
      const words = ['decode', kind.input.value, ...extra, text];
      const [json, shownAnswer] = await Promise.all([askJson(words), answer.show(words)]);
      if (shownAnswer === undefined) return;
      fields = json?.fields ?? [];
      draw();
      await showReadings(words);
    };
    return {
      box: el('div', {}, el('div', {class: 'form'}, kind.box, hex.box), grid, shown, readings, answer.box),
      focus: () => hex.input.focus(),
      async open(words) {
        if (words.length > 1) {
          const at = words.findLastIndex((w) => /^(\w+=)?(0x)?[0-9a-f_]+$/i.test(w));
          choose(kind.input, words[1]);
          extra = words.slice(2).filter((w, i) => i + 2 !== at);
          const digits = words[at].replace(/^\w+=/, '').replace(/^0x/i, '').replaceAll('_', '');
          if (/\w+=/.test(words[at])) extra = [];
          value = BigInt('0x' + digits) & 0xffffffffffffffffn;
        }
        await ask();
      },
    };
  },
});
