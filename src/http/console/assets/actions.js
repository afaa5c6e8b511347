// What a person does becomes a request to the API; what that answers shows where it was done.

import { refresh } from './regions.js';
import { exact, text } from './live.js';

export function toast(message, isBad = false) {
  const shown = text(message, 'p', isBad ? 'toast bad' : 'toast');
  document.getElementById('toasts').append(shown);
  setTimeout(() => shown.remove(), isBad ? 8000 : 3500);
}

// Asks before something is done that cannot be undone.
export function confirmed(question) {
  const dialog = document.createElement('dialog');
  const buttons = text('', 'div', 'row');
  const no = text('Cancel', 'button', 'end');
  const yes = text('Yes', 'button', 'main');
  buttons.append(no, yes);
  dialog.append(text(question, 'p'), buttons);
  document.body.append(dialog);
  return new Promise((resolve) => {
    const end = (answer) => { resolve(answer); dialog.remove(); };
    no.addEventListener('click', () => end(false));
    yes.addEventListener('click', () => end(true));
    dialog.addEventListener('cancel', () => end(false));
    dialog.showModal();
    yes.focus();
  });
}

// Sends a request; gives what came back, or throws what is wrong in words.
export async function ask(method, path, body, type = 'application/json') {
  const headers = body === undefined ? {} : { 'content-type': type };
  let answer;
  try {
    answer = await fetch(path, { method, body, headers });
  } catch {
    throw new Error('the service does not answer');
  }
  const said = await answer.text();
  const value = exact(said);
  if (answer.ok) return value;
  if (answer.status === 401) location.assign('/console/login');
  throw new Error(value?.detail ?? value?.message ?? (said || `${answer.status} ${answer.statusText}`));
}

// A text that has to be JSON, or an error in words.
export function json(written) {
  try {
    JSON.parse(written);
    // As it is written: the script's numbers are not long enough for all.
    return written;
  } catch (error) {
    throw new Error(`This is no JSON: ${error.message}. A text stands in quotation marks.`);
  }
}

const bodies = {
  item(form) {
    const notification = form.elements.notification.value;
    const written = form.elements.payload.value.trim();
    if (notification === 'completed' && !written) return undefined;
    return json(written);
  },
  value(form) {
    const written = form.elements.value.value.trim();
    return written === '' && form.dataset.show ? 'null' : json(written);
  },
  fields(form) {
    const found = {};
    for (const field of form.elements) {
      if (!field.name || field.value === '' || (field.type === 'checkbox' && !field.checked)) continue;
      found[field.name] = field.type === 'checkbox' ? true : field.type === 'number' ? Number(field.value) : field.value;
    }
    return JSON.stringify(found);
  },
  job(form) {
    const beside = JSON.parse(bodies.fields(form));
    delete beside.data;
    const written = JSON.stringify(beside).slice(1, -1);
    return `{"data": ${json(form.elements.data.value.trim() || 'null')}${written ? `, ${written}` : ''}}`;
  },
  approval(form, button) {
    const answer = { approved: button?.value === 'true' };
    const note = form.elements.note.value.trim();
    if (note) answer.note = note;
    return JSON.stringify({ output: answer });
  },
};

export async function act(element, button) {
  const output = element.querySelector(':scope output') ?? element.closest('form')?.querySelector('output');
  const say = (words, isBad) => {
    if (!output) return toast(words, isBad);
    output.dataset.state = isBad ? 'bad' : 'good';
    output.textContent = words;
  };
  if (element.getAttribute('aria-busy') === 'true') return;
  try {
    const space = element.dataset.action.indexOf(' ');
    const method = element.dataset.action.slice(0, space);
    let path = element.dataset.action.slice(space + 1);
    let body = element.dataset.json;
    if (element.dataset.body) body = bodies[element.dataset.body](element, button);
    if (element.dataset.body === 'item') {
      const { port, notification } = element.elements;
      path += `?port=${encodeURIComponent(port.value)}&notification=${encodeURIComponent(notification.value)}`;
    }
    if (element.dataset.confirm && !(await confirmed(element.dataset.confirm))) return;
    element.setAttribute('aria-busy', 'true');
    const answer = await ask(method, path, body);
    say(element.dataset.show ? JSON.stringify(answer, null, 1) : (element.dataset.done ?? 'Done'), false);
    element.dispatchEvent(new CustomEvent('mape:done', { bubbles: true, detail: answer }));
    if (element.dataset.goto) return location.assign(element.dataset.goto);
    for (const field of element.querySelectorAll?.('input, select') ?? []) {
      if (field.localName === 'input' && field.type !== 'checkbox') field.defaultValue = field.value;
    }
    const panel = element.closest('#panel');
    const article = panel?.querySelector('[data-page]');
    await Promise.all([refresh(), panel && article ? refresh(panel, article.dataset.source) : null]);
  } catch (error) {
    say(error.message, true);
  } finally {
    element.removeAttribute('aria-busy');
  }
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-action]');
  if (button && !button.disabled) {
    event.preventDefault();
    act(button);
  }
  const copy = event.target.closest('[data-copy]');
  if (copy) {
    navigator.clipboard?.writeText(copy.dataset.copy).then(
      () => toast('Copied'),
      () => toast('The browser does not let it be copied', true),
    );
  }
});

document.addEventListener('submit', (event) => {
  const form = event.target.closest('form[data-action]');
  if (!form) return;
  event.preventDefault();
  act(form, event.submitter);
});

document.addEventListener('change', async (event) => {
  const input = event.target.closest('input[data-upload]');
  if (!input?.files?.length) return;
  const [method, path] = input.dataset.upload.split(' ');
  try {
    const answer = await ask(method, path, await input.files[0].text());
    location.assign(input.dataset.goto + encodeURIComponent(answer.workflow.replace(/^workflow:/, '')));
  } catch (error) {
    toast(error.message, true);
    input.value = '';
  }
});
