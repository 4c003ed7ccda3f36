// The restore points on a line of time: a mark per kind, hollow while nobody has looked at it.

import { h, svg, uniqueId } from '../dom.js';
import { day, exact, moment, t, term } from '../i18n.js';
import { kindBadge, pointMark, proofOf } from './badge.js';
import { canvas, scale, timeMarks, timeRange, wide } from './drawing.js';

const LANES = ['FULL', 'DIFERENCIAL', 'INCREMENTAL'];
const HEIGHT = 132;
const EDGE = 18;

/**
 * A timeline of `{ id, tipo, fecha, validado, nivel? }`. With `choose` a point can be picked, by pointing and by a slider;
 * `chosen` is the one picked at first.
 */
export function timeline(points, { choose = null, chosen = null } = {}) {
  const sorted = [...points].sort((a, b) => new Date(a.fecha) - new Date(b.fecha));
  const found = sorted.findIndex((point) => point.id === chosen);
  let picked = chosen === null || found < 0 ? null : found;
  const drawing = wide((width) => draw(sorted, width, picked, choose && pick));
  const slider = choose && sliderOf(sorted, picked, pick);
  function pick(index) {
    picked = index;
    if (slider) say(slider, sorted, index);
    drawing.again();
    choose(sorted[index]);
  }
  return h('div.timeline', {}, drawing.place, legend(), slider && slider.element);
}

function draw(points, width, picked, pick) {
  const times = points.map((point) => new Date(point.fecha).getTime());
  const range = timeRange(times);
  const x = scale(range, [EDGE, width - EDGE]);
  const lane = (kind) => 22 + Math.max(0, LANES.indexOf(kind)) * 30;
  const label = t('timeline.label', { count: points.length, from: day(times[0]), to: day(times.at(-1)) });
  const board = canvas(width, HEIGHT, label,
    LANES.map((kind) => svg('line.lane', { x1: 0, x2: width, y1: lane(kind), y2: lane(kind) })),
    timeMarks(range, width).map(({ at, words }) => mark(x(at), words, width)),
    svg('g', {}, thinned(points, times, x, picked).map((index) => dot(points[index], x(times[index]), lane(points[index].tipo), index === picked))));
  if (!pick) return board;
  board.classList.add('pickable');
  board.addEventListener('click', (event) => pick(nearest(board, event, times, points, x, lane)));
  return board;
}

function mark(at, words, width) {
  const anchor = at < 60 ? 'start' : at > width - 60 ? 'end' : 'middle';
  return svg('g.axis', {}, svg('line', { x1: at, x2: at, y1: 8, y2: HEIGHT - 26 }),
    svg('text', { x: at, y: HEIGHT - 8, 'text-anchor': anchor }, words));
}

/** One point per pixel and kind: of ten thousand no more can be seen. */
function thinned(points, times, x, picked) {
  const seen = new Set();
  return points.map((_, index) => index).filter((index) => {
    const place = `${Math.round(x(times[index]) / 2)} ${points[index].tipo}`;
    if (seen.has(place) && index !== picked) return false;
    seen.add(place);
    return true;
  });
}

function dot(point, x, y, isPicked) {
  const level = proofOf(point);
  return svg('g.point', {},
    isPicked && svg('circle.ring', { cx: x, cy: y, r: 13 }), pointMark(point.tipo, level, x, y, 6),
    svg('title', {}, `${term('kind', point.tipo)} · ${exact(point.fecha)} · ${t(`proof.${level ?? 'none'}`)}`));
}

function nearest(board, event, times, points, x, lane) {
  const box = board.getBoundingClientRect();
  const [px, py] = [event.clientX - box.left, event.clientY - box.top];
  let best = 0;
  let least = Infinity;
  times.forEach((time, index) => {
    const far = Math.abs(x(time) - px) + Math.abs(lane(points[index].tipo) - py) * 0.5;
    if (far < least) [best, least] = [index, far];
  });
  return best;
}

function sliderOf(points, picked, pick) {
  const id = uniqueId('slider');
  const input = h('input', {
    type: 'range', id, min: 0, max: points.length - 1, step: 1, value: picked ?? points.length - 1,
    oninput: () => pick(Number(input.value)),
  });
  const said = h('output', { htmlFor: id });
  const slider = { input, said, element: h('div.slider', {}, h('label', { htmlFor: id }, t('timeline.pick')), input, said) };
  if (picked !== null) say(slider, points, picked);
  else input.setAttribute('aria-valuetext', t('timeline.nothing'));
  return slider;
}

function say({ input, said }, points, index) {
  const point = points[index];
  const words = `${term('kind', point.tipo)} ${point.id ?? ''} · ${moment(point.fecha)}`;
  input.value = index;
  input.setAttribute('aria-valuetext', words);
  said.textContent = words;
}

function legend() {
  const sample = (level, words) => h('span.kind', {},
    svg('svg.mark', { viewBox: '-11 -11 22 22', 'aria-hidden': 'true' }, pointMark('FULL', level, 0, 0, 6)), words);
  return h('div.legend', {}, LANES.map((kind) => kindBadge(kind)),
    sample(null, t('proof.none')), sample('chain', t('proof.sound')), sample('drill', t('proof.drill')));
}
