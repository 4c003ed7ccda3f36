// Every backup: searched, filtered, sorted, and what can be done with each.

import { get } from '../api.js';
import { h, icon } from '../dom.js';
import { bytes, duration, secondsBetween, t, term } from '../i18n.js';
import { deleteIt, exportIt, restore, spoken, upload, validate } from '../parts/backup_actions.js';
import { kindBadge, noteBadge, stateBadge, when } from '../parts/badge.js';
import { action, choice, field } from '../parts/form.js';
import { backupLink } from '../parts/result.js';
import { empty, head } from '../parts/states.js';
import { paged, table } from '../parts/table.js';
import { href, note } from '../router.js';

const KINDS = ['FULL', 'DIFERENCIAL', 'INCREMENTAL'];
const STATES = ['COMPLETADO', 'EN_PROGRESO', 'FALLIDO', 'PENDIENTE', 'VALIDANDO'];
const LATER_MS = 250;

export async function draw({ query, signal }) {
  const wish = {
    tipo: query.tipo ?? '', estado: query.estado ?? '', desde: query.desde ?? '', hasta: query.hasta ?? '', buscar: query.buscar ?? '',
    orden: query.orden ?? 'fecha', dir: query.dir ?? 'desc',
  };
  const sorting = {
    get by() { return wish.orden; },
    get direction() { return wish.dir; },
    choose(by, direction) {
      Object.assign(wish, { orden: by, dir: direction });
      list.first().then(() => list.place.querySelector(`[data-sort="${by}"]`)?.focus());
    },
  };
  const list = paged({
    ask: (limit, offset) => get('backups', asked(wish, limit, offset), { signal }), signal,
    size: Number(query.limit) || 25, offset: Number(query.offset) || 0,
    onmove: (limit, offset) => note(remembered(wish, limit, offset)),
    none: () => none(wish), draw: (rows) => table(t('page.history'), columns(() => list.fill()), rows, sorting),
  });
  return [
    head(t('page.history'), t('history.lead'), h('button', { type: 'button', onclick: () => list.fill() }, icon('turn'), t('refresh'))),
    filters(wish, () => list.first()), list.place,
  ];
}

/** The day given is meant as the user's: from its first moment to its last. */
function asked(wish, limit, offset) {
  const desde = wish.desde && new Date(`${wish.desde}T00:00:00`).toISOString();
  const hasta = wish.hasta && new Date(`${wish.hasta}T23:59:59.999`).toISOString();
  return { ...wish, desde, hasta, limit, offset };
}

function remembered(wish, limit, offset) {
  const usual = { orden: 'fecha', dir: 'desc', limit: 25, offset: 0 };
  return Object.fromEntries(Object.entries({ ...wish, limit, offset }).filter(([key, value]) => value !== '' && value !== usual[key]));
}

function filters(wish, changed) {
  let timer = null;
  const search = h('input', { type: 'search', value: wish.buscar });
  search.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => set('buscar', search.value.trim()), LATER_MS);
  });
  const set = (key, value) => {
    wish[key] = value;
    changed();
  };
  const date = (key) => h('input', { type: 'date', value: wish[key], onchange: (event) => set(key, event.target.value) });
  const one = (key, words, options) => choice([['', words], ...options], wish[key], { onchange: (event) => set(key, event.target.value) });
  const controls = [
    field(t('search'), search), field(t('col.kind'), one('tipo', t('all'), KINDS.map((kind) => [kind, term('kind', kind)]))),
    field(t('col.state'), one('estado', t('all'), STATES.map((state) => [state, term('state', state)]))),
    field(t('from'), date('desde')), field(t('until'), date('hasta')),
  ];
  const reset = h('button.quiet', {
    type: 'button', onclick: () => {
      for (const key of ['tipo', 'estado', 'desde', 'hasta', 'buscar']) wish[key] = '';
      controls.forEach((place) => { place.querySelector(':is(input,select)').value = ''; });
      changed();
    },
  }, icon('close'), t('filters.reset'));
  return h('form.filters.card', { role: 'search', onsubmit: (event) => event.preventDefault() }, controls, reset);
}

function none(wish) {
  const isFiltered = wish.tipo || wish.estado || wish.desde || wish.hasta || wish.buscar;
  if (isFiltered) return empty(t('empty.search'), t('empty.search_text'));
  return empty(t('overview.empty'), t('overview.empty_text'), h('a.button.primary', { href: href('run') }, icon('play'), t('page.run')));
}

function columns(again) {
  return [
    { title: t('col.name'), lead: true, cell: (row) => [backupLink(row.id ?? row.nombre, row.nombre), row.etiqueta && h('span.hint', {}, row.etiqueta)] },
    { title: t('col.kind'), sort: 'tipo', cell: (row) => kindBadge(row.tipo) },
    { title: t('col.when'), sort: 'fecha', cell: (row) => when(row.fecha_inicio) },
    { title: t('col.duration'), end: true, cell: (row) => duration(secondsBetween(row.fecha_inicio, row.fecha_fin)) },
    { title: t('col.size'), sort: 'tamano', end: true, cell: (row) => bytes(row.tamano) },
    {
      title: t('col.state'), sort: 'estado', cell: (row) => [stateBadge(row.estado), row.nube_subido && noteBadge('plain', t('history.copied')),
        !row.propio && noteBadge('plain', t('history.foreign')), row.error_mensaje && h('span.hint', {}, row.error_mensaje)],
    },
    { title: t('col.actions'), cell: (row) => actions(row, again) },
  ];
}

function actions(row, again) {
  const one = (key, picture, role, act, reason = null) => action(h('span.unseen', {}, t(`action.${key}`)), act,
    { role, picture, tone: 'quiet', label: t(`action_of.${key}`, { backup: spoken(row) }), reason });
  const undone = row.estado === 'COMPLETADO' ? null : t('action.incomplete');
  return h('div.row-actions', {},
    one('validate', 'check', 'OPERATOR', () => validate(row), undone), one('upload', 'cloud', 'OPERATOR', () => upload(row), undone),
    one('restore', 'undo', 'ADMIN', () => restore(row), undone), one('export', 'download', 'ADMIN', () => exportIt(row), undone),
    one('delete', 'bin', 'ADMIN', () => deleteIt(row, again)));
}
