// A job while it is at work and what became of it. It outlives broken connections and restarts of the service.

import { get, remove, stream } from '../api.js';
import { h, icon, replace } from '../dom.js';
import { bytes, duration, number, secondsBetween, t, term } from '../i18n.js';
import { stateBadge, when } from './badge.js';
import { action } from './form.js';
import { ask } from './dialog.js';
import { resultOf } from './result.js';
import { facts, note, problemParts } from './states.js';
import { announce } from './toast.js';

const LOOK_AGAIN_MS = 2000;
/** Of the tables that are done the newest are listed. */
const TABLES_SHOWN = 200;

/** Whether a job is over. */
export function isOver(job) {
  return !['EN_COLA', 'EN_PROGRESO'].includes(job.estado);
}

/** Shows a job and follows it; `signal` ends that, `ended` hears of its end. */
export function follow(first, { signal, ended = null } = {}) {
  let job = first;
  const place = h('div.job');
  const live = liveParts(() => job);
  const close = [];
  const stop = () => close.splice(0).forEach((done) => done());

  const take = (next) => {
    job = { ...job, ...next };
    if (isOver(job)) finish();
    else live.show();
  };
  const finish = () => {
    stop();
    replace(place, over(job));
    announce(t('job.announce', { what: term('job', job.clase), state: term('state', job.estado) }));
    ended?.(job);
  };
  const look = async () => {
    if (signal?.aborted || isOver(job)) return;
    try {
      take(await get(`jobs/${job.id}`));
      live.lost(false);
    } catch (error) {
      if (error.status === 404) return replace(place, h('div.failure', {}, icon('warn'), h('div', {}, problemParts(error))));
      if (error.status === 401) return undefined;
      live.lost(true);
      return later();
    }
    return undefined;
  };
  let timer = null;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(look, LOOK_AGAIN_MS);
  };

  if (isOver(job)) {
    replace(place, over(job));
    return place;
  }
  replace(place, live.element);
  live.show();
  const clock = setInterval(live.tick, 1000);
  close.push(() => clearInterval(clock), () => clearTimeout(timer), stream(`jobs/${job.id}/events`, {
    lost: () => { live.lost(true); later(); },
    back: look,
    on: {
      progreso: (summary) => { live.lost(false); take(summary); },
      tabla: (table) => live.table(table),
      fin: (whole) => take(whole),
    },
  }));
  signal?.addEventListener('abort', stop);
  return place;
}

/** What is seen while a job is at work. */
function liveParts(current) {
  const step = h('p.strong', { 'aria-live': 'polite' });
  const bar = h('progress', { 'aria-label': t('job.progress') });
  const figures = h('p.figures');
  const since = h('span');
  const warning = h('div', { role: 'status' });
  const done = h('ul.done');
  const list = h('details.done-list', { open: true }, h('summary', {}, t('job.tables')), done);
  list.hidden = true;
  const cancel = cancelButton(current);
  const element = h('section.card.live', {},
    h('div.live-head', {}, stateBadge('EN_PROGRESO'), h('span', {}, icon('clock'), since), cancel), warning, step, bar, figures, list);
  const show = () => {
    const progress = current().progreso ?? {};
    const words = current().cancelando ? t('job.stopping') : progress.paso ? term('step', progress.paso) : t('job.waiting');
    if (step.textContent !== words) step.textContent = words;
    if (progress.bytes_total) {
      bar.max = progress.bytes_total;
      bar.value = Math.min(progress.bytes ?? 0, progress.bytes_total);
    } else bar.removeAttribute('value');
    figures.textContent = figuresOf(progress);
    tick();
  };
  const tick = () => {
    since.textContent = duration(Math.floor(secondsBetween(current().inicio ?? current().creado, Date.now())));
  };
  const table = (row) => {
    const name = row.tabla ?? row.nombre ?? '';
    list.hidden = false;
    done.prepend(h('li', {}, icon('check'), h('code', {}, name), row.filas !== undefined && h('span', {}, t('rows', { count: row.filas })),
      row.bytes !== undefined && h('span', {}, bytes(row.bytes))));
    while (done.children.length > TABLES_SHOWN) done.lastChild.remove();
  };
  const lost = (isLost) => replace(warning, isLost && note('warn', h('p', {}, t('job.lost'))));
  return { element, show, tick, table, lost };
}

function figuresOf(progress) {
  const parts = [];
  if (progress.tablas) parts.push(t('tables.done', { count: progress.tablas }));
  if (progress.tabla) parts.push(progress.tabla);
  if (progress.bytes_total) parts.push(t('job.bytes', { done: bytes(progress.bytes ?? 0), total: bytes(progress.bytes_total) }));
  else if (progress.bytes) parts.push(bytes(progress.bytes));
  return parts.join(' · ');
}

function cancelButton(current) {
  const role = current().clase === 'restore' ? 'ADMIN' : 'OPERATOR';
  return action(t('job.cancel'), () => ask({
    title: t('job.cancel_title'), content: h('p', {}, t('job.cancel_text')), words: t('job.cancel'), tone: 'danger', closing: t('job.go_on'),
    act: () => remove(`jobs/${current().id}`),
  }), { role, picture: 'cross' });
}

/** What is seen when a job is over. */
function over(job) {
  const seconds = job.fin && (job.inicio ?? job.creado) ? secondsBetween(job.inicio ?? job.creado, job.fin) : null;
  return [
    h('section.card', {}, facts([
      [t('job.what'), term('job', job.clase)], [t('col.state'), stateBadge(job.estado)], [t('job.who'), job.usuario || t('none')],
      [t('job.begun'), when(job.inicio ?? job.creado)], [t('job.ended'), when(job.fin)],
      seconds !== null && [t('col.duration'), duration(seconds)],
    ])),
    job.estado === 'INTERRUMPIDO' && note('warn', h('p.strong', {}, t('job.interrupted')), h('p', {}, t(job.clase === 'restore' ? 'interrupted.restore' : 'interrupted.other'))),
    job.estado === 'CANCELADO' && note('plain', h('p', {}, t('job.cancelled'))),
    job.error && h('div.failure', { role: 'alert' }, icon('warn'), h('div', {}, problemParts(job.error))),
    job.resultado && resultOf(job),
  ];
}

/** Begins a long work and shows it on its own page, which the way back does not begin again. */
export async function begin(start, go) {
  const job = await start();
  go(`job/${encodeURIComponent(job.id)}`);
  return job;
}

/** How far a job is, as a share of one hundred; null where nobody knows. */
export function percent(job) {
  const { bytes: done, bytes_total: all } = job.progreso ?? {};
  return all ? `${number(Math.min(100, (done / all) * 100))}\u00a0%` : null;
}
