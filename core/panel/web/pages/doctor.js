// The surroundings, checked: what is in order, what is not, and the statement that mends it.

import { get } from '../api.js';
import { h, icon } from '../dom.js';
import { t, term } from '../i18n.js';
import { forAdmins } from '../parts/admin.js';
import { stateBadge } from '../parts/badge.js';
import { filled, head, note, section } from '../parts/states.js';
import { table } from '../parts/table.js';

const WORST_FIRST = ['MAL', 'ADVERTENCIA', 'BIEN'];

export async function draw({ signal }) {
  return forAdmins(t('page.doctor'), t('doctor.lead'), async () => {
    const checks = filled(() => get('doctor', {}, { signal }), report, signal);
    return [head(t('page.doctor'), t('doctor.lead'), h('button', { type: 'button', onclick: checks.fill }, icon('turn'), t('doctor.again'))), checks.place];
  });
}

function report(found) {
  const checks = found.comprobaciones;
  const settings = checks.filter((check) => check.nombre === 'configuracion' && check.estado === 'BIEN');
  const other = checks.filter((check) => !settings.includes(check));
  other.sort((a, b) => WORST_FIRST.indexOf(a.estado) - WORST_FIRST.indexOf(b.estado));
  return [
    note(found.exitoso ? 'good' : 'bad', h('p.strong', {}, found.mensaje)),
    section(t('doctor.checks'), list(other)),
    settings.length > 0 && h('details.card', {}, h('summary', {}, t('doctor.settings', { count: settings.length })), list(settings)),
  ];
}

function list(checks) {
  return table(t('doctor.checks'), [
    { title: t('doctor.check'), lead: true, cell: (check) => term('check', check.nombre) },
    { title: t('col.state'), cell: (check) => stateBadge(check.estado) },
    { title: t('col.detail'), cell: (check) => [check.mensaje, check.sugerencia && h('pre', {}, check.sugerencia)] },
  ], checks);
}
