// What is kept, and what would go: shown before anything does.

import { get, newKey, post, put } from '../api.js';
import { h } from '../dom.js';
import { bytes, t, term } from '../i18n.js';
import { kindBadge, when } from '../parts/badge.js';
import { ask } from '../parts/dialog.js';
import { action, field } from '../parts/form.js';
import { begin } from '../parts/progress.js';
import { backupLink } from '../parts/result.js';
import { empty, filled, head, note, section } from '../parts/states.js';
import { local, table } from '../parts/table.js';
import { toast, toastProblem } from '../parts/toast.js';
import { go } from '../router.js';

const RULES = [['full_months', 240], ['dif_weeks', 520], ['inc_days', 3650], ['min_chains', 100]];

export async function draw({ signal }) {
  const trial = filled(() => get('expiry', {}, { signal }), rehearsal, signal);
  const rules = filled(() => get('retention', {}, { signal }), (found) => form(found, async (body) => {
    await put('retention', body);
    toast(t('retention.saved'));
    await Promise.all([rules.fill(), trial.fill()]);
  }), signal);
  return [head(t('page.retention'), t('retention.lead')), section(t('retention.rules'), rules.place), section(t('retention.trial'), trial.place)];
}

function form(found, save) {
  const boxes = Object.fromEntries(RULES.map(([rule, max]) => [rule, h('input', { type: 'number', min: 0, max, value: found[rule], required: true })]));
  const element = h('form', { onsubmit: (event) => event.preventDefault() });
  const submit = async () => {
    if (!element.reportValidity()) return undefined;
    const changed = RULES.map(([rule]) => [rule, Number(boxes[rule].value)]).filter(([rule, value]) => value !== found[rule]);
    if (changed.length === 0) return toast(t('unchanged'), 'plain');
    try {
      await save(Object.fromEntries(changed));
    } catch (error) {
      toastProblem(error);
    }
    return undefined;
  };
  element.append(
    h('div.inline', {}, RULES.map(([rule]) => field(t(`retention_rule.${rule}`), boxes[rule]))),
    note('plain', t(found.automatica ? 'retention.automatic' : 'retention.manual')),
    action(t('retention.save'), submit, { role: 'ADMIN', picture: 'check', tone: 'primary' }));
  return element;
}

function rehearsal(found) {
  const gone = found.eliminados;
  return [
    h('p.strong', {}, found.mensaje),
    gone.length === 0 ? empty(t('retention.nothing'), t('retention.nothing_text')) : [
      local({ rows: gone, draw: (rows) => table(t('retention.would_go'), [
        { title: t('col.name'), lead: true, cell: (row) => backupLink(row.archivo, row.archivo) }, { title: t('col.kind'), cell: (row) => kindBadge(row.tipo) },
        { title: t('backup.point'), cell: (row) => when(row.instantanea) }, { title: t('retention.since'), cell: (row) => when(row.vencido_desde) },
        { title: t('col.size'), end: true, cell: (row) => bytes(row.tamano) },
      ], rows) }),
      action(t('retention.apply', { count: gone.length, size: bytes(found.bytes_liberados) }), () => apply(found), { role: 'ADMIN', picture: 'bin', tone: 'danger' }),
    ],
    h('details', {}, h('summary', {}, t('retention.would_stay', { count: found.conservados.length })), local({
      rows: found.conservados, draw: (rows) => table(t('retention.stays'), [
        { title: t('col.name'), lead: true, cell: (row) => backupLink(row.archivo, row.archivo) }, { title: t('col.kind'), cell: (row) => kindBadge(row.tipo) },
        { title: t('backup.point'), cell: (row) => when(row.instantanea) },
        { title: t('col.reason'), cell: (row) => [term('fate', row.motivo), row.necesario_para && h('span.hint', {}, row.necesario_para)] },
      ], rows),
    })),
  ];
}

function apply(found) {
  const key = newKey();
  return ask({
    title: t('retention.apply_title'), content: h('p', {}, t('retention.apply_text', { count: found.eliminados.length, size: bytes(found.bytes_liberados) })),
    words: t('delete.go'), typed: String(found.eliminados.length), tone: 'danger', act: () => begin(() => post('expiry', {}, { key }), go),
  });
}
