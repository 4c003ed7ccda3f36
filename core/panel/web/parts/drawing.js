// Drawings that are as wide as their place: drawn anew when that changes, so that letters keep their size.

import { h, replace, svg } from '../dom.js';
import { clock, day } from '../i18n.js';

const NARROWEST = 240;

/** A place whose drawing `draw(width)` is made anew when its width changes. */
export function wide(draw) {
  const place = h('div.drawing');
  let last = 0;
  const look = () => {
    const width = Math.max(NARROWEST, Math.floor(place.clientWidth));
    if (place.clientWidth === 0 || width === last) return;
    last = width;
    replace(place, draw(width));
  };
  new ResizeObserver(look).observe(place);
  return { place, again: () => { last = 0; look(); } };
}

/** The canvas of a drawing, with the words a screen reader says for it. */
export function canvas(width, height, label, ...children) {
  return svg('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label }, children);
}

/** The range of some times, never so short that nothing fits in. */
export function timeRange(times) {
  const last = Math.max(...times);
  return [Math.min(...times), Math.max(last, Math.min(...times) + 1000)];
}

/** From a range of values to a range of places. */
export function scale([from, to], [begin, end]) {
  const span = to - from || 1;
  return (value) => begin + ((value - from) / span) * (end - begin);
}

const HOUR = 3_600_000;
const STEPS = [HOUR / 3600, HOUR / 720, HOUR / 240, HOUR / 60, HOUR / 12, HOUR / 4, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR, 168 * HOUR, 336 * HOUR, 720 * HOUR,
  2160 * HOUR, 8760 * HOUR, 43800 * HOUR];

/** Marks of an axis of time: where, and what they say. */
export function timeMarks([from, to], width) {
  const most = Math.max(2, Math.floor(width / 130));
  const step = STEPS.find((length) => (to - from) / length <= most) ?? STEPS.at(-1);
  const shift = new Date(from).getTimezoneOffset() * 60_000;
  const marks = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) {
    marks.push({ at, words: step >= 24 * HOUR ? day(at) : clock(at, step < HOUR / 60) });
  }
  return marks;
}

/** A round number not less than a value, for the top of an axis. */
export function roundUp(value) {
  if (value <= 0) return 1;
  const unit = 1024 ** Math.floor(Math.log(value) / Math.log(1024));
  const size = value / unit;
  const ten = 10 ** Math.floor(Math.log10(size));
  return [1, 2, 5, 10].map((step) => step * ten).find((step) => step >= size) * unit;
}
