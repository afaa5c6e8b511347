// The list of signups: rows by their ids, so that hearing of one twice changes nothing.

const list = document.querySelector('#signups');
const tiles = document.querySelector('.tiles');
const rows = new Map();
let counts = {};

const kindOf = (row) => (row.via === 'message' ? 'message' : row.interested ? 'interested' : row.class === 'unknown' ? 'unknown' : 'other');

export function clear() {
  rows.clear();
  list.replaceChildren();
  show();
}

// Takes what is known of a signup; what is not said stays.
export function take(news, isNew) {
  const before = rows.get(news.id);
  const row = { ...before, ...news };
  rows.set(row.id, row);
  // A reply may be heard of before its comment is.
  if (!row.class) return;
  const item = draw(row, document.getElementById(`s-${row.id}`));
  if (!item.isConnected) {
    const behind = [...list.children].find((other) => Number(other.dataset.said) <= row.said);
    list.insertBefore(item, behind ?? null);
  }
  if (isNew) {
    item.classList.remove('news');
    requestAnimationFrame(() => item.classList.add('news'));
  }
}

export function show() {
  counts = { interested: 0, other: 0, unknown: 0, message: 0, answered: 0 };
  for (const row of rows.values()) {
    if (!row.class) continue;
    counts[kindOf(row)] += 1;
    if (row.reply && row.via !== 'message') counts.answered += 1;
  }
  for (const tile of tiles.children) {
    const number = tile.querySelector('b');
    const text = String(counts[tile.dataset.of]);
    if (number.textContent !== text) number.textContent = text;
  }
  return counts;
}

function make(name, kind, text) {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  if (text !== undefined) element.textContent = text;
  return element;
}

const hue = (name) => [...name].reduce((hash, letter) => (hash * 31 + letter.codePointAt(0)) % 9973, 7) * 137 % 360;
const initials = (name) => /\d+$/.exec(name)?.[0] ?? name.split(/\s+/).map((word) => word[0]).join('').slice(0, 3).toUpperCase();
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

function draw(row, before) {
  const item = before ?? make('li');
  item.id = `s-${row.id}`;
  item.dataset.kind = kindOf(row);
  item.dataset.said = row.said;
  const face = make('span', 'face', initials(row.name));
  face.style.setProperty('--hue', hue(row.name));
  face.setAttribute('aria-hidden', 'true');
  const head = make('p', 'name');
  head.append(make('b', '', row.name));
  head.append(make('time', '', clock.format(new Date(row.said))));
  const verdict = make('p', 'verdict');
  const words = { interested: 'wants to help', unknown: 'unclear', message: 'a message', other: row.class };
  const pill = make('span', 'kind', words[kindOf(row)]);
  const score = make('span', 'score');
  score.style.setProperty('--of', row.score);
  score.title = `how sure the model is: ${Math.round(row.score * 100)} %`;
  // What is said in a conversation is not judged by the model alone.
  verdict.append(pill, ...(row.via === 'message' ? [] : [score, make('small', '', `${Math.round(row.score * 100)} %`)]));
  const body = make('div', 'body');
  body.append(head, make('p', 'text', row.text));
  if (row.reply) {
    body.append(make('p', 'reply', row.reply));
  } else if (row.interested || row.via === 'message') {
    body.append(make('p', 'reply waits', 'is being answered'));
  }
  item.replaceChildren(face, body, verdict);
  return item;
}
