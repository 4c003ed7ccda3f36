// Pages for administrators say so to everybody else, instead of failing.

import { h, icon } from '../dom.js';
import { t, term } from '../i18n.js';
import { may } from '../session.js';
import { head } from './states.js';

/** The page where the role is enough, else why it is not shown. */
export async function forAdmins(title, lead, draw) {
  if (may('ADMIN')) return draw();
  return [head(title, lead), h('div.empty', {}, icon('lock'), h('p.strong', {}, t('role.needs', { role: term('role', 'ADMIN') })), h('p', {}, t('role.ask')))];
}
