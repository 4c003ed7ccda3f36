// The frame around every page: name, database, state of the engine, menu, language and theme.

import { get, stream } from '../api.js';
import { append, h, icon, kept, replace } from '../dom.js';
import { LANGUAGES, lang, t, term } from '../i18n.js';
import { href } from '../router.js';
import { baseNames, forget, logOut, may, session } from '../session.js';
import { engineBadge } from './badge.js';
import { announce, toastProblem } from './toast.js';

const MENU = [
  ['menu.backups', [
    ['', 'overview', 'gauge'], ['run', 'run', 'play'], ['history', 'history', 'list'],
    ['restore', 'restore', 'undo', 'ADMIN'], ['validation', 'validation', 'check'],
  ]],
  ['menu.arrangements', [
    ['schedule', 'schedule', 'clock'], ['retention', 'retention', 'calendar'],
    ['storage', 'storage', 'disk'], ['plugins', 'plugins', 'plug'],
  ]],
  ['menu.system', [
    ['log', 'log', 'log'], ['doctor', 'doctor', 'pulse', 'ADMIN'], ['settings', 'settings', 'sliders', 'ADMIN'],
    ['users', 'users', 'people', 'ADMIN'], ['tokens', 'tokens', 'key', 'ADMIN'], ['audit', 'audit', 'eye', 'ADMIN'],
  ]],
];

/** Names of the service's events; any of them may have changed how the engine stands. */
const NEWS = ['estado', 'trabajo'];
const LOOK_EVERY_MS = 30_000;

/** The frame: its element, the room pages are drawn in, and how to end its listening. */
export function frame(changeLanguage) {
  const room = h('main.room', { id: 'main' });
  const links = [];
  const menu = h('nav.menu', { 'aria-label': t('menu.label'), id: 'menu' }, MENU.map((group) => groupOf(group, links)));
  const toggle = menuButton(menu);
  const state = h('a.engine', { href: href('') });
  const element = h('div.frame', {},
    h('a.skip', { href: '#main', onclick: (event) => skip(event, room) }, t('menu.skip')),
    h('header.bar', {}, toggle, brand(), databaseChoice(), state, h('div.spring'), tools(changeLanguage)),
    h('div.body', {}, menu, room));
  const stop = watchEngine(state);
  return { element, room: () => room, stop, mark: (path) => mark(links, path, toggle, menu) };
}

function skip(event, room) {
  event.preventDefault();
  (room.querySelector('h1') ?? room).focus();
}

function brand() {
  return h('a.brand', { href: href(''), 'aria-label': t('menu.home') },
    icon('shield'), h('span', {}, 'respaldo'));
}

function groupOf([title, entries], links) {
  return h('div.group', {}, h('h2', {}, t(title)), h('ul', {}, entries.map((entry) => entryOf(entry, links))));
}

function entryOf([path, name, picture, role], links) {
  const closed = role && !may(role);
  const link = h('a', { href: href(path) }, icon(picture), h('span', {}, t(`page.${name}`)),
    closed && h('span.lock', { title: t('role.needs', { role: term('role', role) }) }, icon('lock'),
      h('span.unseen', {}, t('role.needs', { role: term('role', role) }))));
  links.push([path, link]);
  return h('li', {}, link);
}

function mark(links, path, toggle, menu) {
  const first = path.split('/')[0];
  const owner = { backup: 'history', job: 'run' }[first] ?? first;
  for (const [target, link] of links) {
    if (target === owner) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  menu.classList.remove('open');
  toggle.setAttribute('aria-expanded', 'false');
}

function menuButton(menu) {
  const button = h('button.quiet.burger', { type: 'button', 'aria-expanded': 'false', 'aria-controls': 'menu' },
    icon('menu'), h('span.unseen', {}, t('menu.label')));
  const turn = (open) => {
    menu.classList.toggle('open', open);
    button.setAttribute('aria-expanded', String(open));
  };
  button.addEventListener('click', () => turn(!menu.classList.contains('open')));
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.classList.contains('open')) return;
    turn(false);
    button.focus();
  });
  return button;
}

function databaseChoice() {
  const names = baseNames();
  if (names.length < 2) return names.length === 1 && h('span.base', {}, icon('disk'), names[0]);
  const chosen = kept.get('base') ?? names[0];
  const choice = h('select', {
    'aria-label': t('menu.database'),
    onchange: () => {
      kept.set('base', choice.value);
      location.assign(document.baseURI);
    },
  }, names.map((name) => h('option', { value: name, selected: name === chosen }, name)));
  return choice;
}

function tools(changeLanguage) {
  return h('div.tools', {}, languageChoice(changeLanguage), themeButton(), account());
}

/** A choice of the language, each named in itself. */
export function languageChoice(changeLanguage) {
  const choice = h('select', { 'aria-label': t('menu.language'), onchange: () => changeLanguage(choice.value) },
    LANGUAGES.map((code) => h('option', { value: code, selected: code === lang(), lang: code }, t(`language.${code}`))));
  return choice;
}

const THEMES = ['auto', 'light', 'dark'];

/** Goes from the system's theme to light to dark. */
export function themeButton() {
  const button = h('button.quiet', { type: 'button' });
  const say = () => {
    const theme = kept.get('theme') ?? 'auto';
    const label = t('menu.theme', { theme: t(`theme.${theme}`) });
    button.setAttribute('aria-label', label);
    button.setAttribute('title', label);
    replace(button, icon(theme));
  };
  button.addEventListener('click', () => {
    const next = THEMES[(THEMES.indexOf(kept.get('theme') ?? 'auto') + 1) % THEMES.length];
    kept.set('theme', next === 'auto' ? null : next);
    if (next === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    say();
    announce(t('menu.theme', { theme: t(`theme.${next}`) }));
  });
  say();
  return button;
}

function account() {
  const out = h('button.quiet', { type: 'button', title: t('account.logout') }, icon('out'), h('span.unseen', {}, t('account.logout')));
  out.addEventListener('click', async () => {
    try {
      await logOut();
    } catch (error) {
      if (error.status !== 401) return toastProblem(error);
      forget();
    }
    return location.assign(document.baseURI);
  });
  return [
    h('a.who', { href: href('account'), title: t('page.account') }, icon('person'),
      h('span', {}, session.usuario), h('span.role', {}, term('role', session.rol))),
    out,
  ];
}

/** Keeps the state of the engine in the bar true. */
function watchEngine(place) {
  const look = async () => {
    try {
      const status = await get('status');
      replace(place, engineBadge(status), h('span.unseen', {}, t('page.overview')));
      document.dispatchEvent(new CustomEvent('respaldo:status', { detail: status }));
    } catch {
      replace(place, append(h('span.badge.bad'), [icon('warn'), t('offline.short')]));
    }
  };
  let soon = null;
  const news = () => {
    clearTimeout(soon);
    soon = setTimeout(look, 300);
  };
  const close = stream('events', { lost: news, back: news, on: Object.fromEntries(NEWS.map((name) => [name, news])) });
  const timer = setInterval(() => document.visibilityState === 'visible' && look(), LOOK_EVERY_MS);
  look();
  return () => {
    clearTimeout(soon);
    clearInterval(timer);
    close();
  };
}
