// SPDX-License-Identifier: MIT
// Every other command line: its answer as the command prints it.
'use strict';

sections.push({
  id: 'command',
  title: 'Command',
  takes: () => true,
  make(host) {
    const answer = makeAnswer(host);
    let words = ['--help'];
    const input = el('textarea', {rows: '3', spellcheck: 'false', 'aria-label': 'standard input', placeholder: 'standard input',
      oninput: settle(() => answer.show(words, {text: input.value}), 300)});
    return {
      box: el('div', {}, input, answer.box),
      focus: () => input.focus(),
      async open(given, text) {
        words = given.length === 0 ? ['--help'] : given;
        input.value = text ?? '';
        await answer.show(words, {text: input.value});
      },
    };
  },
});
