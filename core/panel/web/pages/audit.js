// Who changed what.

import { get } from '../api.js';
import { h, icon } from '../dom.js';
import { t } from '../i18n.js';
import { forAdmins } from '../parts/admin.js';
import { noteBadge, when } from '../parts/badge.js';
import { empty, head } from '../parts/states.js';
import { paged, table } from '../parts/table.js';
import { particulars } from './log.js';

export async function draw({ signal }) {
  return forAdmins(t('page.audit'), t('audit.lead'), async () => {
    const list = paged({
      ask: (limit, offset) => get('audit', { limit, offset }, { signal }), signal, size: 50,
      none: () => empty(t('audit.empty'), t('audit.empty_text')), draw: rows,
    });
    return [head(t('page.audit'), t('audit.lead'), h('button', { type: 'button', onclick: () => list.fill() }, icon('turn'), t('refresh'))), list.place];
  });
}

function rows(entries) {
  return table(t('page.audit'), [
    { title: t('col.when'), cell: (entry) => when(entry.fecha) },
    { title: t('login.name'), cell: (entry) => entry.usuario || t('none') },
    { title: t('audit.action'), lead: true, cell: (entry) => h('code.wrap', {}, entry.accion) },
    { title: t('col.object'), cell: (entry) => entry.objeto || t('none') },
    { title: t('col.result'), cell: (entry) => (entry.resultado === 'ok' ? t('audit.ok') : noteBadge('warn', String(entry.resultado))) },
    { title: t('audit.from'), cell: (entry) => entry.origen || t('none') },
    { title: t('col.detail'), cell: (entry) => particulars(entry.detalle) },
  ], entries);
}
