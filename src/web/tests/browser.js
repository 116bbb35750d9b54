// SPDX-License-Identifier: MIT
// Headless Chromium, driven through the DevTools protocol over two pipes: --remote-debugging-pipe needs no library. Messages
// are JSON, each ended by a zero byte.
'use strict';
const {spawn} = require('child_process');
const fs = require('fs');
const os = require('os');
const path = require('path');

class Browser {
  constructor(program) {
    this.profile = fs.mkdtempSync(path.join(os.tmpdir(), 'vmsa-page-'));
    // Chromium refuses its sandbox to root, which a container's user often is; nothing but our own page is opened.
    const sandbox = process.getuid() === 0 ? ['--no-sandbox'] : [];
    this.process = spawn(program, ['--headless=new', ...sandbox, '--disable-dev-shm-usage', '--disable-gpu', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync', '--remote-debugging-pipe',
      `--user-data-dir=${this.profile}`, 'about:blank'],
      {stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'], env: {...process.env, HOME: this.profile}});
    this.waiting = new Map();
    this.events = [];
    this.sent = 0;
    let rest = '';
    this.process.stdio[4].on('data', (chunk) => {
      const parts = (rest + chunk).split('\0');
      rest = parts.pop();
      for (const part of parts) this.take(JSON.parse(part));
    });
    this.said = '';
    this.process.stderr.on('data', (chunk) => { this.said = (this.said + chunk).slice(-2000); });
    this.process.stdio[3].on('error', () => {});  // it has ended, which the next lines see
    this.ended = new Promise((resolve) => {
      this.process.on('exit', (code, signal) => resolve(code ?? signal));
      this.process.on('error', (failure) => resolve(failure.message));
    });
    this.ended.then((code) => {
      this.over = true;
      for (const {reject} of this.waiting.values()) reject(new Error(`the browser ended with ${code}`));
    });
  }

  take(message) {
    if (message.id === undefined) {
      this.events.push(message);
      return;
    }
    const {resolve, reject} = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.error !== undefined) reject(new Error(message.error.message));
    else resolve(message.result);
  }

  send(method, params = {}) {
    return new Promise((resolve, reject) => {
      if (this.over) reject(new Error('the browser has ended'));
      const id = ++this.sent;
      setTimeout(() => reject(new Error(`no answer to ${method} within 90 s`)), 90000).unref();
      this.waiting.set(id, {resolve, reject});
      this.process.stdio[3].write(JSON.stringify({id, method, params, sessionId: this.session}) + '\0');
    });
  }

  // Undefined once the browser answers; why it does not, where it ends instead.
  async whyNotStarted() {
    try {
      await this.send('Browser.getVersion');
      return undefined;
    } catch (failure) {
      return [failure.message, this.said.trim().split('\n').at(-1)].filter((part) => part !== '').join(': ');
    }
  }

  // A tab of its own at `address`, `width` by `height`.
  async open(address, {width = 1200, height = 900, dark = false} = {}) {
    this.session = undefined;
    const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'});
    const {sessionId} = await this.send('Target.attachToTarget', {targetId, flatten: true});
    this.session = sessionId;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await this.send(`${domain}.enable`);
    await this.send('Emulation.setDeviceMetricsOverride', {width, height, deviceScaleFactor: 1, mobile: width < 500});
    await this.send('Emulation.setEmulatedMedia', {features: [{name: 'prefers-color-scheme', value: dark ? 'dark' : 'light'}]});
    await this.send('Page.navigate', {url: address});
  }

  async evaluate(expression) {
    const got = await this.send('Runtime.evaluate', {expression, awaitPromise: true, returnByValue: true, userGesture: true});
    if (got.exceptionDetails !== undefined)
      throw new Error(got.exceptionDetails.exception?.description ?? got.exceptionDetails.text);
    return got.result.value;
  }

  // Until the expression holds. `seconds` are generous: machines that test are slow.
  async until(expression, seconds = 60) {
    const end = Date.now() + seconds * 1000;
    while (Date.now() < end) {
      if (await this.evaluate(`Boolean(${expression})`).catch(() => false)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`not within ${seconds} s: ${expression}`);
  }

  async screenshot(file) {
    const {data} = await this.send('Page.captureScreenshot', {format: 'png'});
    fs.writeFileSync(file, Buffer.from(data, 'base64'));
  }

  // What nobody may see: errors and warnings on the console, exceptions, and requests but for the pages
  // themselves and what they make of their own bytes.
  complaints(pages) {
    return this.events.flatMap(({method, params}) => {
      if (method === 'Runtime.exceptionThrown') return [`exception: ${params.exceptionDetails.exception?.description}`];
      if (method === 'Runtime.consoleAPICalled') return [`console: ${JSON.stringify(params.args)}`];
      if (method === 'Log.entryAdded') return [`log: ${params.entry.text}`];
      if (method === 'Network.requestWillBeSent') {
        const {url} = params.request;
        return pages.includes(url.split('#')[0]) || /^(blob|data|about):/.test(url) ? [] : [`request: ${url}`];
      }
      return [];
    });
  }

  async close() {
    this.session = undefined;
    await this.send('Browser.close').catch(() => {});
    await this.ended;
    fs.rmSync(this.profile, {recursive: true, force: true, maxRetries: 5});
  }
}

module.exports = {Browser};
