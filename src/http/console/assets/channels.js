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

listen(`/channels/stream?pattern=${encodeURIComponent(messages.dataset.pattern)}`, {
  message: (message) => hear(message.channel, JSON.stringify(message.value)),
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
