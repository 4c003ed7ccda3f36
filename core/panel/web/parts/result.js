// What became of a job, by what it was: the records of the command line, drawn.

import { address } from '../api.js';
import { h, icon } from '../dom.js';
import { bytes, duration, number, t, term } from '../i18n.js';
import { backupPath, href } from '../router.js';
import { kindBadge, lookBadge, stateBadge, verdictBadge, when } from './badge.js';
import { facts, note, section } from './states.js';
import { local, table } from './table.js';

const DRAWN = {
  backup, restore, validate, export: exported, upload: copied, expire: expired, 'sink-check': promises, 'sink-sync': copied,
};

/** The result of a job. */
export function resultOf(job) {
  const record = job.resultado;
  const tone = record.exitoso === false || record.invalidos > 0 || differs(record) ? 'warn' : 'good';
  return [record.mensaje && note(tone, h('p.strong', {}, sentence(record.mensaje))), warnings(record.avisos), DRAWN[job.clase]?.(record, job)];
}

/** The command line's words begin small. */
function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function differs(record) {
  return (record.verificacion?.distintas?.length ?? 0) > 0;
}

/** Things somebody should look at. */
export function warnings(list) {
  return list?.length > 0 && note('warn', h('ul', {}, list.map((warning) => h('li', {}, warning.mensaje))));
}

function backup(record) {
  return [
    section(t('result.backup'), facts([
      [t('col.kind'), kindBadge(record.tipo)], [t('col.name'), backupLink(record.id ?? record.nombre, record.nombre)],
      [t('col.size'), bytes(record.tamano_bytes)], [t('col.duration'), duration(record.duracion_segundos)],
      [t('backup.point'), when(record.instantanea)],
      [t('backup.tables'), t('tables.dumped_of', { dumped: record.tablas_volcadas, total: record.tablas_total })],
      record.motivo_full && [t('backup.full_reason'), term('full_reason', record.motivo_full)],
    ]), record.destinos?.length > 0 && table(t('storage.sinks'), [
      { title: t('col.sink'), lead: true, cell: (sink) => sink.nombre },
      { title: t('col.state'), cell: (sink) => term('sink_state', sink.estado) },
      { title: t('col.address'), cell: (sink) => h('code.wrap', {}, sink.url ?? t('none')) },
    ], record.destinos)),
    coverage(record.cobertura),
    record.tablas?.length > 0 && section(t('backup.tables'), local({
      rows: record.tablas, matches: (row, text) => row.tabla.toLowerCase().includes(text), search: t('search.table'),
      draw: (rows) => table(t('backup.tables'), [
        { title: t('col.table'), lead: true, cell: (row) => h('code.wrap', {}, row.tabla) },
        { title: t('col.dumped'), cell: (row) => dumped(row.volcada) },
        { title: t('col.reason'), cell: (row) => h('code', {}, row.motivo) },
        { title: t('col.rows'), end: true, cell: (row) => (row.filas === null ? t('none') : number(row.filas)) },
        { title: t('col.text'), end: true, cell: (row) => (row.bytes === null ? t('none') : bytes(row.bytes)) },
      ], rows),
    })),
  ];
}

/** Whether a table's rows are in the archive. */
export function dumped(is) {
  return h('span.badge', { class: is ? 'good' : 'plain' }, icon(is ? 'check' : 'dot'), t(is ? 'dumped.yes' : 'dumped.no'));
}

/** What the role could not read, with the statements that mend it. */
export function coverage(record) {
  if (!record || record.completa) return null;
  return note('warn', h('p.strong', {}, t('coverage.missing', { count: record.faltantes.length })),
    h('ul', {}, record.faltantes.map((gap) => h('li', {}, h('code', {}, gap.objeto), ' ', term('gap', gap.causa), gap.remedio && h('pre', {}, gap.remedio)))));
}

/** A link to a backup's page. */
export function backupLink(id, words) {
  return h('a.wrap', { href: href(backupPath(id)) }, words ?? `#${id}`);
}

function restore(record) {
  const verified = record.verificacion;
  return section(t('result.restore'), facts([
    [t('restore.target'), h('code', {}, record.base_destino)], [t('backup.point'), when(record.instantanea)],
    [t('col.duration'), duration(record.tiempo_segundos)], [t('restore.tables'), number(record.tablas_restauradas)],
    record.anterior && [t('restore.kept_as'), h('code.wrap', {}, record.anterior)],
    [t('restore.verified'), verdictBadge(!differs(record), t('restore.equal', { equal: verified.iguales, tables: verified.tablas }))],
  ]), differs(record) && table(t('restore.different'), [
    { title: t('col.table'), lead: true, cell: (row) => h('code.wrap', {}, row.tabla) },
    { title: t('restore.rows_expected'), end: true, cell: (row) => number(row.filas_esperadas) },
    { title: t('restore.rows_found'), end: true, cell: (row) => number(row.filas_encontradas) },
    { title: t('col.reason'), cell: (row) => row.motivo ?? t('unknown') },
  ], verified.distintas), h('details', {}, h('summary', {}, t('restore.applied')),
    h('ul', {}, record.backups_aplicados.map((name) => h('li', {}, h('code.wrap', {}, name))))));
}

function validate(record) {
  return section(t('result.validation'), local({ rows: record.validaciones, draw: validationTable }));
}

/** Looks at backups: what was found in each. */
export function validationTable(rows) {
  return table(t('page.validation'), [
    { title: t('col.name'), lead: true, cell: (row) => backupLink(looked(row) ?? nameOf(row.archivo), nameOf(row.archivo)) },
    { title: t('col.kind'), cell: (row) => kindBadge(row.tipo) },
    { title: t('col.result'), cell: (row) => lookBadge(row.resultado, row.nivel) },
    { title: t('validation.level'), cell: (row) => term('level', row.nivel) },
    { title: t('col.when'), cell: (row) => when(row.fecha) },
    { title: t('col.duration'), end: true, cell: (row) => duration(row.tiempo_segundos) },
    { title: t('validation.findings'), cell: (row) => findings(row.hallazgos ?? []) },
  ], rows);
}

/** The number of the backup that was looked at: a recorded look has one of its own besides. */
function looked(row) {
  return 'backup_id' in row ? row.backup_id : row.id;
}

/** The last part of a path or an address. */
export function nameOf(path) {
  return String(path ?? '').split(/[\\/]/).pop();
}

/** What was found wrong. */
export function findings(list) {
  if (list.length === 0) return t('validation.nothing');
  return h('ul.plain', {}, list.map((finding) => h('li', {}, stateBadge(finding.gravedad), ' ', finding.objeto && [h('code.wrap', {}, finding.objeto), ' '],
    finding.mensaje || finding.codigo)));
}

function exported(record, job) {
  const link = record.descarga ?? job.descarga;
  return section(t('result.export'), facts([
    [t('col.name'), h('code.wrap', {}, record.nombre)], [t('col.size'), bytes(record.tamano_bytes)],
    [t('backup.point'), when(record.instantanea)], [t('restore.tables'), number(record.tablas)],
  ]), h('p', {}, t('export.text')),
  link && h('a.button.primary', { href: address(link.startsWith('/') ? relativeTo(link) : link).href, download: true }, icon('download'), t('export.download')));
}

/** The service names its routes from its root; links go through the panel's prefix. */
function relativeTo(link) {
  return link.slice(link.indexOf('/api/v1/') + '/api/v1/'.length);
}

/** Into one sink, or into each of several. */
function copied(record) {
  if (Array.isArray(record.destinos)) return record.destinos.map(copied);
  return section(t('result.copies'), facts([
    [t('col.sink'), record.destino ?? t('none')], record.url && [t('col.address'), h('code.wrap', {}, record.url)],
    record.bytes !== undefined && [t('col.size'), bytes(record.bytes)],
  ]), list(t('result.copied'), record.copiados), lacks(record.fallidos));
}

function list(title, names) {
  return names?.length > 0 && h('details', { open: names.length <= 10 }, h('summary', {}, `${title} (${number(names.length)})`),
    h('ul', {}, names.map((name) => h('li', {}, h('code.wrap', {}, typeof name === 'string' ? name : name.archivo)))));
}

function lacks(rows) {
  return rows?.length > 0 && note('bad', h('ul', {}, rows.map((row) => h('li', {}, h('code', {}, row.archivo), ' ', row.motivo))));
}

function promises(record) {
  return section(t('result.check'), table(t('result.check'), [
    { title: t('check.promise'), lead: true, cell: (row) => row.promesa },
    { title: t('col.result'), cell: (row) => verdictBadge(row.cumple, t(row.cumple ? 'check.kept' : 'check.broken')) },
    { title: t('col.detail'), cell: (row) => row.detalle ?? t('none') },
  ], record.comprobaciones ?? []));
}

function expired(record) {
  return section(t('result.expire'), facts([[t('retention.freed'), bytes(record.bytes_liberados)]]),
    list(t('retention.gone'), record.eliminados),
    record.pendientes?.length > 0 && note('warn', h('ul', {}, record.pendientes.map((name) => h('li', {}, name)))));
}
