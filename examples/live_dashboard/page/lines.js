// Requests whose answers come line by line.

// Why a server says no.
export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

// Asks, and calls `each` with every object as it comes; done with the end of the answer.
export async function lines(path, options, each, begun = () => {}) {
  const answer = await asked(path, options);
  begun();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const all = (rest + value).split('\n');
    rest = all.pop();
    for (const line of all) {
      if (line.trim()) each(JSON.parse(line));
    }
  }
}

// Asks; an answer that is not good is an error which says what the server says.
export async function asked(path, options) {
  const answer = await fetch(path, options);
  if (answer.ok) return answer;
  const text = await answer.text();
  let detail = text;
  try {
    const said = JSON.parse(text);
    detail = typeof said.detail === 'string' ? said.detail : text;
  } catch { /* not JSON: shown as it is */ }
  throw new Refused(answer.status, detail || `the server answers ${answer.status}`);
}
