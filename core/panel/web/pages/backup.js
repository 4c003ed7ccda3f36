// One backup: what it is, why each table was dumped or not, where each table's data lies, what it builds on.

import { get } from '../api.js';
import { h, icon } from '../dom.js';
import { bytes, duration, exact, number, t, term } from '../i18n.js';
import { deleteIt, exportIt, restore, spoken, upload, validate } from '../parts/backup_actions.js';
import { kindBadge, stateBadge, when } from '../parts/badge.js';
import { chain } from '../parts/chain.js';
import { bar } from '../parts/chart.js';
import { action } from '../parts/form.js';
import { backupLink, coverage, dumped, validationTable } from '../parts/result.js';
import { empty, facts, filled, head, section } from '../parts/states.js';
import { paged, table } from '../parts/table.js';
import { backupOf, go, href } from '../router.js';

const FIRST_TABLES = 25;
const TONES = ['tone-a', 'tone-b', 'tone-c', 'tone-d', 'tone-e'];

export async function draw({ id, signal }) {
  const path = `backups/${encodeURIComponent(backupOf(id))}`;
  const backup = await get(path, { tablas_limit: 1 }, { signal });
  const key = backup.id ?? backup.nombre;
  const act = (name, picture, role, does, tone = '') => action(t(`action.${name}`), does, { role, picture, tone });
  return [
    head(spoken(backup), backup.etiqueta,
      act('validate', 'check', 'OPERATOR', () => validate(backup)), act('upload', 'cloud', 'OPERATOR', () => upload(backup)),
      act('restore', 'undo', 'ADMIN', () => restore(backup), 'primary'), act('export', 'download', 'ADMIN', () => exportIt(backup)),
      act('delete', 'bin', 'ADMIN', () => deleteIt(backup, () => go('history')), 'danger')),
    coverage(backup.cobertura), summary(backup),
    section(t('backup.chain'), h('p.hint', {}, t('backup.chain_text')),
      filled(() => get(`${path}/chain`, {}, { signal }), (found) => chain(found, key), signal).place),
    section(t('backup.sources'), h('p.hint', {}, t('backup.sources_text')),
      filled(() => get('preview', { id: key }, { signal }), sources, signal).place),
    section(t('backup.tables'), tables(path, signal)),
    section(t('page.validation'), looks(key, signal)),
    section(t('backup.objects'), objects(backup)),
  ];
}

function summary(backup) {
  const source = backup.origen;
  return section(t('backup.summary'), facts([
    [t('col.state'), stateBadge(backup.estado)], [t('col.kind'), kindBadge(backup.tipo)],
    [t('backup.point'), h('time', { datetime: backup.instantanea }, exact(backup.instantanea))],
    [t('col.duration'), duration(backup.duracion_segundos)], [t('col.size'), bytes(backup.tamano_bytes)],
    [t('backup.tables'), t('tables.dumped_of', { dumped: backup.tablas_volcadas, total: backup.tablas_total })],
    backup.motivo_full && [t('backup.full_reason'), term('full_reason', backup.motivo_full)],
    [t('backup.trigger'), term('trigger', backup.disparador)],
    backup.base && [t('backup.base'), backupLink(backup.base, backup.base)],
    backup.full !== backup.nombre && [t('backup.full'), backupLink(backup.full, backup.full)],
    [t('backup.database'), source.base_datos], [t('backup.tools'), Object.values(backup.herramientas).filter((tool) => typeof tool === 'string').join(' · ')],
  ]), h('details', {}, h('summary', {}, t('backup.more')), facts([
    [t('col.address'), h('code.wrap', {}, backup.archivo)], [t('col.checksum'), h('code.wrap', {}, backup.checksum_sha256 ?? t('unknown'))],
    [t('backup.lsn'), h('code', {}, `${backup.lsn_inicio ?? t('unknown')} – ${backup.lsn_fin ?? t('unknown')}`)],
    [t('backup.large_objects'), number(backup.objetos_grandes?.cantidad ?? 0)],
    [t('backup.excluded'), backup.excluidos.length > 0 ? backup.excluidos.join(', ') : t('none')],
    [t('backup.schemas'), backup.esquemas.join(', ')],
  ])));
}

/** Of all that a restore of this point reads: how much lies in which archive. */
function sources(preview) {
  const parts = new Map(preview.backups.map((backup) => [nameOf(backup), { backup, tables: 0, size: 0 }]));
  for (const row of preview.tablas) {
    const part = parts.get(row.backup);
    if (!part) continue;
    part.tables += 1;
    part.size += row.bytes;
  }
  const rows = [...parts.values()];
  if (rows.length === 0) return empty(t('empty.title'));
  return [
    bar(rows.map((part, at) => ({ share: part.size, tone: TONES[at % TONES.length] })), t('backup.sources_label', { count: rows.length })),
    table(t('backup.sources'), [
      { title: t('col.name'), lead: true, cell: (part) => [h('span.swatch', { class: TONES[rows.indexOf(part) % TONES.length] }), backupLink(part.backup.id ?? nameOf(part.backup), nameOf(part.backup))] },
      { title: t('col.kind'), cell: (part) => kindBadge(part.backup.tipo) },
      { title: t('col.when'), cell: (part) => when(part.backup.fecha) },
      { title: t('backup.tables'), end: true, cell: (part) => number(part.tables) },
      { title: t('col.text'), end: true, cell: (part) => bytes(part.size) },
    ], rows),
  ];
}

function nameOf(backup) {
  return backup.archivo.split(/[\\/]/).pop();
}

function tables(path, signal) {
  let wanted = '';
  const list = paged({
    ask: async (limit, offset) => {
      const found = await get(path, { tablas_limit: limit, tablas_offset: offset, tabla: wanted }, { signal });
      return { elementos: found.tablas, total: wanted === '' ? found.tablas_total : found.tablas_encontradas ?? found.tablas.length };
    },
    signal, size: FIRST_TABLES, none: () => empty(t('empty.search')),
    draw: (rows) => table(t('backup.tables'), [
      { title: t('col.table'), lead: true, cell: (row) => [h('code.wrap', {}, row.tabla), row.clase !== 'tabla' && h('span.hint', {}, term('class', row.clase))] },
      { title: t('col.dumped'), cell: (row) => dumped(row.volcada) },
      { title: t('col.reason'), words: true, cell: (row) => row.explicacion },
      { title: t('backup.lies_in'), cell: (row) => (row.datos ? backupLink(row.datos.archivo, row.datos.archivo.replace(/\.backup$/, '')) : t('none')) },
      { title: t('col.rows'), end: true, cell: (row) => (row.datos ? number(row.datos.filas) : t('none')) },
      { title: t('col.text'), end: true, cell: (row) => (row.datos ? bytes(row.datos.bytes) : t('none')) },
      { title: t('col.fingerprint'), cell: (row) => (row.datos ? short(row.datos.huella) : t('none')) },
    ], rows),
  });
  const search = h('input', { type: 'search', 'aria-label': t('search.table'), placeholder: t('search.table') });
  let timer = null;
  search.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      wanted = search.value.trim();
      list.first();
    }, 250);
  });
  return [h('div.filters', {}, search), list.place];
}

/** The beginning of a hash; all of it for whoever points at it. */
function short(hash) {
  return h('code.small', { title: hash }, `${hash.slice(0, 12)}…`);
}

function looks(key, signal) {
  return paged({
    ask: (limit, offset) => get('validations', { backup: key, limit, offset }, { signal }), signal, size: 10,
    none: () => empty(t('backup.unlooked'), t('backup.unlooked_text'), h('a.button', { href: href('validation', { id: key }) }, icon('check'), t('page.validation'))),
    draw: validationTable,
  }).place;
}

function objects(backup) {
  return [
    table(t('backup.objects'), [
      { title: t('col.object'), lead: true, cell: (row) => h('code.wrap', {}, row.clave) },
      { title: t('col.role'), cell: (row) => term('object', row.rol) },
      { title: t('col.size'), end: true, cell: (row) => bytes(row.bytes) },
      { title: t('col.checksum'), cell: (row) => short(row.sha256) },
    ], backup.objetos),
    backup.destinos?.length > 0 && table(t('storage.sinks'), [
      { title: t('col.sink'), lead: true, cell: (sink) => sink.nombre }, { title: t('col.state'), cell: (sink) => term('sink_state', sink.estado) },
      { title: t('col.address'), cell: (sink) => h('code.wrap', {}, sink.url ?? t('none')) },
    ], backup.destinos),
  ];
}
