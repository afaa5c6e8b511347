// What is said on channels, as it is said.

import { clock, exact, listen, prepend, text } from './live.js';

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
  for (const { when, name, words, isBad } of waiting) {
    const who = text(name, 'button', 'plain mono');
    who.type = 'button';
    who.addEventListener('click', () => { channel.value = name; document.getElementById('message').focus(); });
    prepend(messages, [clock(when), who, text(words, 'span', isBad ? 'mono bad' : 'mono')], 200);
  }
  waiting = [];
  told.textContent = `${seen} since you look`;
}

function hear(name, words, isBad = false) {
  seen += 1;
  if (hold.getAttribute('aria-pressed') === 'true') return;
  waiting.push({ when: new Date(), name: String(name ?? ''), words: words.slice(0, 4000), isBad });
  if (waiting.length > 200) waiting.shift();
  timer ??= setTimeout(draw, 100);
}

// What is in an envelope, or the message itself where there is none.
function open(value) {
  const isEnvelope = value !== null && typeof value === 'object' && ['next', 'error', 'completed'].includes(value.kind)
    && 'seq' in value && 'epoch' in value;
  if (!isEnvelope) return { words: JSON.stringify(value) };
  if (value.kind === 'completed') return { words: 'has ended' };
  return { words: JSON.stringify(value.value ?? value), isBad: value.kind === 'error' };
}

listen(`/channels/stream?bare=true&pattern=${encodeURIComponent(messages.dataset.pattern)}`, {
  message: (message, event) => {
    const { words, isBad } = open(exact(event.data).value);
    hear(message.channel, words, isBad);
  },
  error: (message) => hear(message.channel, message.error, true),
  completed: (message) => hear(message.channel, 'has ended'),
});

hold.addEventListener('click', () => {
  const is = hold.getAttribute('aria-pressed') !== 'true';
  hold.setAttribute('aria-pressed', String(is));
  hold.textContent = is ? 'Go on' : 'Hold';
});

form.dataset.action = 'POST ';
form.addEventListener('submit', () => { form.dataset.action = `POST /channels/${encodeURIComponent(channel.value)}`; }, { capture: true });
