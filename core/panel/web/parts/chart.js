// How much is stored, over time.

import { svg } from '../dom.js';
import { bytes, day, t } from '../i18n.js';
import { canvas, roundUp, scale, timeMarks, timeRange, wide } from './drawing.js';

const HEIGHT = 200;
const LEFT = 72;
const BOTTOM = 28;

/** A chart of `[{ fecha, bytes }]`, the sum of what is stored. */
export function growth(values) {
  return wide((width) => draw(values, width)).place;
}

function draw(values, width) {
  const times = values.map((value) => begin(value.fecha));
  const range = timeRange([...times, Date.now()]);
  const top = roundUp(Math.max(...values.map((value) => value.bytes)));
  const x = scale(range, [LEFT, width - 12]);
  const y = scale([0, top], [HEIGHT - BOTTOM, 12]);
  const label = t('growth.label', {
    from: day(times[0]), to: day(times.at(-1)), first: bytes(values[0].bytes), last: bytes(values.at(-1).bytes),
  });
  const line = `${steps(values, times, x, y)}H${x(range[1]).toFixed(1)}`;
  const ground = y(0);
  return canvas(width, HEIGHT, label,
    [0, top / 2, top].map((value) => level(y(value), bytes(value), width)),
    timeMarks(range, width - LEFT).map(({ at, words }) => svg('g.axis', {},
      svg('text', { x: x(at), y: HEIGHT - 8, 'text-anchor': x(at) > width - 60 ? 'end' : x(at) < LEFT + 40 ? 'start' : 'middle' }, words))),
    svg('path.area', { d: `${line}V${ground}H${x(times[0])}Z` }),
    svg('path.line', { d: line }),
    svg('circle.tip', { cx: x(range[1]), cy: y(values.at(-1).bytes), r: 4 }));
}

/** When a value began to hold; a day begins at midnight here. */
function begin(date) {
  return new Date(/^\d{4}-\d\d-\d\d$/.test(date) ? `${date}T00:00:00` : date).getTime();
}

/** What is stored stays until the next backup comes or goes: a line of steps. */
function steps(values, times, x, y) {
  const parts = [`M${x(times[0]).toFixed(1)} ${y(values[0].bytes).toFixed(1)}`];
  for (let at = 1; at < values.length; at += 1) {
    parts.push(`H${x(times[at]).toFixed(1)}V${y(values[at].bytes).toFixed(1)}`);
  }
  return parts.join('');
}

function level(at, words, width) {
  return svg('g.axis', {}, svg('line', { x1: LEFT, x2: width - 12, y1: at, y2: at }),
    svg('text', { x: LEFT - 8, y: at + 4, 'text-anchor': 'end' }, words));
}

/** Parts of a whole as a bar: `[{ share, tone }]`. */
export function bar(parts, label) {
  const all = parts.reduce((sum, part) => sum + part.share, 0) || 1;
  let at = 0;
  return svg('svg.bar', { viewBox: '0 0 100 6', preserveAspectRatio: 'none', role: 'img', 'aria-label': label }, parts.map((part) => {
    const width = (part.share / all) * 100;
    const piece = svg('rect', { x: at, y: 0, width, height: 6, class: part.tone });
    at += width;
    return piece;
  }));
}
