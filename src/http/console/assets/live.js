// Streams of the service: open while the page can be seen, opened again when they break off.

const pulse = document.getElementById('pulse');
const states = new Map();

function show() {
  const all = [...states.values()];
  const state = all.includes('lost') ? 'lost' : all.length > 0 && all.every((one) => one === 'live') ? 'live' : 'off';
  const words = { off: 'not live', live: 'live', lost: 'reconnecting' };
  if (pulse.dataset.state === state) return;
  pulse.dataset.state = state;
  pulse.lastElementChild.textContent = words[state];
}

// Calls handlers, by the names of events, with what each event carries. Gives what ends it.
export function listen(path, handlers) {
  let source = null;
  let timer = null;
  let pause = 1000;
  let ended = false;

  function open() {
    if (ended || source || document.hidden) return;
    clearTimeout(timer);
    if (!states.has(open)) states.set(open, 'opening');
    source = new EventSource(path);
    source.addEventListener('open', () => { pause = 1000; states.set(open, 'live'); show(); handlers.opened?.(); });
    for (const [name, handle] of Object.entries(handlers)) {
      if (name === 'opened') continue;
      source.addEventListener(name, (event) => {
        if (event instanceof MessageEvent) handle(parsed(event.data), event);
      });
    }
    source.onerror = (event) => {
      // An event that the service calls so is no trouble with the stream.
      if (ended || event instanceof MessageEvent) return;
      states.set(open, 'lost');
      show();
      // The browser itself tries again only where the connection was lost.
      if (source && source.readyState === EventSource.CLOSED) {
        close();
        timer = setTimeout(open, pause);
        pause = Math.min(pause * 2, 30000);
      }
    };
    show();
  }

  function close() {
    source?.close();
    source = null;
    clearTimeout(timer);
  }

  function seen() {
    if (document.hidden) { close(); } else { open(); }
  }

  document.addEventListener('visibilitychange', seen);
  // Who goes to another page needs the connection for it.
  addEventListener('pagehide', close);
  addEventListener('pageshow', open);
  open();
  return () => {
    ended = true;
    close();
    states.delete(open);
    show();
    document.removeEventListener('visibilitychange', seen);
    removeEventListener('pagehide', close);
    removeEventListener('pageshow', open);
  };
}

export function parsed(text) {
  try { return JSON.parse(text); } catch { return text; }
}

// The same, with numbers as they are written, also those that are longer than numbers of the script.
export function exact(text) {
  const asWritten = (key, value, context) => (typeof value === 'number' && context?.source !== undefined && JSON.rawJSON
    && String(value) !== context.source ? JSON.rawJSON(context.source) : value);
  try { return JSON.parse(text, asWritten); } catch { return text; }
}

// Calls something soon, and not more often than that.
export function often(milliseconds, call) {
  let timer = null;
  let last = -milliseconds;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      last = performance.now();
      call();
    }, Math.max(40, last + milliseconds - performance.now()));
  };
}

export function clock(date = new Date()) {
  const time = document.createElement('time');
  time.textContent = date.toLocaleTimeString([], { hour12: false });
  return time;
}

// Puts a line at the top of a list that keeps so many.
export function prepend(list, parts, most = 100) {
  list.querySelector('.empty')?.remove();
  const line = document.createElement('li');
  line.append(...parts);
  list.prepend(line);
  while (list.children.length > most) list.lastElementChild.remove();
  return line;
}

export function text(what, kind = 'span', className = '') {
  const element = document.createElement(kind);
  element.textContent = what;
  if (className) element.className = className;
  return element;
}
