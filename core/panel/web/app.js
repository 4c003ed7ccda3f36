// The start: words, session, frame, then the page at the path. A page is drawn by its module in pages/.

import { onLoggedOut } from './api.js';
import { h, replace } from './dom.js';
import { loadLanguage } from './i18n.js';
import { frame } from './parts/shell.js';
import { failure, loading } from './parts/states.js';
import { here, match, start } from './router.js';
import { forget, loadSession, session } from './session.js';

const app = document.getElementById('app');
let drawn = null;
let shell = null;
let leave = [];

async function begin() {
  replace(app, h('div.splash', {}, loading()));
  try {
    await loadLanguage();
    await loadSession();
  } catch (error) {
    replace(app, h('main.gate', { id: 'main' }, failure(error, begin)));
    return;
  }
  show();
}

/** Draws what is at the path: the set-up or the login where nobody is let in yet. */
async function show() {
  const token = Symbol('drawing');
  drawn = token;
  leave.forEach((done) => done());
  leave = [];
  if (!session.usuario) {
    shell?.stop();
    shell = null;
    const { gate } = await import('./pages/gate.js');
    if (drawn === token) replace(app, await gate(redraw));
    return;
  }
  if (!shell) {
    shell = frame(changeLanguage);
    replace(app, shell.element);
  }
  await turnTo(token);
}

async function turnTo(token) {
  const path = here();
  const route = match(path);
  const room = shell.room();
  shell.mark(path);
  replace(room, loading());
  const stop = new AbortController();
  leave.push(() => stop.abort());
  try {
    const page = await import(`./pages/${route?.page ?? 'missing'}.js`);
    const query = Object.fromEntries(new URLSearchParams(location.search));
    const context = { ...route?.parameters, query, signal: stop.signal, onLeave: (done) => leave.push(done) };
    const content = await page.draw(context);
    if (drawn !== token) return;
    replace(room, content);
    arrive(room);
  } catch (error) {
    if (drawn === token && error.name !== 'AbortError') replace(room, failure(error, show));
  }
}

/** The heading gets the focus, so that a screen reader says where one is. */
function arrive(room) {
  const heading = room.querySelector('h1');
  document.title = `${heading?.textContent ?? ''} · respaldo`;
  heading?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** Everything anew: after logging in or out, and in another language. */
function redraw() {
  shell?.stop();
  shell = null;
  show();
}

async function changeLanguage(chosen) {
  await loadLanguage(chosen);
  redraw();
}

onLoggedOut(() => {
  if (!session.usuario) return;
  forget();
  document.querySelectorAll('dialog[open]').forEach((dialog) => dialog.close());
  sessionStorage.setItem('respaldo.ended', '1');
  redraw();
});

start(show);
begin();
