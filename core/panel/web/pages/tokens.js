// Keys for programs. One is shown once, when it is made.

import { get, post, remove } from '../api.js';
import { h } from '../dom.js';
import { t, term } from '../i18n.js';
import { forAdmins } from '../parts/admin.js';
import { noteBadge, when } from '../parts/badge.js';
import { ask } from '../parts/dialog.js';
import { action, choice, field, textBox } from '../parts/form.js';
import { empty, head, note } from '../parts/states.js';
import { paged, table } from '../parts/table.js';
import { pageOf, ROLES } from './users.js';

const DAYS = [7, 30, 90, 365];

export async function draw({ signal }) {
  return forAdmins(t('page.tokens'), t('tokens.lead'), async () => {
    const list = paged({
      ask: async (limit, offset) => pageOf(await get('tokens', { limit, offset }, { signal })), signal,
      none: () => empty(t('tokens.empty'), t('tokens.empty_text')), draw: (rows) => table(t('page.tokens'), columns(() => list.fill()), rows),
    });
    return [head(t('page.tokens'), t('tokens.lead'), action(t('tokens.add'), () => add(() => list.fill()), { role: 'ADMIN', picture: 'plus', tone: 'primary' })), list.place];
  });
}

function columns(again) {
  return [
    { title: t('col.name'), lead: true, cell: (token) => token.nombre },
    { title: t('tokens.scope'), cell: (token) => term('role', token.alcance) },
    { title: t('tokens.expires'), cell: (token) => [when(token.expira), new Date(token.expira) < Date.now() && noteBadge('warn', t('tokens.expired'))] },
    {
      title: t('col.actions'), cell: (token) => action(h('span.unseen', {}, t('tokens.remove')), () => removeToken(token, again),
        { role: 'ADMIN', picture: 'bin', tone: 'quiet', label: t('tokens.remove_of', { name: token.nombre }) }),
    },
  ];
}

async function add(again) {
  const name = textBox({ maxlength: 64, required: true });
  const scope = choice(ROLES.map((code) => [code, term('role', code)]), 'VIEWER');
  const days = choice(DAYS.map((count) => [count, t('days', { count })]), 90);
  const made = await ask({
    title: t('tokens.add'), words: t('tokens.add'),
    content: [field(t('col.name'), name, t('tokens.name_hint')), field(t('tokens.scope'), scope), field(t('tokens.expires'), days)],
    act: () => post('tokens', { nombre: name.value.trim(), alcance: scope.value, dias: Number(days.value) }),
  });
  if (!made) return;
  again();
  const secret = textBox({ value: made.token, readOnly: true, onfocus: (event) => event.target.select() });
  await ask({ title: t('tokens.made'), content: [note('warn', t('tokens.once')), field(t('tokens.token'), secret)], closing: t('close') });
}

async function removeToken(token, again) {
  const gone = await ask({
    title: t('tokens.remove_of', { name: token.nombre }), content: h('p', {}, t('tokens.remove_text')), words: t('tokens.remove'), tone: 'danger',
    act: () => remove(`tokens/${encodeURIComponent(token.id)}`),
  });
  if (gone) again();
}
