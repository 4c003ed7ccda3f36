// Who may log in, and what they may do.

import { get, patch, post, remove } from '../api.js';
import { h } from '../dom.js';
import { t, term } from '../i18n.js';
import { forAdmins } from '../parts/admin.js';
import { noteBadge } from '../parts/badge.js';
import { ask } from '../parts/dialog.js';
import { action, choice, field, textBox } from '../parts/form.js';
import { facts, head, section } from '../parts/states.js';
import { paged, table } from '../parts/table.js';
import { toast, toastProblem } from '../parts/toast.js';
import { session } from '../session.js';
import { newPassword } from './gate.js';

export const ROLES = ['VIEWER', 'OPERATOR', 'ADMIN'];

export async function draw({ signal }) {
  return forAdmins(t('page.users'), t('users.lead'), async () => {
    const list = paged({
      ask: async (limit, offset) => pageOf(await get('users', { limit, offset }, { signal })), signal,
      draw: (rows) => table(t('page.users'), columns(() => list.fill()), rows),
    });
    return [
      head(t('page.users'), t('users.lead'), action(t('users.add'), () => add(() => list.fill()), { role: 'ADMIN', picture: 'plus', tone: 'primary' })),
      list.place,
      section(t('users.roles'), facts(ROLES.map((role) => [term('role', role), t(`role_says.${role}`)]))),
    ];
  });
}

/** Lists of a few may come whole. */
export function pageOf(found) {
  return Array.isArray(found) ? { elementos: found, total: found.length } : found;
}

function columns(again) {
  return [
    { title: t('login.name'), lead: true, cell: (user) => [user.usuario, user.usuario === session.usuario && noteBadge('plain', t('users.you'))] },
    { title: t('users.role'), cell: (user) => term('role', user.rol) },
    { title: t('col.state'), cell: (user) => (user.bloqueado ? noteBadge('warn', t('users.blocked')) : t('users.active')) },
    { title: t('col.actions'), cell: (user) => actions(user, again) },
  ];
}

function actions(user, again) {
  const own = user.usuario === session.usuario ? t('users.not_yourself') : null;
  const one = (key, picture, act, reason = null) => action(h('span.unseen', {}, t(`user_action.${key}`)), act,
    { role: 'ADMIN', picture, tone: 'quiet', label: t(`user_action_of.${key}`, { user: user.usuario }), reason });
  const change = async (body) => {
    try {
      await patch(`users/${encodeURIComponent(user.usuario)}`, body);
      toast(t('users.saved'));
      await again();
    } catch (error) {
      toastProblem(error);
    }
  };
  return h('div.row-actions', {}, one('role_set', 'sliders', () => changeRole(user, again), own), one('password', 'key', () => changePassword(user)),
    user.bloqueado ? one('unblock', 'unlock', () => change({ bloqueado: false })) : one('block', 'lock', () => change({ bloqueado: true }), own),
    one('remove', 'bin', () => removeUser(user, again), own));
}

async function add(again) {
  const name = textBox({ maxlength: 64, required: true, pattern: '[A-Za-z0-9._@\\-]+' });
  const password = newPassword('clave');
  const role = choice(ROLES.map((code) => [code, term('role', code)]), 'OPERATOR');
  const made = await ask({
    title: t('users.add'), words: t('users.add'),
    content: [field(t('login.name'), name, t('users.name_hint')), field(t('login.password'), password, t('password.hint', { count: 10 })), field(t('users.role'), role)],
    act: () => post('users', { usuario: name.value.trim(), clave: password.value, rol: role.value }),
  });
  if (made) again();
}

async function changeRole(user, again) {
  const role = choice(ROLES.map((code) => [code, term('role', code)]), user.rol);
  const done = await ask({
    title: t('user_action_of.role_set', { user: user.usuario }), content: field(t('users.role'), role), words: t('save'),
    act: () => patch(`users/${encodeURIComponent(user.usuario)}`, { rol: role.value }),
  });
  if (done) again();
}

async function changePassword(user) {
  const password = newPassword('clave');
  const done = await ask({
    title: t('user_action_of.password', { user: user.usuario }), content: field(t('password.new'), password, t('password.hint', { count: 10 })), words: t('save'),
    act: () => patch(`users/${encodeURIComponent(user.usuario)}`, { clave: password.value }),
  });
  if (done) toast(t('users.saved'));
}

async function removeUser(user, again) {
  const gone = await ask({
    title: t('user_action_of.remove', { user: user.usuario }), content: h('p', {}, t('users.remove_text')), words: t('user_action.remove'), typed: user.usuario, tone: 'danger',
    act: () => remove(`users/${encodeURIComponent(user.usuario)}`),
  });
  if (gone) again();
}
