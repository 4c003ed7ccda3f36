// Where a restore goes: beside everything into a new database, in place, or some tables beside the live ones.

import { database } from '../api.js';
import { h, icon, replace } from '../dom.js';
import { bytes, t } from '../i18n.js';
import { baseNames } from '../session.js';
import { action, field, radios, textBox, tick } from './form.js';
import { note } from './states.js';

const TABLES_SHOWN = 200;

/** The form; `changed` hears of every change, `plan(wish)` of the wish when it is complete. */
export function targetForm(preview, { changed, plan }) {
  const base = database() ?? baseNames()[0] ?? '';
  const name = textBox({ value: `${base}_restored`, maxlength: 63, required: true, 'data-target': true });
  const schema = textBox({ value: 'restored', maxlength: 63, required: true });
  const dropOld = h('input', { type: 'checkbox' });
  const tables = tableChoice(preview.tablas, changed);
  const flags = Object.fromEntries(['create_roles', 'no_owner', 'no_privileges', 'allow_older_tables'].map((flag) => [flag, h('input', { type: 'checkbox' })]));
  const place = h('div');
  const told = h('div', { role: 'alert' });
  let way = 'new';
  const shown = {
    new: () => [field(t('target.name'), name, t('target.name_hint'))],
    replace: () => [note('warn', t('target.replace_note')), tick(t('target.drop_old'), dropOld, t('target.drop_old_hint'))],
    tables: () => [tables.element, field(t('target.schema'), schema, t('target.schema_hint'))],
  };
  const turn = (next) => {
    way = next;
    replace(place, shown[next]());
    replace(told);
    changed();
  };
  const wish = () => {
    const options = Object.fromEntries(Object.entries(flags).map(([flag, box]) => [flag, box.checked]));
    if (way === 'new') return { ...options, target_db: name.value.trim(), create: true };
    if (way === 'replace') return { ...options, replace: true, drop_old: dropOld.checked };
    return { ...options, tables: tables.chosen(), into_schema: schema.value.trim() };
  };
  const check = (asked) => {
    if (way === 'new' && asked.target_db === '') return t('target.no_name');
    if (way === 'tables' && asked.tables.length === 0) return t('target.no_tables');
    if (way === 'tables' && asked.into_schema === '') return t('target.no_schema');
    return null;
  };
  const go = async () => {
    const asked = wish();
    const wrong = check(asked);
    replace(told, wrong && note('bad', wrong));
    if (!wrong) await plan(asked);
  };
  replace(place, shown.new());
  const form = h('form', { onsubmit: (event) => event.preventDefault(), oninput: changed },
    radios(t('target.where'), [
      ['new', t('target.new'), t('target.new_hint')], ['replace', t('target.replace'), t('target.replace_hint')],
      ['tables', t('target.tables'), t('target.tables_hint')],
    ], 'new', turn, { quiet: true }),
    place,
    h('details', {}, h('summary', {}, t('target.options')), Object.entries(flags).map(([flag, box]) => tick(t(`target_flag.${flag}`), box, t(`target_flag_hint.${flag}`)))),
    told, action(t('target.plan'), go, { role: 'ADMIN', picture: 'eye', tone: 'primary' }));
  return form;
}

function tableChoice(rows, changed) {
  const picked = new Set();
  const list = h('ul.choices');
  const said = h('p.hint', { role: 'status' });
  const search = h('input', { type: 'search', 'aria-label': t('search.table'), placeholder: t('search.table') });
  const tell = () => { said.textContent = t('target.picked', { count: picked.size }); };
  const show = () => {
    const found = rows.filter((row) => row.tabla.toLowerCase().includes(search.value.toLowerCase()));
    replace(list, found.slice(0, TABLES_SHOWN).map((row) => {
      const box = h('input', {
        type: 'checkbox', checked: picked.has(row.tabla), onchange: () => {
          if (box.checked) picked.add(row.tabla);
          else picked.delete(row.tabla);
          tell();
          changed();
        },
      });
      return h('li', {}, tick(h('code.wrap', {}, row.tabla), box, `${t('rows', { count: row.filas })} · ${bytes(row.bytes)}`));
    }), found.length > TABLES_SHOWN && h('li.hint', {}, icon('info'), t('target.more', { count: found.length - TABLES_SHOWN })));
  };
  search.addEventListener('input', (event) => {
    event.stopPropagation();
    show();
  });
  show();
  tell();
  return { element: h('fieldset', {}, h('legend', {}, t('target.which')), search, list, said), chosen: () => [...picked] };
}
