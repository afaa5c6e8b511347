// What is said on channels, as it is said.

import { clock, listen, prepend, text } from './live.js';

const messages = document.getElementById('messages');
const hold = document.getElementById('hold');
const told = document.getElementById('count');
const form = document.getElementById('publish');
const channel = document.getElementById('channel');
let seen = 0;
let waiting = [];
let timer = null;

function draw() {
  timer = null;
  for (const { when, name, words } of waiting) {
    const who = text(name, 'button', 'plain mono');
    who.type = 'button';
    who.addEventListener('click', () => { channel.value = name; document.getElementById('message').focus(); });
    prepend(messages, [clock(when), who, text(words, 'span', 'mono')], 200);
  }
  waiting = [];
  told.textContent = `${seen} since you look`;
}

function hear(message) {
  seen += 1;
  if (hold.getAttribute('aria-pressed') === 'true') return;
  const value = message?.value ?? message?.message ?? message?.payload ?? message;
  const words = (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 4000);
  waiting.push({ when: new Date(), name: String(message?.channel ?? ''), words });
  if (waiting.length > 200) waiting.shift();
  timer ??= setTimeout(draw, 100);
}

listen(`/channels/stream?pattern=${encodeURIComponent(messages.dataset.pattern)}`, { message: hear, missed: hear });

hold.addEventListener('click', () => {
  const is = hold.getAttribute('aria-pressed') !== 'true';
  hold.setAttribute('aria-pressed', String(is));
  hold.textContent = is ? 'Go on' : 'Hold';
});

form.dataset.action = 'POST ';
form.addEventListener('submit', () => { form.dataset.action = `POST /channels/${encodeURIComponent(channel.value)}`; }, { capture: true });
