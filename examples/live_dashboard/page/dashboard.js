// The dashboard: what is asked for, and where what comes is shown.

import { asked, lines } from './lines.js';
import { Connection } from './socket.js';
import { clock, line, short, summary } from './shown.js';

const JOBS = [
  { title: 'Load', name: 'reading', input: { id: 'load' }, source: 'readings' },
  { title: 'Memory', name: 'reading', input: { id: 'memory' }, source: 'readings' },
  { title: 'Processors', name: 'processors', input: {}, source: 'processors' },
  { title: 'Network', name: 'network', input: {}, source: 'network' },
  { title: 'Threads', name: 'reading', input: { id: 'tasks' }, source: 'readings' },
  { title: 'Open files', name: 'reading', input: { id: 'files' }, source: 'readings' },
  { title: 'Sockets', name: 'reading', input: { id: 'sockets' }, source: 'readings' },
  { title: 'Disk', name: 'disk', input: {}, source: 'disk' },
  { title: 'Program', name: 'reading', input: { id: 'own_memory' }, source: 'readings' },
  { title: 'Switches', name: 'reading', input: { id: 'switches' }, source: 'readings' },
  { title: 'Uptime', name: 'reading', input: { id: 'uptime' }, source: 'readings' },
  { title: 'Four parts', name: 'parts', input: { job: 'four', parts: 4, dt: 300 }, source: 'parts' },
];
const WORDS = { in_order: 'In order', parallel: 'In parallel', batched: 'Batched' };
const KEPT_RUNS = 3;
const KEPT_LINES = 200;

const $ = (id) => document.getElementById(id);
const tiles = JOBS.map(makeTile);
let run = null;
let kind = null;
let came = 0;

// --- tiles ------------------------------------------------------------------------------------------------------

function make(tag, attributes = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, value);
  }
  element.append(...inside);
  return element;
}

function makeTile({ title, name, input, source }) {
  const value = make('div', { class: 'value' }, '–');
  const wrong = make('p', { class: 'wrong' });
  const state = make('span');
  const count = make('span');
  const tile = make('article', { class: 'tile', 'data-source': source, 'data-state': 'none', 'data-job': input.id ?? name });
  tile.append(make('h3', {}, title, make('small', {}, source)), value, wrong, make('footer', {}, state, count));
  $('tiles').append(tile);
  return { tile, value, wrong, state, count, parts: 0, shares: [] };
}

function begin(it) {
  Object.assign(it, { parts: 0, shares: [], job: null });
  it.tile.dataset.state = 'waiting';
  it.wrong.textContent = '';
  it.count.textContent = '';
}

function fill(it, part, after) {
  it.parts += 1;
  it.tile.dataset.state = 'some';
  it.state.replaceChildren('after ', make('b', {}, short(after)));
  it.count.textContent = it.parts > 1 ? `part ${it.parts}` : '';
  if (part.error) {
    it.wrong.textContent = part.error;
    return;
  }
  it.wrong.textContent = '';
  const { number, unit, share } = summary(part);
  it.value.replaceChildren(make('span', {}, number), make('small', {}, unit));
  if (share !== undefined) {
    it.shares.push(share);
    const bars = it.shares.map((one) => {
      const bar = make('i');
      bar.style.setProperty('--of', Math.max(4, one));
      return bar;
    });
    it.value.append(make('div', { class: 'bars', 'aria-hidden': 'true' }, ...bars));
  }
  it.tile.classList.remove('came');
  void it.tile.offsetWidth;
  it.tile.classList.add('came');
}

function end(it, how) {
  it.tile.dataset.state = how;
  if (how === 'lost') it.state.textContent = 'broke off';
}

// --- runs -------------------------------------------------------------------------------------------------------

function newRun() {
  const strip = make('div', { class: 'strip' });
  const words = make('small');
  const row = make('li', {}, make('b', {}, WORDS[kind] ?? 'Otherwise'), strip, words);
  $('runs').prepend(row);
  while ($('runs').children.length > KEPT_RUNS) $('runs').lastElementChild.remove();
  return { strip, words, row, since: performance.now(), parts: [], calls: 0, jobs: new Map(), left: JOBS.length };
}

// All runs have the same scale, that of the longest.
function scale() {
  const rows = [...$('runs').children].map((row) => row.run).filter(Boolean);
  const longest = Math.max(1000, ...rows.map((one) => (one.ended ?? performance.now() - one.since) * 1.02));
  for (const one of rows) {
    one.strip.style.setProperty('--second', `${(100_000 / longest).toFixed(3)}%`);
    for (const { mark, after } of one.parts) mark.style.left = `${((100 * after) / longest).toFixed(3)}%`;
  }
}

function describe(one) {
  const took = one.ended ?? performance.now() - one.since;
  const calls = one.calls ? ` · ${one.calls} ${one.calls === 1 ? 'call' : 'calls'}` : '';
  one.words.textContent = `${one.parts.length} parts · ${short(took)}${calls}`;
}

async function ask() {
  await look();
  run?.aborting.abort();
  const mine = newRun();
  mine.row.run = mine;
  mine.aborting = new AbortController();
  run = mine;
  $('trouble').textContent = '';
  tiles.forEach(begin);
  const body = JSON.stringify(JOBS.map(({ name, input }) => ({ name, input })));
  const options = {
    method: 'POST', body, signal: mine.aborting.signal,
    headers: { 'Content-Type': 'application/json', Accept: 'application/x-ndjson' },
  };
  try {
    await lines('/live/jobs', options, (said) => mine === run && heard(mine, said));
  } catch (error) {
    if (mine !== run) return;
    $('trouble').textContent = error.status ? error.message : '';
  }
  if (mine !== run) return;
  mine.ended ??= performance.now() - mine.since;
  tiles.filter(({ tile }) => ['waiting', 'some'].includes(tile.dataset.state)).forEach((it) => end(it, 'lost'));
  mine.isLost = tiles.some(({ tile }) => tile.dataset.state === 'lost');
  describe(mine);
}

function heard(mine, said) {
  if (said.accepted) {
    const it = tiles[said.index];
    mine.jobs.set(said.job, it);
    return;
  }
  const it = mine.jobs.get(said.job);
  if (said.missed) missed(said.missed);
  if (!it) return;
  const after = performance.now() - mine.since;
  if (said.end) {
    end(it, it.wrong.textContent ? 'failed' : 'done');
    return;
  }
  fill(it, said, after);
  const mark = make('i', { 'data-source': it.tile.dataset.source, 'data-error': said.error ? '' : null });
  mine.strip.append(mark);
  mine.parts.push({ mark, after });
  mine.ended = tiles.every((one) => one.parts > 0) ? after : undefined;
  scale();
  describe(mine);
  note(it.tile.dataset.source, said, `+${short(after)}`);
}

setInterval(() => {
  if (!run || run.ended !== undefined && !tiles.some(({ tile }) => tile.dataset.state === 'waiting')) return;
  const waited = performance.now() - run.since;
  for (const it of tiles) {
    if (it.tile.dataset.state === 'waiting') it.state.textContent = `waiting ${short(waited)}`;
  }
  scale();
  describe(run);
}, 100);

$('ask').addEventListener('click', ask);

// --- pipelines --------------------------------------------------------------------------------------------------

function show(now) {
  kind = now;
  for (const button of $('pipelines').children) button.setAttribute('aria-pressed', button.dataset.kind === now);
}

// Which pipelines are in force, whoever has put them there.
async function look() {
  try {
    show((await (await asked('/dashboard/pipelines')).json()).kind);
  } catch { /* the connection says that */ }
}

async function switchTo(wanted) {
  $('trouble').textContent = '';
  try {
    const declared = await (await asked(`/dashboard/pipelines/${wanted}.json`)).text();
    await asked('/live/pipelines', { method: 'PUT', body: declared, headers: { 'Content-Type': 'application/json' } });
  } catch (error) {
    $('trouble').textContent = error.message;
    return;
  }
  show(wanted);
  if (connection.client) connection.say({ publish: { name: 'dashboard', data: { pipelines: wanted, by: connection.client } } });
  ask();
}

for (const button of $('pipelines').children) {
  button.addEventListener('click', () => switchTo(button.dataset.kind));
}

// --- what comes by itself ---------------------------------------------------------------------------------------

const curve = [];

function beat({ busy_percent: busy, late_us: late }) {
  $('busy').textContent = busy === null ? '–' : busy.toFixed(0);
  $('late').textContent = (late / 1000).toFixed(1);
  curve.push(busy ?? 0);
  if (curve.length > 60) curve.shift();
  const points = curve.map((one, at) => `${(240 - 4.07 * (curve.length - 1 - at)).toFixed(1)} ${(54 - one * 0.52).toFixed(1)}`);
  const path = points.length > 1 ? `M${points.join('L')}` : '';
  $('curve').querySelector('.line').setAttribute('d', path);
  $('curve').querySelector('.area').setAttribute('d', path && `${path}L240 56L${points[0].split(' ')[0]} 56Z`);
}

function called({ service, asked: path, status, took_ms: took }) {
  const wrong = status === 200 ? null : 'wrong';
  const shown = make('li', { 'data-source': service }, make('i', { class: 'dot' }), make('span', { class: wrong, title: path }, path), make('em', {}, `${status === 200 ? '' : `${status} `}${short(took)}`));
  $('calls').prepend(shown);
  while ($('calls').children.length > 6) $('calls').lastElementChild.remove();
  if (run && performance.now() - run.since < (run.ended ?? Infinity) + 700) {
    run.calls += 1;
    describe(run);
  }
}

function note(source, part, when = clock()) {
  put(line(source, part, when));
}

function tell(text) {
  put(make('li', {}, make('time', {}, clock()), make('span', { class: 'told' }, text)));
}

function put(row) {
  $('log').prepend(row);
  while ($('log').children.length > KEPT_LINES) $('log').lastElementChild.remove();
  came += 1;
  $('count').textContent = `${came} so far`;
}

let missedSoFar = 0;
function missed(count) {
  missedSoFar += count;
  $('missed').firstElementChild.textContent = missedSoFar;
  $('missed').dataset.some = '';
  tell(`${count} parts were missed: this page reads too slowly`);
}

// --- who else is there ------------------------------------------------------------------------------------------

const members = new Map();

function showMembers() {
  $('watchers').querySelector('b').textContent = Math.max(1, members.size);
  const rows = [...members.values()].map(({ client, name, info }) => {
    const who = name ?? info?.browser ?? 'somebody';
    const since = info?.since ? `since ${clock(new Date(info.since)).slice(0, 8)}` : '';
    return make('li', {}, client === connection.client ? `${who}, you ` : `${who} `, make('small', {}, since));
  });
  $('watchers').querySelector('ul').replaceChildren(...rows);
}

async function meet() {
  const answer = await (await asked('/live/groups/dashboard')).json();
  members.clear();
  for (const member of Array.isArray(answer) ? answer : answer.members) members.set(member.client, member);
  showMembers();
}

const connection = new Connection({
  state(state, words, client) {
    $('state').dataset.state = state;
    $('state').lastElementChild.textContent = words;
    if (state === 'live') {
      $('state').title = `as client ${client}`;
      meet();
      if (!run || run.isLost) ask();
    }
  },
  part(part) {
    if (part.name === 'dashboard') {
      if (part.data?.by !== connection.client && WORDS[part.data?.pipelines]) {
        show(part.data.pipelines);
        tell(`somebody else has switched the pipelines: ${WORDS[kind].toLowerCase()}`);
      }
      return;
    }
    if (part.name === 'pulse' && part.data) beat(part.data);
    if (part.name === 'calls' && part.data) called(part.data);
    note(part.name, part);
  },
  member({ member, joined }) {
    if (joined) members.set(member.client, member);
    else members.delete(member.client);
    showMembers();
    if (member.client !== connection.client) tell(joined ? 'somebody else watches, too' : 'somebody has left');
  },
  missed,
  back(away, recovered) {
    const words = recovered ? 'what was missed has come' : 'the server does not know any more what was missed';
    tell(`back after ${short(away)}: ${words}`);
    $('state').lastElementChild.textContent = recovered ? 'live, all caught up' : 'live, with a gap';
  },
  told: tell,
});

$('cut').addEventListener('click', () => connection.cut(3000));

// --- an interest ------------------------------------------------------------------------------------------------

let stated = null;

function holds(state, text) {
  $('holds').dataset.state = state;
  $('holds').textContent = text;
  $('withdraw').hidden = state !== 'holds';
  $('condition').setAttribute('aria-invalid', state === 'bad');
}

function withdraw(text = '') {
  stated?.aborting.abort();
  clearInterval(stated?.timer);
  stated = null;
  holds('none', text);
}

async function state(condition, seconds) {
  withdraw();
  $('matches').replaceChildren();
  const mine = { aborting: new AbortController(), until: seconds ? Date.now() + seconds * 1000 : Infinity, count: 0, since: null };
  stated = mine;
  const show = () => {
    const left = mine.until === Infinity ? 'as long as this page is open' : `for ${Math.max(0, Math.ceil((mine.until - Date.now()) / 1000))} s more`;
    holds('holds', `holds ${left}; ${mine.count} ${mine.count === 1 ? 'part has' : 'parts have'} come`);
  };
  const over = () => withdraw(`it is over; ${mine.count} ${mine.count === 1 ? 'part' : 'parts'} came`);
  const hear = (said) => {
    if (mine !== stated) return;
    if (said.position) mine.epoch = said.position.slice(0, said.position.lastIndexOf(':'));
    if (said.position && !mine.since) mine.since = said.position;
    if (said.expired) return over();
    if (said.missed) missed(said.missed);
    if (!said.name) return;
    if (said.offset) mine.since = `${mine.epoch}:${said.offset}`;
    mine.count += 1;
    $('matches').prepend(line(said.name, said, clock().slice(0, 8)));
    while ($('matches').children.length > 50) $('matches').lastElementChild.remove();
    show();
  };
  // Until it is over: again, and from where it was, when the connection is lost.
  while (mine === stated && Date.now() < mine.until) {
    const query = new URLSearchParams({ interest: condition });
    if (mine.until !== Infinity) query.set('lifetime', `${Math.max(1, Math.ceil(mine.until - Date.now()))}ms`);
    if (mine.since) query.set('since', mine.since);
    try {
      const options = { signal: mine.aborting.signal, headers: { Accept: 'application/x-ndjson' } };
      await lines(`/live/stream?${query}`, options, hear, () => {
        clearInterval(mine.timer);
        mine.timer = setInterval(show, 500);
        show();
      });
    } catch (error) {
      if (mine !== stated) return;
      if (error.status) {
        clearInterval(mine.timer);
        stated = null;
        holds('bad', error.message);
        return;
      }
    }
    if (mine === stated) await new Promise((done) => setTimeout(done, 700));
  }
  if (mine === stated) over();
}

$('interest').querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  state($('condition').value, Number($('lifetime').value));
});
$('withdraw').addEventListener('click', () => withdraw('withdrawn'));
$('other').addEventListener('click', () => lines('/joe@doe.com/5/400', {}, () => {}).catch(() => {}));
