// Who looks, and what they may do.

import { askAgain, get, post, remove, stopAsking, useCsrf } from './api.js';
import { kept } from './dom.js';

const RANKS = { VIEWER: 1, OPERATOR: 2, ADMIN: 3 };

/** What the service says of the session; `usuario` is null where nobody is logged in. */
export let session = { usuario: null, rol: null, bases: [], configurado: true, version: '' };

/** Asks who we are. */
export async function loadSession() {
  return adopt(await get('session', {}, { quiet: true }));
}

function adopt(found) {
  session = { ...session, ...found };
  useCsrf(session.csrf);
  const names = baseNames();
  if (!names.includes(kept.get('base'))) kept.set('base', null);
  return session;
}

/** Logs in. Throws a problem where name or password are wrong. */
export async function logIn(usuario, clave) {
  await post('session', { usuario, clave }, { quiet: true });
  return loadSession();
}

/** Makes the first administrator with the token that the service printed, and logs in. */
export async function setUp(token, usuario, clave) {
  await post('setup', { token, usuario, clave }, { quiet: true });
  await loadSession();
  return session.usuario ? session : logIn(usuario, clave);
}

/** Ends the session. */
export async function logOut() {
  stopAsking();
  try {
    await remove('session');
  } catch (error) {
    askAgain();
    throw error;
  }
  forget();
}

/** Nobody is logged in any more, as far as this page knows. */
export function forget() {
  session = { ...session, usuario: null, rol: null };
}

/** Whether the role is at least this one. */
export function may(role) {
  return (RANKS[session.rol] ?? 0) >= RANKS[role];
}

/** Names of the databases this service backs up. */
export function baseNames() {
  return (session.bases ?? []).map((base) => (typeof base === 'string' ? base : base.nombre));
}
