// Before anybody is let in: the first administrator, or the login. The address stays, so that one goes on where one was.

import { h, icon, replace } from '../dom.js';
import { loadLanguage, t } from '../i18n.js';
import { field, once, textBox } from '../parts/form.js';
import { languageChoice, themeButton } from '../parts/shell.js';
import { note, problemParts } from '../parts/states.js';
import { logIn, session, setUp } from '../session.js';

const LEAST_LETTERS = 10;

/** The set-up or the login; `done` goes on once somebody is in. */
export async function gate(done) {
  const ended = sessionStorage.getItem('respaldo.ended') === '1';
  sessionStorage.removeItem('respaldo.ended');
  const form = session.configurado ? login(done, ended) : setup(done);
  document.title = `${form.title} · respaldo`;
  setTimeout(() => form.first.focus());
  const language = languageChoice(async (chosen) => {
    await loadLanguage(chosen);
    done();
  });
  return h('main.gate', { id: 'main' },
    h('div.gate-brand', {}, icon('shield'), h('span', {}, 'respaldo')),
    form.element,
    h('div.gate-tools', {}, language, themeButton(), h('span', {}, session.version && t('version', { version: session.version }))));
}

function login(done, ended) {
  const name = textBox({ name: 'usuario', autocomplete: 'username', required: true });
  const password = h('input', { type: 'password', name: 'clave', autocomplete: 'current-password', required: true });
  const element = asked(t('login.title'), t('login.lead'), [field(t('login.name'), name), field(t('login.password'), password)],
    t('login.go'), () => logIn(name.value.trim(), password.value), done, ended && note('warn', h('p', {}, t('login.ended'))));
  return { element, first: name, title: t('login.title') };
}

function setup(done) {
  const token = textBox({ name: 'token', required: true });
  const name = textBox({ name: 'usuario', autocomplete: 'username', required: true });
  const password = newPassword('clave');
  const again = newPassword('otra');
  const check = () => again.setCustomValidity(again.value === password.value ? '' : t('password.differ'));
  again.addEventListener('input', check);
  password.addEventListener('input', check);
  const element = asked(t('setup.title'), t('setup.lead'), [
    field(t('setup.token'), token, t('setup.token_hint')), field(t('login.name'), name),
    field(t('login.password'), password, t('password.hint', { count: LEAST_LETTERS })), field(t('password.again'), again),
  ], t('setup.go'), () => setUp(token.value.trim(), name.value.trim(), password.value), done);
  return { element, first: token, title: t('setup.title') };
}

/** A box for a password that is being chosen. */
export function newPassword(name) {
  return h('input', { type: 'password', name, autocomplete: 'new-password', required: true, minlength: LEAST_LETTERS });
}

function asked(title, lead, fields, words, act, done, before = null) {
  const told = h('div', { 'aria-live': 'assertive' });
  const button = h('button.primary', { type: 'submit' }, words);
  const form = h('form.card', {}, h('h1', { tabindex: '-1' }, title), h('p.lead', {}, lead), before, fields, told, button);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    once(button, async () => {
      try {
        await act();
        done();
      } catch (error) {
        replace(told, h('div.failure', {}, icon('warn'), h('div', {}, problemParts(error))));
      }
    });
  });
  return form;
}
