// Regions of a page: asked for again, and changed where they differ. The service writes them, as it wrote the page.

const waiting = new Map();

// Changes the regions of `root` to those of the page at `url`; of many calls at once, the last is enough.
export function refresh(root = document, url = location.pathname + location.search) {
  const state = waiting.get(root) ?? { running: null, again: false };
  waiting.set(root, state);
  if (state.running) {
    state.again = true;
    return state.running;
  }
  state.running = change(root, url).finally(() => {
    state.running = null;
    if (state.again) {
      state.again = false;
      return refresh(root, url);
    }
    waiting.delete(root);
    return undefined;
  });
  return state.running;
}

async function change(root, url) {
  let answer;
  try {
    answer = await fetch(url, { headers: { accept: 'text/html' } });
  } catch {
    return;
  }
  if (answer.redirected && new URL(answer.url).pathname === '/console/login') location.assign('/console/login');
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const old of root.querySelectorAll('[data-region]')) {
    if (root === document && old.closest('#panel')) continue;
    const fresh = page.querySelector(`[data-region="${CSS.escape(old.dataset.region)}"]`);
    if (fresh) morph(old, fresh);
  }
  document.dispatchEvent(new CustomEvent('mape:refreshed', { detail: root }));
}

// Makes a node like another one, and touches only what differs.
export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.localName === 'output' || isInUse(old)) return;
  attributes(old, fresh);
  if ('value' in old && old.localName === 'input') old.value = fresh.getAttribute('value') ?? '';
  children(old, fresh);
}

// A field that a person is writing in, or has written in.
function isInUse(element) {
  if (!['input', 'textarea', 'select'].includes(element.localName)) return false;
  if (element === document.activeElement) return true;
  if (element.localName === 'select') return [...element.options].some((one) => one.selected !== one.defaultSelected && one.selected);
  return element.value !== element.defaultValue || element.checked !== element.defaultChecked;
}

function attributes(old, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    const isOurs = name === 'aria-busy' || (name === 'open' && old.localName === 'details');
    if (!fresh.hasAttribute(name) && !isOurs) old.removeAttribute(name);
  }
}

function children(old, fresh) {
  const byId = new Map();
  for (const child of old.children) if (child.id) byId.set(child.id, child);
  let at = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const known = wanted.id && byId.get(wanted.id);
    let node = known || at;
    const fits = node && node.nodeName === wanted.nodeName && (node.id || '') === (wanted.id || '');
    if (!fits) {
      old.insertBefore(document.importNode(wanted, true), at);
      continue;
    }
    if (node !== at) old.insertBefore(node, at); else at = at.nextSibling;
    morph(node, wanted);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// The element with this id of the page at `url`, to be put into this one.
export async function part(url, id, options = {}) {
  const answer = await fetch(url, { ...options, headers: { accept: 'text/html', ...options.headers } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const found = page.getElementById(id);
  return found && document.importNode(found, true);
}
