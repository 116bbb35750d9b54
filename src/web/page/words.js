// SPDX-License-Identifier: MIT
// Words of a command line, and the state in the page's address: #v=1&q=<command line>[&s=<text, deflated, base64url>].
'use strict';

// A command line as a shell reads it: blanks part words, ' " and \ quote. No variable, no wildcard, no pipe.
function splitWords(line) {
  const words = [];
  let word = null;
  for (let i = 0; i < line.length; ++i) {
    const c = line[i];
    if (c === "'") {
      const end = line.indexOf("'", i + 1);
      word = (word ?? '') + line.slice(i + 1, end < 0 ? undefined : end);
      i = end < 0 ? line.length : end;
    } else if (c === '"') {
      word ??= '';
      for (++i; i < line.length && line[i] !== '"'; ++i) {
        if (line[i] === '\\' && '"\\$`'.includes(line[i + 1])) ++i;
        word += line[i];
      }
    } else if (c === '\\' && i + 1 < line.length) {
      word = (word ?? '') + line[++i];
    } else if (/\s/.test(c)) {
      if (word !== null) words.push(word);
      word = null;
    } else {
      word = (word ?? '') + c;
    }
  }
  if (word !== null) words.push(word);
  return words;
}

function joinWords(words) {
  return words.map((w) => /^[\w@%+=:,./&-]+$/.test(w) && !w.includes('&') ? w : `'${w.replaceAll("'", "'\\''")}'`).join(' ');
}

async function throughStream(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

async function packText(text) {
  const packed = await throughStream(new TextEncoder().encode(text), new CompressionStream('deflate-raw'));
  let binary = '';
  for (const b of packed) binary += String.fromCharCode(b);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

async function unpackText(packed) {
  const bytes = fromBase64(packed.replaceAll('-', '+').replaceAll('_', '/'));
  return new TextDecoder().decode(await throughStream(bytes, new DecompressionStream('deflate-raw')));
}

// words without the leading `vmsa`; text is what the command reads as its standard input, or undefined.
async function stateToHash(words, text) {
  const q = encodeURIComponent(joinWords(['vmsa', ...words])).replaceAll('%20', '+');
  return `#v=1&q=${q}` + (text ? `&s=${await packText(text)}` : '');
}

// undefined where the address holds no question of a version that is known.
async function hashToState(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  if (given.get('v') !== '1' || !given.has('q')) return undefined;
  const words = splitWords(given.get('q'));
  if (words[0] === 'vmsa') words.shift();
  return {words, text: given.has('s') ? await unpackText(given.get('s')) : undefined};
}
