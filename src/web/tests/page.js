#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// usage: page.js PAGE.html ROOT SCREENSHOTS CHROMIUM
// The page in headless Chromium, as a person uses it: links, pastes, bits, cells, a repair, hostile text. No complaint of the
// browser's, no request. A picture of each section goes to the folder SCREENSHOTS. Exit code 77: CHROMIUM does not start.
'use strict';
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');
const {Browser} = require('./browser.js');

const [pageFile, root, pictures, program] = process.argv.slice(2);
const page = 'file://' + path.resolve(pageFile);
const downloaded = 'file://' + path.resolve(pictures, 'downloaded.html');
let checks = 0;

function check(holds, what) {
  ++checks;
  if (!holds) throw new Error(`not so: ${what}`);
}
const quoted = (text) => JSON.stringify(text);
const read = (name) => fs.readFileSync(path.join(root, name), 'utf8');

// The section that is shown, as a selector; what it says.
const shownText = '[...document.querySelectorAll("main > section")].find((s) => !s.hidden).innerText';
const answerText = '[...document.querySelectorAll("main > section")].find((s) => !s.hidden)?.querySelector(".answer-box .answer").textContent';

async function openLink(browser, hash, options) {
  await browser.open(page + hash, options);
  await browser.until(`document.documentElement.dataset.answered && ${answerText}`);
}
// Waits until the answer holds `text`.
const says = (browser, text) => browser.until(`(${answerText}).includes(${quoted(text)})`, 30);
const type = (browser, selector, text) => browser.evaluate(`(() => {
  const input = document.querySelector(${quoted(selector)});
  input.value = ${quoted(text)};
  input.dispatchEvent(new Event('input', {bubbles: true}));
})()`);
const click = (browser, selector) => browser.evaluate(`document.querySelector(${quoted(selector)}).click()`);
const key = async (browser, name) => {
  for (const type of ['keyDown', 'keyUp']) await browser.send('Input.dispatchKeyEvent', {type, key: name, code: name});
};

const tests = {
  async 'every old link opens on its answer'(browser) {
    for (const line of fs.readFileSync(path.join(__dirname, 'links.txt'), 'utf8').split('\n')) {
      if (line === '' || line.startsWith('//')) continue;
      const [hash, text] = line.split('\t');
      await openLink(browser, hash);
      await says(browser, text);
      check(true, hash);
    }
  },

  async 'a paste is explained, and its next question is a button'(browser) {
    await openLink(browser, '');
    check(await browser.evaluate('document.activeElement.id') === 'paste', 'the paste box has the focus');
    await type(browser, '#paste', read('tests/pasted/mixed-bar-fault.txt'));
    await says(browser, '2. line 8, kvm-unsupported-fsc');
    await browser.screenshot(path.join(pictures, '1-explain.png'));
    await click(browser, '.next .ask');
    await browser.until('document.getElementById("tab-decide").getAttribute("aria-selected") === "true"');
    await says(browser, 'vfio-pci-bar, write: map Device-nGnRE');
  },

  async 'bits flip, and the answer follows'(browser) {
    await openLink(browser, '#v=1&q=vmsa+decode+pte+0x400000000007d7');
    await says(browser, 'Normal-NC');
    check(await browser.evaluate('document.querySelectorAll(".bit").length') === 64, '64 cells');
    await click(browser, '[data-bit="54"]');
    await says(browser, '0x7d7');
    check((await browser.evaluate('document.getElementById("line").value')) === 'vmsa decode pte 0x7d7', 'the command line');
    await browser.until('document.querySelectorAll("#section-bits .card").length === 4');
    await browser.evaluate('document.querySelector("[data-bit=\\"2\\"]").focus()');
    check((await browser.evaluate(shownText)).includes('MemAttr [5:2]'), 'the field under the focus');
    await key(browser, 'ArrowLeft');
    check(await browser.evaluate('document.activeElement.dataset.bit') === '3', 'arrow keys go through bits');
    await browser.screenshot(path.join(pictures, '2-bits.png'));
  },

  async 'a cell of the grid tells its steps'(browser) {
    await openLink(browser, '#v=1&q=vmsa+combine+--table');
    await browser.until('document.querySelectorAll("#section-grid td").length >= 100');
    await click(browser, '#section-grid tbody tr:nth-child(6) td:last-child button');
    await says(browser, 'Normal-WB under stage 2 MemAttr 0b0101: Normal-NC');
    await browser.screenshot(path.join(pictures, '3-grid.png'));
  },

  async 'the kernel slider decides anew'(browser) {
    await openLink(browser, '#v=1&q=vmsa+decide+--kvm+6.17+--cpu+neoverse-v2+--backing+vfio-pci-bar+--access+write');
    await says(browser, 'map Normal-NC');
    await browser.evaluate(`(() => { const s = document.querySelector('#section-decide input[type=range]');
      s.value = '4'; s.dispatchEvent(new Event('input')); })()`);
    await says(browser, 'linux-6.8 (to 6.8)');
    check((await browser.evaluate('location.hash')).includes('--kvm+6.8+'), 'the address follows');
    await browser.screenshot(path.join(pictures, '4-decide.png'));
  },

  async 'a repair is applied and explored again'(browser) {
    await openLink(browser, '#v=1&q=vmsa+coherency+seed');
    await says(browser, 'seed: violation: stale-read');
    await browser.until('document.querySelector("#sequence img")?.complete');
    await browser.until('document.querySelectorAll(".repair").length === 3');
    await browser.evaluate('document.querySelector(".steps").focus()');
    await key(browser, 'ArrowDown');
    check(await browser.evaluate('document.querySelector(".steps tr.now td").textContent') === '2', 'arrow keys go through steps');
    await browser.evaluate('window.scrollTo(0, 0)');
    await browser.screenshot(path.join(pictures, '5-coherency.png'));
    await click(browser, '.repair');
    await says(browser, ': coherent: no interleaving breaks it');
    check((await browser.evaluate('document.getElementById("scenario").value')).includes('"dc civac line", "dsb", "signal doorbell"'),
          'the scenario holds the repair');
    check(/&s=[\w-]+$/.test(await browser.evaluate('location.hash')), 'the link holds the scenario');
  },

  async 'a DMA has its boxes'(browser) {
    await openLink(browser, '#v=1&q=vmsa+decide+--kvm+6.17+--cpu+neoverse-v2+--backing+anonymous+--access+write+--dma+coherent+--no-snoop+on');
    await browser.until('document.querySelectorAll(".chain li").length === 6');
    check((await browser.evaluate('document.querySelector(".chain").innerText')).includes('No_Snoop'), 'the step of No_Snoop');
    await browser.screenshot(path.join(pictures, '6-dma.png'));
  },

  async 'a dump is drawn'(browser) {
    await openLink(browser, '#v=1&q=vmsa+--version');
    await click(browser, '#tab-dump');
    await browser.until('document.querySelector("#dump-file")');
    const {root: {nodeId}} = await browser.send('DOM.getDocument');
    const give = async (selector, file) => browser.send('DOM.setFileInputFiles', {files: [path.join(root, file)],
      nodeId: (await browser.send('DOM.querySelector', {nodeId, selector})).nodeId});
    await give('#dump-registers', 'tests/dumps/n1/registers.json');
    await give('#dump-file', 'tests/dumps/n1/tables.elf.gz');
    await browser.until('document.querySelector("#section-dump img")?.complete');
    await says(browser, 'ipa first');
    await browser.screenshot(path.join(pictures, '7-dump.png'));
  },

  async 'hostile text stays text'(browser) {
    const hostile = '<img src=x onerror=alert(1)><script>alert(2)</script>';
    await openLink(browser, '');
    await type(browser, '#paste', `vfio-pci 0000:01:00.0: ${hostile} BAR 2: assigned [mem 0x661002000000-0x661003ffffff 64bit pref]\n`);
    await says(browser, 'BAR 2');
    const toml = read('tests/scenarios/seed.toml').replace(/^title = .*$/m, `title = "${hostile}"`);
    const packed = zlib.deflateRawSync(Buffer.from(toml)).toString('base64url');
    await openLink(browser, `#v=1&q=vmsa+coherency+-&s=${packed}`);
    await says(browser, hostile);
    await openLink(browser, `#v=1&q=vmsa+${encodeURIComponent(`'${hostile}'`)}`);
    await says(browser, 'no subcommand');
    check(await browser.evaluate('document.querySelectorAll("main img[src=x], main script, [onerror]").length') === 0, 'no markup');
    check(await browser.evaluate('[...document.querySelectorAll("*")].every((e) => [...e.attributes].every((a) => !a.name.startsWith("on")))'),
          'no inline event handlers');
  },

  async 'long work is stopped by its button'(browser) {
    const toml = read('tests/long_exploration.toml');
    const packed = zlib.deflateRawSync(Buffer.from(toml)).toString('base64url');
    await browser.open(`${page}#v=1&q=vmsa+coherency+-+--no-projection+--no-symmetry+--no-repair&s=${packed}`);
    await browser.until('/states/.test(document.querySelector("#section-coherency .status")?.textContent)');
    await click(browser, '#section-coherency .stop');
    await browser.until('document.querySelector("#section-coherency .status").textContent === "stopped"');
    await click(browser, '#tab-bits');
    await says(browser, 'Normal-NC');
  },

  async 'it is usable at 360 pixels, light and dark'(browser) {
    for (const [name, hash] of [['bits', '#v=1&q=vmsa+decode+pte+0x400000000007d7'], ['coherency', '#v=1&q=vmsa+coherency+seed']]) {
      await openLink(browser, hash, {width: 360, height: 740, dark: true});
      await browser.until('document.querySelectorAll("#section-bits .card, #sequence img").length > 0');
      check(await browser.evaluate('document.documentElement.scrollWidth <= 360'), `${name} fits into 360 pixels`);
      await browser.screenshot(path.join(pictures, `360-dark-${name}.png`));
    }
  },

  async 'every other command prints its answer'(browser) {
    await openLink(browser, '#v=1&q=vmsa+translate+--help');
    await says(browser, 'vmsa translate');
    check(await browser.evaluate('document.getElementById("tab-command").getAttribute("aria-selected")') === 'true', 'its section');
    await browser.screenshot(path.join(pictures, '8-command.png'));
  },

  async 'an answer is copied as text, markdown, JSON and link'(browser) {
    await openLink(browser, '#v=1&q=vmsa+decode+pte+0x7d7');
    // The clipboard itself is the browser's, and headless there is none.
    await browser.evaluate('globalThis.copies = []; navigator.clipboard.writeText = async (text) => { copies.push(text); }');
    for (let i = 1; i <= 4; ++i) {
      await click(browser, `#section-bits .copies button:nth-child(${i})`);
      await browser.until(`copies.length === ${i}`);
    }
    const [text, markdown, json, link] = await browser.evaluate('copies');
    const answer = await browser.evaluate(answerText);
    check(text === `$ vmsa decode pte 0x7d7\n${answer}`, 'the text');
    check(markdown.includes(answer) || /^#|^\|/m.test(markdown), 'markdown');
    check(typeof JSON.parse(json) === 'object', 'JSON');
    check(link === `${page}#v=1&q=vmsa+decode+pte+0x7d7`, 'the link');
  },

  async 'the page that is downloaded answers too'(browser) {
    await openLink(browser, '#v=1&q=vmsa+decode+pte+0x7d7');
    await browser.evaluate(`(() => {
      const make = URL.createObjectURL;
      URL.createObjectURL = (blob) => { globalThis.downloaded = blob.text(); return make.call(URL, blob); };
      HTMLAnchorElement.prototype.click = () => {};  // without a file chooser
    })()`);
    await click(browser, '#download');
    fs.writeFileSync(new URL(downloaded), await browser.evaluate('downloaded'));
    await browser.open(`${downloaded}#v=1&q=vmsa+coherency+seed`);
    await browser.until(`(${answerText})?.includes('seed: violation: stale-read')`);
    check(true, 'its answer');
  },

  async 'whatever takes input has a name'(browser) {
    await openLink(browser, '');
    for (const tab of ['bits', 'grid', 'decide', 'dma', 'coherency', 'dump', 'command']) await click(browser, `#tab-${tab}`);
    await browser.until('document.querySelectorAll("main > section").length === 8');
    const nameless = await browser.evaluate(`[...document.querySelectorAll('input, select, textarea, button, img')].filter((e) =>
      !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim() || e.alt)).map((e) => e.outerHTML.slice(0, 80))`);
    check(nameless.length === 0, nameless.join('\n'));
  },
};

async function main() {
  fs.mkdirSync(pictures, {recursive: true});
  const browser = new Browser(program);
  let failed = 0;
  try {
    const why = await browser.whyNotStarted();
    if (why !== undefined) {
      console.log(`skipped: web.page: ${program} does not start: ${why}`);
      process.exitCode = 77;
      return;
    }
    await openLink(browser, '#v=1&q=vmsa+coherency+seed');
    const first = await browser.evaluate('performance.now()');  // since the page began to open
    console.log(`measured: first answer within ${first.toFixed(0)} ms of opening`);
    // Without the right one nothing below would come, each after its own wait.
    await says(browser, 'seed: violation: stale-read');
    const warm = await browser.evaluate(`(async () => {
      const times = [];
      for (let i = 0; i < 21; ++i) {
        const begin = performance.now();
        await runVmsa(['coherency', 'seed']);
        times.push(performance.now() - begin);
      }
      return times.slice(10).sort((a, b) => a - b)[5];
    })()`);
    console.log(`measured: coherency seed ${warm.toFixed(1)} ms warm, median of 11 after 10`);
    for (const [name, test] of Object.entries(tests)) {
      try {
        await test(browser);
        console.log(`ok   ${name}`);
      } catch (failure) {
        ++failed;
        console.log(`FAIL ${name}: ${failure.message}`);
        await browser.screenshot(path.join(pictures, 'failed.png')).catch(() => {});
      }
    }
    const complaints = browser.complaints([page, downloaded]);
    for (const c of complaints) console.log(`COMPLAINT ${c}`);
    if (failed !== 0 || complaints.length !== 0 || checks < 20) process.exitCode = 1;
    console.log(`${Object.keys(tests).length} tests, ${checks} checks, ${failed} failed, ${complaints.length} complaints`);
  } finally {
    await browser.close();
  }
}
main().catch((failure) => { console.error(failure); process.exitCode = 1; });
