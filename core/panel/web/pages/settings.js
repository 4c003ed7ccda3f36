// The settings in force, and where each comes from. They are changed in the configuration file.

import { get } from '../api.js';
import { h } from '../dom.js';
import { t } from '../i18n.js';
import { forAdmins } from '../parts/admin.js';
import { head, note } from '../parts/states.js';
import { local, table } from '../parts/table.js';

export async function draw({ signal }) {
  return forAdmins(t('page.settings'), t('settings.lead'), async () => {
    const { ajustes: all } = await get('config', {}, { signal });
    return [
      head(t('page.settings'), t('settings.lead')), note('plain', t('settings.how')),
      local({
        rows: all, size: 50, matches: (row, text) => row.clave.includes(text) || String(row.valor).toLowerCase().includes(text),
        draw: (rows) => table(t('page.settings'), [
          { title: t('settings.key'), lead: true, cell: (row) => h('code.wrap', {}, row.clave) },
          { title: t('settings.value'), cell: (row) => h('code.wrap', {}, row.valor) },
          { title: t('settings.origin'), cell: (row) => row.origen },
        ], rows),
      }),
    ];
  });
}
