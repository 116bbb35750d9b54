// SPDX-License-Identifier: MIT
// Section 1: whatever was pasted, explained as `vmsa explain` does.
'use strict';

sections.push({
  id: 'explain',
  title: 'Explain',
  takes: (words) => words[0] === 'explain',
  make(host) {
    const answer = makeAnswer(host);
    let words = ['explain'];
    const ask = () => answer.show(words, {text: paste.value});
    const paste = el('textarea', {rows: '9', spellcheck: 'false', autocomplete: 'off', id: 'paste', autofocus: true,
      'aria-label': 'a log, an oops, a register, a mail', oninput: settle(ask),
      placeholder: 'Paste a log, an oops, a register dump, a mail, or drop a file here.'});
    paste.addEventListener('drop', async (event) => {
      const [file] = event.dataTransfer.files;
      if (file === undefined) return;
      event.preventDefault();
      paste.value = await file.text();
      ask();
    });
    return {
      box: el('div', {}, paste, answer.box),
      focus: () => paste.focus(),
      async open(given, text) {
        words = given.filter((w) => w !== '-');
        paste.value = text ?? '';
        // Nothing pasted yet: what is looked for is the answer.
        await ask();
      },
    };
  },
});
