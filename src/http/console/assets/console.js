// What every page does.

import './actions.js';
import { clock, listen, often, prepend, text } from './live.js';
import { refresh } from './regions.js';

const root = document.documentElement;

document.getElementById('theme').addEventListener('click', () => {
  const isDark = getComputedStyle(root).colorScheme === 'dark'
    || (root.dataset.theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  root.dataset.theme = isDark ? 'light' : 'dark';
  document.cookie = `mape_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
});

const live = document.querySelector('[data-live]');
const what = live?.dataset.live.split(' ') ?? [];

if (what.includes('runs')) {
  const again = often(300, refresh);
  const of = live.dataset.run ? `/events?run=${encodeURIComponent(live.dataset.run)}` : '/events';
  // Something may have changed since the page was written, or since the stream broke off.
  listen(of, { run: again, missed: again, opened: again });
  // Times go on also while nothing happens.
  if (live.dataset.run) setInterval(() => { if (!document.hidden && document.querySelector('h1 [data-state="active"], h1 [data-state="waiting"]')) again(); }, 5000);
}

if (what.includes('topology')) {
  const soon = often(500, refresh);
  const slowly = often(1000, refresh);
  const feed = document.getElementById('feed');
  let first = true;
  listen('/topology/stream', {
    topology: () => { if (!first) soon(); first = false; },
    counters: slowly,
    event: (event) => { tell(feed, event); soon(); },
    missed: (missed) => prepend(feed, [clock(), text(`and ${missed.missed} more`, 'span', 'soft')]),
  });
}

if (what.includes('queues')) {
  const again = often(1000, refresh);
  listen('/queues/stream', { queues: again });
}

if (what.includes('time')) {
  // For what no stream tells of, such as rates that fall when nothing changes any more.
  const again = often(1000, refresh);
  setInterval(() => { if (!document.hidden) again(); }, 5000);
}

if (what.includes('goals')) {
  // Also the first may tell of what has changed since the page was written.
  listen('/goals/stream', { goals: often(1000, refresh) });
}

export function tell(list, event) {
  const path = event.path ?? event.element ?? '';
  const words = {
    state: `is ${event.state}`,
    error: event.error ?? event.reason ?? 'failed',
    escalated: `failed for good: ${event.error ?? event.reason ?? ''}`,
    parameter: `${event.name} = ${JSON.stringify(event.value)}`,
  };
  const told = words[event.kind] ?? event.kind;
  const isBad = ['error', 'escalated'].includes(event.kind) || event.state === 'failed';
  const line = text('', 'span');
  line.append(text(path, 'span', 'mono'), ` `, text(String(told), 'span', isBad ? 'bad' : ''));
  if (list) prepend(list, [clock(), line]);
}
