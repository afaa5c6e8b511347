// Larger, smaller, and moved about.

const frames = new Map();

function state(frame) {
  const svg = frame.querySelector('svg');
  const known = frames.get(frame) ?? { scale: null };
  frames.set(frame, known);
  return { known, svg, base: svg?.viewBox.baseVal };
}

function apply(frame, scale, center) {
  const { known, svg, base } = state(frame);
  if (!svg || !base) return;
  const before = known.scale ?? 1;
  const next = Math.min(3, Math.max(0.15, scale));
  const at = center ?? { x: frame.clientWidth / 2, y: frame.clientHeight / 2 };
  const place = { x: (frame.scrollLeft + at.x) / before, y: (frame.scrollTop + at.y) / before };
  known.scale = next;
  svg.setAttribute('width', Math.round(base.width * next));
  svg.setAttribute('height', Math.round(base.height * next));
  if (before !== next) frame.scrollTo(place.x * next - at.x, place.y * next - at.y);
}

function fitting(frame, least) {
  const { base } = state(frame);
  if (!base?.width) return 1;
  const style = getComputedStyle(frame);
  const high = parseFloat(style.maxHeight) || innerHeight;
  return Math.min(1, Math.max(least, Math.min(frame.clientWidth / base.width, high / base.height)));
}

export function fit(frame, least = 0.15) {
  apply(frame, fitting(frame, least));
}

for (const frame of document.querySelectorAll('[data-zoom]')) {
  // Until somebody zooms it is as wide as there is room, if it can be read then.
  let isChosen = false;
  const toWidth = () => { if (!isChosen) apply(frame, Math.min(1, Math.max(0.62, frame.clientWidth / (state(frame).base?.width || 1)))); };
  toWidth();
  new ResizeObserver(toWidth).observe(frame);
  const zoom = (by, center) => { isChosen = true; apply(frame, (state(frame).known.scale ?? 1) * by, center); };
  frame.parentElement.addEventListener('click', (event) => {
    const by = event.target.closest('[data-zoom-by]');
    if (by) zoom(Number(by.dataset.zoomBy));
    if (event.target.closest('[data-zoom-fit]')) { isChosen = true; fit(frame); }
  });
  frame.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.target !== frame) return;
    if (event.key === '+' || event.key === '=') zoom(1.25);
    if (event.key === '-') zoom(0.8);
    if (event.key === '0') { isChosen = true; fit(frame); }
  });
  frame.addEventListener('wheel', (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const box = frame.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 300), { x: event.clientX - box.x, y: event.clientY - box.y });
  }, { passive: false });
  let drag = null;
  frame.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'mouse' || event.button !== 0 || event.target.closest('a')) return;
    drag = { x: event.clientX + frame.scrollLeft, y: event.clientY + frame.scrollTop };
    frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener('pointermove', (event) => {
    if (drag) frame.scrollTo(drag.x - event.clientX, drag.y - event.clientY);
  });
  frame.addEventListener('pointerup', () => { drag = null; });
  document.addEventListener('mape:refreshed', () => {
    const { scale } = frames.get(frame) ?? {};
    if (isChosen && scale) apply(frame, scale); else toWidth();
  });
}
