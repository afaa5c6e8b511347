// How parts are written for people.

export function short(milliseconds) {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

export function clock(at = new Date()) {
  const two = (number, digits = 2) => String(number).padStart(digits, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`;
}

// A number with as many digits as one reads.
export function digits(number) {
  const after = Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : 2;
  return number.toLocaleString('en', { minimumFractionDigits: 0, maximumFractionDigits: after });
}

// What a tile shows of a part: a number, its unit, and a share in percent if it is one.
export function summary({ name, data }) {
  if (name === 'reading') {
    const of = data.of ? ` of ${digits(data.of)}` : '';
    return { number: digits(data.value), unit: `${data.unit}${of}` };
  }
  if (name === 'network') {
    return { number: digits(data.received_mib), unit: `MiB received, ${digits(data.sent_mib)} sent` };
  }
  if (name === 'disk') return { number: digits(data.took_ms), unit: `ms to write ${data.wrote_kib} KiB` };
  if (name === 'processors') {
    const share = data.busy_percent ?? 0;
    return { number: `${share.toFixed(0)} %`, unit: 'busy', share };
  }
  if (name === 'parts') return { number: String(data.nr + 1), unit: data.res, share: 25 * (data.nr + 1) };
  return { number: '', unit: JSON.stringify(data) };
}

function text({ name, data }) {
  if (name === 'reading') return `${data.id} ${digits(data.value)} ${data.unit}`;
  if (name === 'pulse') return `beat ${data.beat}: ${digits(data.busy_percent ?? 0)} % busy, ${digits(data.late_us / 1000)} ms late`;
  if (name === 'calls') return `${data.asked} answered ${data.status} after ${data.took_ms} ms`;
  if (name === 'parts') return `${data.res}, ${data.dt} ms after it was asked for`;
  if (['network', 'disk', 'processors'].includes(name)) {
    const { number, unit } = summary({ name, data });
    return `${number} ${unit}`;
  }
  return JSON.stringify(data);
}

// A part as a line of a list.
export function line(source, part, when) {
  const row = document.createElement('li');
  row.dataset.source = source;
  row.dataset.name = part.name;
  const [time, dot, name, said] = ['time', 'i', 'b', 'span'].map((tag) => document.createElement(tag));
  time.textContent = when;
  dot.className = 'dot';
  name.textContent = source;
  said.textContent = part.error ?? text(part);
  said.title = JSON.stringify(part.error ?? part.data);
  if (part.error) said.className = 'wrong';
  row.append(time, dot, name, said);
  return row;
}
