// SPDX-License-Identifier: MIT
// Section 7: the memory of a machine, from a dump that is dropped here; it stays in this page.
'use strict';

sections.push({
  id: 'dump',
  title: 'Dump',
  takes: (words) => words[0] === 'tables',
  make(host) {
    const answer = makeAnswer(host);
    const picture = el('div', {class: 'scroll'});
    const files = {};
    let words = [];
    const named = el('p', {class: 'hint'}, 'No dump yet: QEMU dump-guest-memory, vmcore, kcore, kdump, LiME or raw, gzipped or not.');
    const what = choice('show', ['find', 'ranges', 'mismatches', 'stats'], 'ranges', () => ask());
    const dump = el('input', {type: 'file', id: 'dump-file', onchange: () => take(dump.files[0], 'dump')});
    const registers = el('input', {type: 'file', id: 'dump-registers', onchange: () => take(registers.files[0], 'registers')});
    const take = async (file, as) => {
      if (file === undefined) return;
      files[as] = new Uint8Array(await file.arrayBuffer());
      named.textContent = `${as}: ${file.name}, ${file.size} bytes`;
      await ask();
    };
    const ask = async () => {
      if (files.dump === undefined) return;
      const given = ['dump', ...(files.registers === undefined ? [] : ['--registers', 'registers'])];
      words = ['tables', what.input.value, ...given];
      const [got, svg] = await Promise.all([answer.show(words, {files}),
        runVmsa(['tables', 'ranges', ...given, '--format', 'svg'], {files})]);
      if (got === undefined) return;
      picture.replaceChildren(svg.out.startsWith('<svg') ? svgPicture(svg.out, 'what each VM maps, by IPA') : svg.err);
    };
    const box = el('div', {ondragover: (event) => event.preventDefault(), ondrop: (event) => {
      event.preventDefault();
      for (const file of event.dataTransfer.files) take(file, /\.(json|toml)$/.test(file.name) ? 'registers' : 'dump');
    }}, el('div', {class: 'form'}, el('label', {class: 'field'}, el('span', {}, 'dump'), dump),
           el('label', {class: 'field'}, el('span', {}, 'registers'), registers), what.box), named, picture, answer.box);
    return {
      box,
      focus: () => dump.focus(),
      async open(given) {
        if (given.length > 1) choose(what.input, given[1]);
        if (given.length > 2) named.textContent = `The link asks about ${given.slice(2).join(' ')}: drop that dump here.`;
        await ask();
      },
    };
  },
});
