// One's own password.

import { put } from '../api.js';
import { h, icon, replace } from '../dom.js';
import { t, term } from '../i18n.js';
import { field, once } from '../parts/form.js';
import { facts, head, problemParts, section } from '../parts/states.js';
import { toast } from '../parts/toast.js';
import { loadSession, session } from '../session.js';
import { newPassword } from './gate.js';

export async function draw() {
  return [
    head(t('page.account'), t('account.lead')),
    section(t('account.who'), facts([[t('login.name'), session.usuario], [t('users.role'), term('role', session.rol)], [t('account.may'), t(`role_says.${session.rol}`)]])),
    section(t('account.password'), form()),
  ];
}

function form() {
  const now = h('input', { type: 'password', autocomplete: 'current-password', required: true });
  const next = newPassword('nueva');
  const again = newPassword('otra');
  const check = () => again.setCustomValidity(again.value === next.value ? '' : t('password.differ'));
  again.addEventListener('input', check);
  next.addEventListener('input', check);
  const told = h('div', { 'aria-live': 'assertive' });
  const button = h('button.primary', { type: 'submit' }, icon('check'), t('account.change'));
  const element = h('form', {}, field(t('password.now'), now), field(t('password.new'), next, t('password.hint', { count: 10 })), field(t('password.again'), again), told, button);
  element.addEventListener('submit', (event) => {
    event.preventDefault();
    once(button, async () => {
      try {
        await put('session/password', { actual: now.value, nueva: next.value });
        replace(told);
        element.reset();
        toast(t('account.changed'));
        await loadSession();
      } catch (error) {
        replace(told, h('div.failure', {}, icon('warn'), h('div', {}, problemParts(error))));
      }
    });
  });
  return element;
}
