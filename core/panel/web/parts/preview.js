// What a restore would bring: the archives it reads, the tables and where their rows come from, and what is wrong.

import { h, icon, replace } from '../dom.js';
import { bytes, exact, number, t } from '../i18n.js';
import { kindBadge, when } from './badge.js';
import { action } from './form.js';
import { backupLink, findings } from './result.js';
import { facts, failure, loading, note } from './states.js';
import { local, table } from './table.js';

/** A preview; `live` asks for the comparison with the database as it is now. */
export function previewOf(preview, live) {
  if (!preview.existe) return note('warn', t('restore.nothing'));
  return [
    facts([
      [t('backup.point'), h('time', { datetime: preview.fecha_final }, exact(preview.fecha_final))],
      [t('preview.backups'), number(preview.cantidad_backups)], [t('preview.tables'), number(preview.tablas.length)],
      [t('preview.rows'), number(preview.tablas.reduce((sum, row) => sum + row.filas, 0))],
      [t('preview.to_read'), bytes(preview.bytes_a_leer ?? preview.tamano_total_bytes)],
    ]),
    preview.problemas.length > 0 && note('bad', h('p.strong', {}, t('preview.problems')), findings(preview.problemas)),
    h('details', {}, h('summary', {}, t('preview.chain')), table(t('preview.chain'), [
      { title: t('col.name'), lead: true, cell: (row) => backupLink(row.id ?? row.archivo.split(/[\\/]/).pop(), row.archivo.split(/[\\/]/).pop()) },
      { title: t('col.kind'), cell: (row) => kindBadge(row.tipo) }, { title: t('col.when'), cell: (row) => when(row.fecha) },
      { title: t('col.size'), end: true, cell: (row) => bytes(row.tamano) },
    ], preview.backups)),
    h('details', {}, h('summary', {}, t('preview.each')), local({
      rows: preview.tablas, matches: (row, text) => row.tabla.toLowerCase().includes(text), search: t('search.table'),
      draw: (rows) => table(t('preview.each'), [
        { title: t('col.table'), lead: true, cell: (row) => h('code.wrap', {}, row.tabla) },
        { title: t('preview.from'), cell: (row) => backupLink(row.backup_id ?? row.backup, row.backup) },
        { title: t('col.rows'), end: true, cell: (row) => number(row.filas) },
        { title: t('col.text'), end: true, cell: (row) => bytes(row.bytes) },
      ], rows),
    })),
    comparison(live),
  ];
}

function comparison(live) {
  const place = h('div', { 'aria-live': 'polite' });
  const look = async () => {
    replace(place, loading());
    try {
      replace(place, differences((await live()).en_vivo ?? []));
    } catch (error) {
      replace(place, failure(error, look));
    }
  };
  return h('div.compare', {}, action(t('preview.live'), look, { picture: 'eye' }), h('p.hint', {}, t('preview.live_hint')), place);
}

const WORDS = { identica: ['good', 'check'], desaparecerian: ['warn', 'warn'], volverian: ['warn', 'undo'], distinta: ['warn', 'warn'] };

function differences(rows) {
  const other = rows.filter((row) => row.cambio !== 'identica');
  const count = (value) => (value === null ? t('none') : number(value));
  if (other.length === 0) return note('good', t('preview.same', { count: rows.length }));
  return [
    note('warn', t('preview.differ', { count: other.length, total: rows.length })),
    local({
      rows: other, draw: (some) => table(t('preview.live'), [
        { title: t('col.table'), lead: true, cell: (row) => h('code.wrap', {}, row.tabla) },
        {
          title: t('preview.change'), cell: (row) => {
            const [tone, picture] = WORDS[row.cambio] ?? ['plain', 'dot'];
            return h('span.badge', { class: tone }, icon(picture), t(`live.${row.cambio}`));
          },
        },
        { title: t('preview.rows_now'), end: true, cell: (row) => count(row.filas_actuales) },
        { title: t('preview.rows_then'), end: true, cell: (row) => count(row.filas_punto) },
      ], some),
    }),
  ];
}
