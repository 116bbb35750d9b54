// SPDX-License-Identifier: MIT
// Elements. Text reaches the page as text nodes only, so that nothing in a file or an address becomes markup.
'use strict';

// el('button', {class: 'x', onclick: f, disabled: true}, 'text', otherElement): on... are listeners, true sets an
// attribute without a value, false and undefined leave it out.
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (name === 'value') made.value = value;
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.flat().filter((c) => c !== undefined && c !== null));
  return made;
}

// A select with its label. options: strings, or [value, text].
function choice(label, options, value, changed) {
  const select = el('select', {onchange: () => changed?.(select.value)}, options.map((o) => {
    const [v, t] = Array.isArray(o) ? o : [o, o];
    return el('option', {value: v}, t);
  }));
  select.value = value ?? select.options[0].value;
  return {box: el('label', {class: 'field'}, el('span', {}, label), select), input: select};
}

function entry(label, value, changed, attributes = {}) {
  const input = el('input', {type: 'text', value, spellcheck: 'false', autocomplete: 'off', oninput: () => changed?.(input.value),
                             ...attributes});
  return {box: el('label', {class: 'field'}, el('span', {}, label), input), input};
}

// Sets a select to `value`, with an option of its own where a command line brings one that is not offered.
function choose(select, value) {
  if (![...select.options].some((o) => o.value === value)) select.append(el('option', {value}, value));
  select.value = value;
}

// Of a command line: the value behind `name`, and the words without it.
function optionOf(words, name) {
  const at = words.indexOf(name);
  return at >= 0 ? words[at + 1] : undefined;
}

// `f` a little after its last call.
function settle(f, milliseconds = 150) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...args), milliseconds);
  };
}

function svgPicture(svg, description) {
  const address = URL.createObjectURL(new Blob([svg], {type: 'image/svg+xml'}));
  return el('img', {src: address, alt: description, class: 'picture', onload: () => URL.revokeObjectURL(address)});
}
