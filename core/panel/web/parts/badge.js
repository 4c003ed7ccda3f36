// States and kinds in small: always a shape or a word besides the colour.

import { h, icon, svg } from '../dom.js';
import { exact, moment, relative, t, term } from '../i18n.js';

const TONES = {
  COMPLETADO: ['good', 'check'], EN_PROGRESO: ['busy', 'turn'], EN_COLA: ['busy', 'clock'], VALIDANDO: ['busy', 'turn'],
  PENDIENTE: ['warn', 'clock'], FALLIDO: ['bad', 'cross'], CANCELADO: ['plain', 'cross'], INTERRUMPIDO: ['warn', 'warn'],
  EXITOSO: ['good', 'check'], ADVERTENCIA: ['warn', 'warn'], ERROR: ['bad', 'cross'], BIEN: ['good', 'check'], MAL: ['bad', 'cross'],
};

/** A state of a backup, a job or a check. */
export function stateBadge(state) {
  const [tone, picture] = TONES[state] ?? ['plain', 'dot'];
  return h('span.badge', { class: tone }, icon(picture), term('state', state));
}

/** What a look at a backup came to; only a drill has restored it. */
export function lookBadge(result, level) {
  if (result !== 'EXITOSO' || level !== 'drill') return stateBadge(result);
  return h('span.badge.good', {}, icon('shield'), t('proof.drilled'));
}

/** How deep a restore point was looked at without anything wrong: a level, or null. */
export function proofOf(point) {
  return point.nivel ?? (point.validado ? 'chain' : null);
}

/** Good or not, in words of the caller. */
export function verdictBadge(good, words) {
  return h('span.badge', { class: good ? 'good' : 'bad' }, icon(good ? 'check' : 'cross'), words);
}

/** Something that wants to be looked at, or plainly is so. */
export function noteBadge(tone, words) {
  return h('span.badge', { class: tone }, icon(tone === 'warn' ? 'warn' : 'dot'), words);
}

const ENGINES = { PROFESIONAL: ['good', 'shield'], LEGACY: ['warn', 'warn'], DETENIDO: ['bad', 'cross'] };

/** How the engine stands. */
export function engineBadge(status) {
  const [tone, picture] = ENGINES[status.motor] ?? ['plain', 'dot'];
  return h('span.badge', { class: tone }, icon(picture), term('engine', status.motor));
}

/** The kind of a backup: its mark and its name. */
export function kindBadge(kind) {
  return h('span.kind', {},
    svg('svg.mark', { viewBox: '-8 -8 16 16', 'aria-hidden': 'true' }, kindMark(kind, 0, 0, 5)), term('kind', kind));
}

/** The mark of a kind in a drawing: a circle, a diamond, a triangle. */
export function kindMark(kind, x, y, size) {
  const classes = `kind-${String(kind).toLowerCase()}`;
  if (kind === 'DIFERENCIAL') {
    const s = size * 1.25;
    return svg('path', { class: classes, d: `M${x} ${y - s}L${x + s} ${y}L${x} ${y + s}L${x - s} ${y}Z` });
  }
  if (kind === 'INCREMENTAL') {
    const s = size * 1.15;
    return svg('path', { class: classes, d: `M${x} ${y - s}L${x + s} ${y + s * 0.8}L${x - s} ${y + s * 0.8}Z` });
  }
  return svg('circle', { class: classes, cx: x, cy: y, r: size });
}

/** The same, by how deep it was looked at: hollow where nobody did, with a ring where a drill restored it. */
export function pointMark(kind, level, x, y, size) {
  const depth = level === null ? 'unproven' : 'proven';
  return svg('g', { class: depth }, level === 'drill' && svg('circle.drill', { cx: x, cy: y, r: size + 4 }), kindMark(kind, x, y, size));
}

/** A time: to the minute, the second and the offset for whoever points at it. */
export function when(value, { far = false } = {}) {
  if (!value) return t('none');
  return h('time', { datetime: value, title: exact(value) }, far ? relative(value) : moment(value));
}
