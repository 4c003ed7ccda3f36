// What happened, as it was recorded.

import { get } from '../api.js';
import { h, icon } from '../dom.js';
import { t, term } from '../i18n.js';
import { stateBadge, when } from '../parts/badge.js';
import { choice, field } from '../parts/form.js';
import { backupLink } from '../parts/result.js';
import { empty, head } from '../parts/states.js';
import { paged, table } from '../parts/table.js';

const LEVELS = ['INFO', 'WARNING', 'ERROR'];

export async function draw({ query, signal }) {
  let level = query.nivel ?? '';
  const list = paged({
    ask: (limit, offset) => get('log', { limit, offset, nivel: level }, { signal }), signal, size: 50,
    none: () => empty(t('log.empty'), t('log.empty_text')), draw: rows,
  });
  const filter = choice([['', t('all')], ...LEVELS.map((code) => [code, term('log_level', code)])], level, {
    onchange: () => {
      level = filter.value;
      list.first();
    },
  });
  return [
    head(t('page.log'), t('log.lead'), h('button', { type: 'button', onclick: () => list.fill() }, icon('turn'), t('refresh'))),
    h('div.filters.card', {}, field(t('log.level'), filter)), list.place,
  ];
}

function rows(events) {
  return table(t('page.log'), [
    { title: t('col.when'), cell: (event) => when(event.fecha_hora ?? event.fecha) },
    { title: t('log.level'), cell: (event) => levelOf(event.nivel_log ?? event.nivel) },
    { title: t('log.event'), lead: true, cell: (event) => term('event', event.tipo_evento ?? event.tipo) },
    { title: t('log.backup'), cell: (event) => (event.backup_id ? backupLink(event.backup_id, `#${event.backup_id}`) : t('none')) },
    { title: t('col.detail'), cell: (event) => particulars(event.detalle) },
  ], events);
}

function levelOf(level) {
  const state = { ERROR: 'ERROR', WARNING: 'ADVERTENCIA', ADVERTENCIA: 'ADVERTENCIA' }[level];
  return state ? stateBadge(state) : term('log_level', level);
}

/** Names and values of whatever was written down. */
export function particulars(detail) {
  if (detail === null || detail === undefined || detail === '') return t('none');
  if (typeof detail !== 'object') return String(detail);
  const pairs = Object.entries(detail).filter(([, value]) => value !== null);
  if (pairs.length === 0) return t('none');
  return h('ul.plain.small', {}, pairs.map(([key, value]) => h('li', {}, h('code', {}, key), ' ', typeof value === 'object' ? JSON.stringify(value) : String(value))));
}
