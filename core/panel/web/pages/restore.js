// The restore wizard: a point, what it would bring, where to, and a confirmation that is typed. Nothing before the last
// step changes anything; whatever is changed above it takes the confirmation back.

import { get, newKey, post } from '../api.js';
import { h, icon, replace } from '../dom.js';
import { exact, t, term } from '../i18n.js';
import { proofOf } from '../parts/badge.js';
import { waitFor } from '../parts/dialog.js';
import { action, field, once, radios, textBox } from '../parts/form.js';
import { previewOf } from '../parts/preview.js';
import { targetForm } from '../parts/target.js';
import { empty, failure, filled, head, loading, note, problemParts } from '../parts/states.js';
import { timeline } from '../parts/timeline.js';
import { go, href } from '../router.js';
import { may } from '../session.js';

export async function draw({ query, signal }) {
  const heading = head(t('page.restore'), t('restore.lead'));
  const { puntos: points } = await get('overview', {}, { signal });
  if (points.length === 0) {
    return [heading, empty(t('overview.empty'), t('restore.none'), h('a.button.primary', { href: href('run') }, icon('play'), t('page.run')))];
  }
  return [heading, !may('ADMIN') && note('warn', t('restore.only_look', { role: term('role', 'ADMIN') })), wizard(points, query, signal)];
}

function wizard(points, query, signal) {
  const places = { preview: h('div'), target: h('div'), confirm: h('div', { 'aria-live': 'polite' }) };
  const state = { point: null, preview: null };
  const chosen = (point) => {
    state.point = point;
    replace(places.target);
    replace(places.confirm);
    replace(places.preview, point && step(2, t('restore.step_preview'), look(point)));
  };
  const look = (point) => filled(() => get('preview', point.ask, { signal }), (preview) => {
    if (state.point !== point) return null;
    state.preview = preview;
    replace(places.target, preview.existe && step(3, t('restore.step_target'), target()));
    return previewOf(preview, () => get('preview', { ...point.ask, live: 'true' }, { signal }));
  }, signal).place;
  const target = () => targetForm(state.preview, {
    changed: () => replace(places.confirm),
    plan: (wish) => plan({ ...state.point.wish, ...wish }, places.confirm, signal),
  });
  const first = step(1, t('restore.step_point'), pointChoice(points, query, chosen));
  return h('ol.wizard', {}, h('li', {}, first), h('li', {}, places.preview), h('li', {}, places.target), h('li', {}, places.confirm));
}

function step(number, title, ...children) {
  return h('section.card.step', {}, h('h2', {}, h('span.step-number', { 'aria-hidden': 'true' }, number), title), children);
}

/** A point of the timeline, or whatever was newest at a time. */
function pointChoice(points, query, chosen) {
  const place = h('div');
  const said = h('p.chosen', { 'aria-live': 'polite' });
  const pick = (point) => {
    const id = point.id ?? point.nombre;
    replace(said, icon('check'), h('span', {}, t('restore.chosen', { kind: term('kind', point.tipo), id, when: exact(point.fecha) })),
      h('span.hint', {}, t(`proof.${proofOf(point) ?? 'none'}`)));
    chosen({ ask: { id }, wish: { id } });
  };
  const byTime = () => {
    const box = h('input', { type: 'datetime-local', step: '1', 'data-at': true });
    const take = () => {
      if (box.value === '') return;
      const at = new Date(box.value).toISOString();
      replace(said, icon('check'), h('span', {}, t('restore.chosen_time', { when: exact(at) })));
      chosen({ ask: { at }, wish: { at } });
    };
    return h('div.inline', {}, field(t('restore.time'), box, t('restore.time_hint')), h('button', { type: 'button', onclick: take }, t('restore.time_go')));
  };
  const asked = points.find((point) => String(point.id) === String(query.id));
  const ways = {
    point: () => replace(place, timeline(points, { choose: pick, chosen: asked?.id ?? null })),
    time: () => replace(place, byTime()),
  };
  const turn = (way) => {
    replace(said);
    chosen(null);
    ways[way]();
  };
  ways.point();
  if (asked) pick(asked);
  const newest = h('button', { type: 'button', onclick: () => newestOf(points, pick) }, icon('last'), t('restore.newest'));
  return [radios(t('restore.how'), [['point', t('restore.by_point')], ['time', t('restore.by_time')]], 'point', turn), newest, place, said];
}

function newestOf(points, pick) {
  pick(points.reduce((best, point) => (new Date(point.fecha) > new Date(best.fecha) ? point : best)));
}

/** Asks the service what would be done, and for the words that have to be typed. */
async function plan(wish, place, signal) {
  replace(place, step(4, t('restore.step_confirm'), loading()));
  try {
    const planned = await post('restores/plan', wish);
    if (!signal.aborted) replace(place, step(4, t('restore.step_confirm'), confirmation(wish, planned, () => plan(wish, place, signal))));
    place.scrollIntoView({ block: 'nearest' });
  } catch (error) {
    replace(place, step(4, t('restore.step_confirm'), failure(error, () => plan(wish, place, signal))));
  }
}

function confirmation(wish, planned, again) {
  const typed = planned.confirmacion;
  const box = textBox({ 'data-typed': true });
  const told = h('div', { 'aria-live': 'assertive' });
  // One key for this plan: however often it is pressed, and whatever gets lost, it is one restore.
  const key = newKey();
  const button = action(t('restore.go', { target: typed }), () => start(), { role: 'ADMIN', picture: 'undo', tone: 'danger' });
  button.type = 'submit';
  let begun = false;
  const start = async () => {
    if (begun || box.value !== typed) return;
    begun = true;
    try {
      const job = await post('restores', { ...wish, ficha: planned.ficha, confirmacion: box.value }, { key });
      go(`job/${encodeURIComponent(job.id)}`, {}, { replace: true });
    } catch (error) {
      begun = error.status !== 0;
      replace(told, h('div.failure', {}, icon('warn'), h('div', {}, problemParts(error)),
        begun && h('button', { type: 'button', onclick: again }, icon('turn'), t('restore.plan_again'))));
    }
  };
  const form = h('form', { onsubmit: (event) => { event.preventDefault(); once(button, start); } },
    note(wish.replace ? 'bad' : 'plain', h('p.strong', {}, sentence(wish, typed)), h('ul', {}, safety(wish).map((words) => h('li', {}, words)))),
    field(t('confirm.type', { text: typed }), box, t('restore.valid_for')), told, button);
  if (button.getAttribute('title') === null) waitFor(box, typed, button);
  return form;
}

function sentence(wish, target) {
  if (wish.into_schema) return t('restore.will_copy', { count: wish.tables.length, schema: wish.into_schema, target });
  return t(wish.replace ? 'restore.will_replace' : 'restore.will_create', { target });
}

function safety(wish) {
  if (wish.into_schema) return [t('restore.safe_copy'), t('restore.safe_verified')];
  if (!wish.replace) return [t('restore.safe_new'), t('restore.safe_verified')];
  return [t('restore.safe_beside'), t(wish.drop_old ? 'restore.drops_old' : 'restore.keeps_old'), t('restore.safe_sessions'), t('restore.safe_failed')];
}
