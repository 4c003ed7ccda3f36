// The service as the pages see it: requests, problems, streams of events.

import { kept } from './dom.js';
import { lang, t } from './i18n.js';

const ROOT = 'api/v1';

/** A problem the service told of, or that it could not be asked. */
export class Problem extends Error {
  constructor({ status = 0, title, detail, codigo, sugerencia, ...rest }) {
    super(title ?? detail ?? codigo);
    Object.assign(this, { status, title, detail, codigo, sugerencia, rest });
  }
}

let csrf = null;
let whenLoggedOut = () => {};
let asking = new AbortController();

/** Remembers the token that changes need. */
export function useCsrf(token) {
  csrf = token;
}

/** Calls `listener` when the service does not know our session any more. */
export function onLoggedOut(listener) {
  whenLoggedOut = listener;
}

/** Ends questions under way and lets none begin: whoever logs out wants no answers any more. */
export function stopAsking() {
  asking.abort();
}

/** Questions may be asked again. */
export function askAgain() {
  asking = new AbortController();
}

/** The database that is looked at, where a service has several. */
export function database() {
  return kept.get('base');
}

/** The address of something of the service, with its parameters; empty ones are left out. */
export function address(path, parameters = {}) {
  const url = new URL(path.startsWith('/') ? path.slice(1) : `${ROOT}/${path}`, document.baseURI);
  const all = { base: database(), ...parameters };
  for (const [key, value] of Object.entries(all)) {
    if (value !== null && value !== undefined && value !== '') url.searchParams.set(key, value);
  }
  return url;
}

/** Asks for a document. Throws a [`Problem`]. */
export function get(path, parameters, options = {}) {
  return request('GET', path, { parameters, ...options });
}

/** Starts or makes something. Long work is given a key, so that an answer that was lost starts nothing twice. */
export function post(path, body = {}, { key, ...options } = {}) {
  return request('POST', path, { body, headers: { 'Idempotency-Key': key ?? newKey() }, ...options });
}

export function put(path, body) {
  return request('PUT', path, { body });
}

export function patch(path, body) {
  return request('PATCH', path, { body });
}

export function remove(path, parameters) {
  return request('DELETE', path, { parameters });
}

/** A key for one start: the same start asked for again must carry the same. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function request(method, path, { parameters, body, headers = {}, signal, quiet = false } = {}) {
  const all = { Accept: 'application/json', 'Accept-Language': lang(), ...headers };
  if (method !== 'GET' && csrf) all['X-CSRF-Token'] = csrf;
  if (body !== undefined) all['Content-Type'] = 'application/json';
  const sent = { method, headers: all, signal, credentials: 'same-origin', cache: 'no-store' };
  if (method === 'GET') sent.signal = signal ? AbortSignal.any([signal, asking.signal]) : asking.signal;
  if (body !== undefined) sent.body = JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(address(path, parameters), sent);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw unreachable();
  }
  return understood(answer, quiet);
}

function unreachable() {
  return new Problem({
    title: t('offline.title'), detail: t('offline.detail'), sugerencia: t('offline.hint'), codigo: 'unreachable',
  });
}

async function understood(answer, quiet) {
  const text = await answer.text();
  const document = parsed(text);
  if (answer.ok) return document;
  const problem = new Problem({
    title: t('problem.title', { status: answer.status }), detail: document === null ? text.slice(0, 300) : '',
    ...document, status: answer.status, retryAfter: answer.headers.get('Retry-After'),
  });
  if (answer.status === 401 && !quiet) whenLoggedOut();
  throw problem;
}

function parsed(text) {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

const AGAIN_AFTER = [500, 1000, 2000, 4000, 8000];

/**
 * Listens to events until the function it gives is called. `handlers.on[name]` hears of each event of that name;
 * `handlers.lost` that the stream broke, `handlers.back` that it flows again. It is opened again and again.
 */
export function stream(path, handlers) {
  let source = null;
  let timer = null;
  let tries = 0;
  let broken = false;
  const open = () => {
    source = new EventSource(address(path, { lang: lang() }));
    source.onopen = () => {
      tries = 0;
      if (broken) handlers.back?.();
      broken = false;
    };
    source.onerror = () => {
      if (!broken) handlers.lost?.();
      broken = true;
      // The browser tries again by itself unless the answer was a refusal.
      if (source.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, AGAIN_AFTER[Math.min(tries, AGAIN_AFTER.length - 1)]);
      tries += 1;
    };
    for (const [name, listener] of Object.entries(handlers.on ?? {})) {
      source.addEventListener(name, (event) => listener(parsed(event.data), event));
    }
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
