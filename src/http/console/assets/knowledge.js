// Keys and their values, live.

import { ask, confirmed } from './actions.js';
import { clock, exact, listen, prepend, text } from './live.js';
import { refresh } from './regions.js';

const table = document.getElementById('keys');
const form = document.getElementById('edit');
const key = document.getElementById('key');
const value = document.getElementById('value');
const output = form.querySelector('output');
const changes = document.getElementById('changes');
const path = (name) => `/knowledge/keys/${encodeURIComponent(name)}`;

function say(words, isBad) {
  output.dataset.state = isBad ? 'bad' : 'good';
  output.textContent = words;
}

async function open(name) {
  key.value = name;
  say('', false);
  try {
    const answer = await ask('GET', path(name));
    kind = answer.kind;
    value.value = JSON.stringify(answer.value, null, 2);
    value.defaultValue = value.value;
  } catch (error) {
    value.value = '';
    say(error.message, true);
  }
}

table.addEventListener('click', (event) => {
  const button = event.target.closest('[data-open]');
  if (!button) return;
  open(decodeURIComponent(button.dataset.open));
  (matchMedia('(max-width: 860px)').matches ? document.getElementById('editor') : value).scrollIntoView({ block: 'nearest' });
  value.focus({ preventScroll: true });
});

// The address of the request has the key that is written.
form.addEventListener('submit', () => {
  form.dataset.action = `PUT ${path(key.value)}`;
  if (kind === 'string') delete form.dataset.confirm;
  else form.dataset.confirm = `${key.value} is a ${kind}: shall it become a single value?`;
}, { capture: true });
form.dataset.action = 'PUT ';
key.addEventListener('input', () => { kind = 'string'; });

document.getElementById('delete').addEventListener('click', async () => {
  if (!key.value || !(await confirmed(`Delete ${key.value}?`))) return;
  try {
    await ask('DELETE', path(key.value));
    say('Deleted', false);
    refresh();
  } catch (error) {
    say(error.message, true);
  }
});

let kind = 'string';
let timer = null;
function changed(_, event) {
  const change = exact(event.data);
  const name = change.key;
  const line = text('', 'span');
  line.append(text(name, 'span', 'mono'), ' ', text(change.operation, 'span', 'soft'));
  for (const part of [change.field, change.new]) {
    if (part !== null && part !== undefined) line.append(' ', text(JSON.stringify(part).slice(0, 300), 'span', 'mono'));
  }
  prepend(changes, [clock(), line], 60);
  pending.add(name);
  timer ??= setTimeout(async () => {
    timer = null;
    const names = [...pending];
    pending.clear();
    await refresh();
    for (const one of names) {
      const row = document.getElementById(`key-${one}`);
      row?.classList.remove('flash');
      requestAnimationFrame(() => row?.classList.add('flash'));
    }
  }, 200);
}
const pending = new Set();
listen(`/knowledge/stream?pattern=${encodeURIComponent(table.dataset.pattern)}`, { message: changed, missed: () => refresh(), interrupted: () => refresh(), opened: () => refresh() });
