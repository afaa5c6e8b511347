// The page of an organiser: posts, and who answers to them, as they do.

import { Live } from './live.js';
import * as signups from './signups.js';

const at = (selector) => document.querySelector(selector);
const views = document.body.dataset;
let posts = [];
let shown = null;

class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refused(0, 'the server is not there; try again');
  }
  const text = await answer.text();
  const said = text ? JSON.parse(text) : null;
  if (!answer.ok) throw new Refused(answer.status, said?.detail ?? `the server answers ${answer.status}`);
  return said;
}

const live = new Live({
  state(state, words) {
    at('#state').dataset.state = state;
    at('#state span').textContent = words;
    views.online = state === 'live' ? 'yes' : 'no';
    at('#offline span').textContent = state === 'lost'
      ? 'Disconnected. What is shown is as of then; it reconnects by itself, and what was missed comes.'
      : words;
    if (state === 'lost') isItTheToken();
  },
  part(data) {
    if (data.signup) signups.take(data.signup, true);
    if (data.replied) signups.take({ id: data.replied.id, reply: data.replied.text }, false);
    if (data.published) published(data.published);
    signups.show();
  },
  async reload() {
    const post = shown;
    if (!post) return;
    try {
      const rows = await ask(`/posts/${post}/signups`);
      if (post !== shown) return;
      for (const { reply, ...row } of rows) signups.take(reply ? { ...row, reply } : row, false);
      signups.show();
    } catch {
      setTimeout(() => post === shown && this.reload(), 1000);
    }
  },
});

// A token that is good no more looks like a lost connection.
async function isItTheToken() {
  try {
    await ask('/volunteers/me');
  } catch (refused) {
    if (refused.status === 401) enter();
  }
}

function published({ id, reference }) {
  const post = posts.find((one) => one.id === id);
  if (post) post.place = reference;
  draw();
}

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

function draw() {
  const nav = at('#posts');
  nav.replaceChildren(...posts.map((post) => {
    const button = document.createElement('button');
    button.className = 'card post';
    button.setAttribute('aria-current', String(post.id === shown));
    const text = document.createElement('span');
    text.textContent = post.text;
    const when = document.createElement('small');
    when.textContent = `${clock.format(new Date(post.at))} · ${post.place ? 'published' : 'is being published'}`;
    button.append(text, when);
    button.onclick = () => choose(post.id);
    return button;
  }));
  const post = posts.find((one) => one.id === shown);
  at('#none').hidden = Boolean(post);
  for (const part of document.querySelectorAll('.head, .tiles, .switch')) part.hidden = !post;
  if (!post) return;
  at('#said').textContent = post.text;
  at('#when').textContent = post.place
    ? `published ${clock.format(new Date(post.at))} as ${post.place}`
    : 'is being published';
}

function choose(id) {
  if (id === shown) return;
  shown = id;
  signups.clear();
  draw();
  live.watch(`interested_${id}`);
}

// What a form does, with what goes wrong shown below it.
function form(selector, submit) {
  const element = at(selector);
  const error = element.querySelector('.error') ?? element.parentElement.querySelector('.error');
  element.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = element.querySelector('.main');
    error.textContent = '';
    button.disabled = true;
    try {
      await submit(new FormData(element), element);
    } catch (refused) {
      error.textContent = refused.message;
    } finally {
      button.disabled = false;
    }
  });
}

form('#login', async (given) => {
  await ask('/volunteers/login', { token: given.get('token') });
  await begin(true);
});

form('#mail', async (given) => {
  await ask('/volunteers/integration', { email: given.get('email') });
  at('#mail').hidden = true;
  at('#proof').hidden = false;
  at('#pin').focus();
});

form('#proof', async (given, element) => {
  await ask('/volunteers/integration/pin', { pin: given.get('pin') });
  element.reset();
  await begin(true);
});

at('#another').onclick = () => {
  at('#mail').hidden = false;
  at('#proof').hidden = true;
};

let draft = null;
form('#compose form', async (given, element) => {
  // Sent again after an error, it is the same post.
  draft ??= crypto.randomUUID().replaceAll('-', '');
  const post = await ask('/posts', { id: draft, text: given.get('text') });
  draft = null;
  element.reset();
  posts = [post, ...posts.filter((one) => one.id !== post.id)];
  choose(post.id);
});

at('#leave').onclick = async () => {
  await ask('/volunteers/login', { token: '' }).catch(() => {});
  enter();
};

for (const button of document.querySelectorAll('.switch button')) {
  button.onclick = () => {
    at('#signups').dataset.show = button.dataset.show;
    for (const one of document.querySelectorAll('.switch button')) {
      one.setAttribute('aria-pressed', String(one === button));
    }
  };
}

function enter() {
  live.close();
  shown = null;
  posts = [];
  views.view = 'enter';
  at('#token').focus();
}

async function begin(isTold) {
  try {
    const me = await ask('/volunteers/me');
    at('#who').textContent = me.email ? `${me.name} · ${me.email}` : me.name;
    views.view = me.email ? 'work' : 'connect';
    posts = await ask('/posts');
    live.open();
    if (posts.length && !shown) choose(posts[0].id);
    draw();
  } catch (refused) {
    if (refused.status !== 401) return setTimeout(() => begin(false), 1000);
    enter();
    if (isTold) throw new Refused(401, 'this token is not known');
  }
}

// A link has the token behind its `#`, which no server and no log sees; it does not stay in the bar either.
const token = decodeURIComponent(location.hash.slice(1));
if (token) {
  history.replaceState(null, '', location.pathname);
  await ask('/volunteers/login', { token }).catch(() => {});
}
await begin(false).catch(() => {});
