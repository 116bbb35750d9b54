// SPDX-License-Identifier: MIT
// Sections 4 and 6: what a hypervisor decides, in two columns to compare, and the way of a device's access as boxes.
'use strict';

const decideKernels = '5.10 5.15 6.1 6.6 6.8 6.9 6.12 6.13 6.14 6.15 6.16 6.17 6.18 6.19 7.0 7.1 7.2 7.3'.split(' ');
const decideProcessors = ['neoverse-v2', 'neoverse-n1', 'neoverse-n2', 'neoverse-v1', 'cortex-a53', 'cortex-a72', 'cortex-a76',
  'cortex-x4', 'graviton4', 'grace', 'ampereone', 'apple-m1', 'a64fx', 'max'];
const decideBackings = ('anonymous memfd hugetlb-2m hugetlb-1g no-map vfio-pci-bar vfio-platform nvgrace-usemem nvgrace-resmem ' +
  'devm-generic devm-generic-mixedmap devm-coherent fs-dax p2pdma cxl pmem guest-memfd guest-memfd-no-mmap drm-wc-ram drm-vram ' +
  'pfnmap-wb-ram emulated-mmio rom dev-mem-bar pci-sysfs-resource').split(' ');
const decideTypes = ['', 'normal-wb', 'normal-wt', 'normal-nc', 'device-GRE', 'device-nGRE', 'device-nGnRE', 'device-nGnRnE'];

// The questions of one column; `words()` is its command line, `take(words)` sets it, and returns what it has no place for.
function decideForm(changed, withDma) {
  const slider = el('input', {type: 'range', min: '0', max: String(decideKernels.length - 1), value: '11', oninput: () => {
    setKernel(decideKernels[slider.value]);
    changed();
  }});
  const kernelText = el('b', {});
  let kernel = '6.17';
  const setKernel = (k) => {
    kernel = k;
    kernelText.textContent = k;
    slider.setAttribute('aria-valuetext', `Linux ${k}`);
    const at = decideKernels.indexOf(k);
    if (at >= 0) slider.value = String(at);
  };
  setKernel(kernel);
  const rows = {
    '--cpu': choice('processor', decideProcessors, 'neoverse-v2', changed),
    '--backing': choice('backing', decideBackings, 'vfio-pci-bar', changed),
    '--access': choice('access', ['read', 'write', 'exec'], 'write', changed),
    '--stage1': choice('guest type', decideTypes.map((t) => [t, t || 'the usual']), '', changed),
  };
  if (withDma) Object.assign(rows, {
    '--dma': choice('device', ['coherent', 'non-coherent', 'uncached', 'mmio'], 'coherent', changed),
    '--dma-user': choice('mapped by', ['type1', 'iommufd', 'nested'], 'type1', changed),
    '--smmu-s2fwb': choice('SMMU S2FWB', ['off', 'on'], 'off', changed),
    '--canwbs': choice('CANWBS', ['off', 'on'], 'off', changed),
    '--no-snoop': choice('No_Snoop', ['off', 'on'], 'off', changed),
  });
  let rest = [];
  return {
    box: el('fieldset', {class: 'form'}, el('label', {class: 'field wide'}, el('span', {}, 'Linux KVM ', kernelText), slider),
            Object.values(rows).map((r) => r.box)),
    input: slider,
    words: () => ['decide', '--kvm', kernel,
      ...Object.entries(rows).flatMap(([name, r]) => r.input.value === '' ? [] : [name, r.input.value]), ...rest],
    take(words) {
      rest = [];
      const absent = new Set(Object.keys(rows));
      for (let i = 1; i < words.length; ++i) {
        if (words[i] === '--kvm') setKernel(words[++i]);
        else if (rows[words[i]] !== undefined) absent.delete(words[i]), choose(rows[words[i]].input, words[++i]);
        else rest.push(words[i]);
      }
      for (const name of absent) choose(rows[name].input, name === '--cpu' || name === '--stage1' ? '' : rows[name].input.value);
    },
  };
}

sections.push({
  id: 'decide',
  title: 'Decide',
  takes: (words) => words[0] === 'decide' && !words.includes('--dma') && words.includes('--kvm') && words.includes('--backing'),
  make(host) {
    const answer = makeAnswer(host);
    const other = el('pre', {class: 'answer', tabindex: '0', 'aria-label': 'the answer for B', role: 'region'});
    const changes = el('ul', {class: 'changes'});
    const summary = el('p', {class: 'status', role: 'status', 'aria-live': 'polite'});
    const ask = settle(async () => {
      const [a, b, json] = await Promise.all([answer.show(first.words()), runVmsa(second.words()), askJson(first.words())]);
      if (a === undefined) return;
      other.textContent = b.out + b.err;
      const say = (text) => text.split('\n')[0].replace(/^[^:]*: /, '');
      summary.textContent = say(a.out) === say(b.out) ? 'A and B decide alike' : `A: ${say(a.out)}. B: ${say(b.out)}`;
      changes.replaceChildren(...(json?.what_if ?? []).map((w) =>
        el('li', {}, `${w.change}: ${w.outcome}${w.memory_type ? ' ' + w.memory_type : ''}${w.errno ? ' ' + w.errno : ''}`)));
    }, 60);
    const first = decideForm(ask), second = decideForm(ask);
    second.take(['decide', '--kvm', '6.8', '--cpu', 'neoverse-v2', '--backing', 'vfio-pci-bar', '--access', 'write']);
    return {
      box: el('div', {}, summary, el('div', {class: 'columns two'},
        el('section', {}, el('h3', {}, 'A'), first.box, el('h4', {}, 'what would change it'), changes, answer.box),
        el('section', {}, el('h3', {}, 'B'), second.box, other))),
      focus: () => first.input.focus(),
      async open(words) {
        if (words.length > 1) first.take(words);
        ask();
      },
    };
  },
});

sections.push({
  id: 'dma',
  title: 'DMA',
  takes: (words) => words[0] === 'decide' && words.includes('--dma') && words.includes('--kvm') && words.includes('--backing'),
  make(host) {
    const answer = makeAnswer(host);
    const chain = el('ol', {class: 'chain', 'aria-label': 'the way of a device\'s access'});
    const ask = settle(async () => {
      const [got, json] = await Promise.all([answer.show(form.words()), askJson(form.words())]);
      if (got === undefined) return;
      const dma = json?.dma;
      chain.replaceChildren(...(dma?.chain ?? []).map((s) => el('li', {class: 'card'},
        el('h3', {}, s.step),
        el('p', {}, `${s.attributes.memory_type ?? s.attributes.inner + '/' + s.attributes.outer}, ${s.attributes.sh}`),
        el('p', {class: 'hint'}, s.why))),
        dma ? el('li', {class: 'card verdict'}, el('h3', {}, dma.verdict), el('p', {class: 'hint'}, dma.why)) : '');
    }, 60);
    const form = decideForm(ask, true);
    form.take(['decide', '--kvm', '6.17', '--cpu', 'neoverse-v2', '--backing', 'anonymous', '--access', 'write']);
    return {
      box: el('div', {}, form.box, chain, answer.box),
      focus: () => form.input.focus(),
      async open(words) {
        if (words.length > 1) form.take(words);
        ask();
      },
    };
  },
});
