// The picture of loops, live, and the panel of one element.

import { listen, often, prepend, text } from './live.js';
import { part, refresh } from './regions.js';
import './picture.js';

const split = document.getElementById('split');
const panel = document.getElementById('panel');
const map = document.getElementById('map');

const number = (count) => String(count).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
const some = (count) => (count > 0 ? number(count) : '');
function rate(per) {
  if (per < 0.005) return '0/s';
  if (per < 1) return `${per.toFixed(2)}/s`;
  if (per < 100) return `${per.toFixed(1)}/s`;
  if (per < 1000) return `${per.toFixed(0)}/s`;
  return per < 1e6 ? `${(per / 1e3).toFixed(1)}k/s` : `${(per / 1e6).toFixed(1)}M/s`;
}

// Nodes of the picture, found once for each wiring.
let boxes = new Map();
let links = new Map();
function find() {
  boxes = new Map();
  links = new Map();
  for (const box of map?.querySelectorAll('[data-path]') ?? []) {
    const of = (name) => box.querySelector(name);
    boxes.set(box.dataset.path, {
      box, rate: of('.rate').firstChild ?? of('.rate').appendChild(document.createTextNode('')),
      queued: of('.queued'), dropped: of('.dropped'), errors: of('.errors'), fill: of('.fill'), wide: Number(of('.body').getAttribute('width')) - 12,
    });
  }
  for (const link of map?.querySelectorAll('[data-link]') ?? []) {
    links.set(link.dataset.link, { link, label: link.querySelector('text'), to: null });
  }
  const shown = panel?.querySelector('[data-element]')?.dataset.element;
  if (shown) boxes.get(shown)?.box.classList.add('chosen');
}
find();

const set = (node, words) => { if (node && node.textContent !== words) node.textContent = words; };
const widen = (node, width) => { if (node && Number(node.getAttribute('width')) !== Number(width)) node.setAttribute('width', width); };

function count(changed) {
  const fills = new Map();
  for (const [path, now] of Object.entries(changed)) {
    const known = boxes.get(path);
    if (known) {
      if (now.state !== undefined && known.box.dataset.state !== now.state) known.box.dataset.state = now.state;
      if (now.received_per_second !== undefined || now.emitted_per_second !== undefined) {
        const words = rate(Math.max(now.received_per_second ?? 0, now.emitted_per_second ?? 0));
        if (known.rate.nodeValue !== words) known.rate.nodeValue = words;
      }
      if (now.queued !== undefined) set(known.queued, some(now.queued));
      if (now.dropped !== undefined) known.given = now.dropped;
      if (now.errors !== undefined) set(known.errors, some(now.errors));
    }
    for (const [id, link] of Object.entries(now.links ?? {})) {
      const shown = links.get(`${path} ${id}`);
      if (shown) {
        if (now.emitted_per_second !== undefined) shown.link.classList.toggle('flowing', now.emitted_per_second > 0);
        set(shown.label, some(link.queued));
        // A link that holds only the newest item drops by design.
        if (shown.link.dataset.newest === 'true') shown.meant = link.dropped;
        else shown.link.classList.toggle('dropping', link.dropped > 0);
        const to = shown.link.dataset.to;
        const fill = Math.min(1, link.queued / Math.max(1, link.capacity));
        fills.set(to, Math.max(fills.get(to) ?? 0, fill));
      }
    }
    detail(path, now);
  }
  lost();
  for (const [path, fill] of fills) {
    const known = boxes.get(path);
    if (known) widen(known.fill, (fill * known.wide).toFixed(1));
  }
}

// What elements have lost that was not meant to be.
function lost() {
  const meant = new Map();
  for (const one of links.values()) {
    if (one.meant) meant.set(one.link.dataset.to, (meant.get(one.link.dataset.to) ?? 0) + one.meant);
  }
  for (const [path, known] of boxes) {
    if (known.given !== undefined) set(known.dropped, some(known.given - (meant.get(path) ?? 0)));
  }
}

// The numbers of the element that is looked at.
function detail(path, now) {
  const article = document.querySelector(`[data-element="${CSS.escape(path)}"]`);
  if (!article) return;
  for (const [key, value] of Object.entries(now)) {
    const node = article.querySelector(`[data-counter="${CSS.escape(key)}"]`);
    if (!node) continue;
    set(node, key.endsWith('per_second') ? rate(value) : number(value));
    if (key === 'errors' || key === 'dropped') node.classList.toggle('bad', value > 0);
  }
  for (const [id, link] of Object.entries(now.links ?? {})) {
    set(article.querySelector(`[data-queued="${CSS.escape(id)}"]`), `${link.queued} / ${link.capacity}`);
    set(article.querySelector(`[data-dropped="${CSS.escape(id)}"]`), link.dropped > 0 ? `${link.dropped} dropped` : '');
    const fill = Math.min(100, Math.floor((link.queued * 100) / Math.max(1, link.capacity)));
    widen(article.querySelector(`[data-fill="${CSS.escape(id)}"]`), fill);
  }
}

const again = often(400, () => {
  const article = panel?.querySelector('[data-element]');
  refresh();
  if (article) refresh(panel, article.dataset.source);
});

// Whether the picture shows what there is.
function isAsDrawn(levels) {
  const isDrawn = (one) => map.dataset.engine === 'true' || !['tasks', 'workflows'].includes(one.uid);
  const loops = levels.flatMap((level) => level.loops).filter(isDrawn);
  const elements = loops.flatMap((one) => one.elements);
  const drawn = elements.flatMap((one) => one.output.links.filter((link) => boxes.has(link.to)).map((link) => [`${one.path} ${link.id}`, link.to]));
  return map.querySelectorAll('.loop').length === loops.length
    && elements.length === boxes.size && elements.every((one) => boxes.has(one.path))
    && drawn.length === links.size && drawn.every(([key, to]) => links.get(key)?.link.dataset.to === to);
}

function whole(topology) {
  if (map && !isAsDrawn(topology.levels)) return again();
  const now = {};
  for (const one of topology.levels.flatMap((level) => level.loops).flatMap((each) => each.elements)) {
    const fills = {};
    for (const link of one.output.links) fills[link.id] = link.stats;
    now[one.path] = {
      state: one.state, received: one.input.received, emitted: one.output.emitted, queued: one.input.queued, dropped: one.input.dropped,
      skipped: one.input.skipped, errors: one.errors, received_per_second: one.received_per_second, emitted_per_second: one.emitted_per_second, links: fills,
    };
  }
  count(now);
  if (!map) again();
}

listen('/topology/stream', {
  topology: whole,
  counters: count,
  event: (event) => { if (event.kind === 'state' || event.kind === 'parameter') again(); },
});
document.addEventListener('mape:refreshed', (event) => { if (event.detail === document) find(); });

// The panel.
let endTap = null;
let opener = null;

async function open(address, from) {
  let article;
  try {
    article = await part(address, 'element');
  } catch {
    return;
  }
  article.dataset.source = address;
  if (!panel.contains(document.activeElement)) opener = from ?? document.activeElement;
  const close = text('×', 'button', 'quiet icon close');
  close.setAttribute('aria-label', 'Close the details');
  close.addEventListener('click', shut);
  panel.replaceChildren(close, article);
  panel.hidden = false;
  split.classList.add('open');
  for (const { box } of boxes.values()) box.classList.remove('chosen');
  boxes.get(article.dataset.element)?.box.classList.add('chosen');
  history.replaceState(null, '', `#${article.dataset.element}`);
  panel.focus({ preventScroll: true });
  if (matchMedia('(max-width: 1080px)').matches) panel.scrollIntoView({ block: 'start' });
  tap(article);
}

function shut() {
  endTap?.();
  endTap = null;
  panel.hidden = true;
  panel.replaceChildren();
  split.classList.remove('open');
  for (const { box } of boxes.values()) box.classList.remove('chosen');
  history.replaceState(null, '', location.pathname);
  opener?.focus();
}

if (panel) {
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a.box, #panel a[data-panel], a.chip[data-panel]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(link.getAttribute('href'), link);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !panel.hidden && !document.querySelector('dialog')) shut();
  });
  const asked = decodeURIComponent(location.hash.slice(1));
  const known = [...document.querySelectorAll('a.chip[data-element-path]')].find((one) => one.dataset.elementPath === asked);
  if (known) open(known.getAttribute('href'));
} else {
  tap(document.getElementById('element'));
}

// What passes a port.
function tap(article) {
  endTap?.();
  const frame = article?.querySelector('#tap');
  if (!frame) return;
  const list = frame.querySelector('.values');
  const port = frame.querySelector('select');
  const hold = frame.querySelector('#tap-pause');
  const told = frame.querySelector('#tap-count');
  let seen = 0;
  let waiting = [];
  let timer = null;
  const draw = () => {
    timer = null;
    for (const { words, isBad } of waiting) prepend(list, [text(words, 'span', isBad ? 'bad' : '')], 30);
    waiting = [];
    set(told, `${number(seen)} since you look`);
  };
  const see = (isBad) => (_, event) => {
    seen += 1;
    if (hold.getAttribute('aria-pressed') === 'true') return;
    waiting.push({ words: event.data.slice(0, 2000), isBad });
    if (waiting.length > 30) waiting.shift();
    timer ??= setTimeout(draw, 100);
  };
  const start = () => {
    endTap?.();
    seen = 0;
    list.replaceChildren();
    set(told, 'nothing yet');
    endTap = listen(`${frame.dataset.tap}?port=${port.value}`, { message: see(false), missed: see(true) });
  };
  port.addEventListener('change', start);
  hold.addEventListener('click', () => {
    const is = hold.getAttribute('aria-pressed') !== 'true';
    hold.setAttribute('aria-pressed', String(is));
    hold.textContent = is ? 'Go on' : 'Hold';
  });
  start();
}
