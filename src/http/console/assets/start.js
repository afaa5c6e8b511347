// A flow is checked and drawn while it is written.

import { ask } from './actions.js';

const form = document.getElementById('start');
const flow = document.getElementById('flow');
const input = document.getElementById('input');
const refused = document.getElementById('refused');
let timer = null;
let asked = 0;

async function check() {
  const number = ++asked;
  const answer = await fetch('/console/start/check', { method: 'POST', body: flow.value, headers: { 'content-type': 'text/plain' } }).catch(() => null);
  if (!answer?.ok || number !== asked) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const fresh = page.getElementById('checked');
  if (fresh) document.getElementById('checked').replaceWith(document.importNode(fresh, true));
}

flow.addEventListener('input', () => {
  clearTimeout(timer);
  timer = setTimeout(check, 180);
});
if (flow.value.trim()) check();

document.getElementById('file').addEventListener('change', async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  flow.value = await file.text();
  check();
});

document.getElementById('offered')?.addEventListener('change', async (event) => {
  const name = event.target.value;
  const answer = name && await fetch(`/flows/${encodeURIComponent(name)}`).catch(() => null);
  if (!answer?.ok) return;
  flow.value = await answer.text();
  check();
});

// To the place in the text.
document.addEventListener('click', (event) => {
  const to = event.target.closest('[data-line]');
  if (!to) return;
  const lines = flow.value.split('\n').slice(0, Number(to.dataset.line) - 1);
  const at = lines.reduce((sum, line) => sum + line.length + 1, 0) + Number(to.dataset.column) - 1;
  flow.focus();
  flow.setSelectionRange(at, at + 1);
});

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  refused.textContent = '';
  refused.dataset.state = 'bad';
  const body = { workflow: flow.value };
  try {
    if (input.value.trim()) body.input = JSON.parse(input.value);
  } catch (error) {
    refused.textContent = `The input is no JSON: ${error.message}`;
    input.focus();
    return;
  }
  try {
    const answer = await ask('POST', '/workflows/start', JSON.stringify(body));
    location.assign(`/console/workflows/${encodeURIComponent(answer.workflow.replace(/^workflow:/, ''))}`);
  } catch (error) {
    refused.textContent = error.message;
    check();
  }
});

// Ctrl+Enter starts it.
form.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
