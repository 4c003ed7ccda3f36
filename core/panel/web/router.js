// Which page is shown at which path, below whatever prefix the panel is served under.

/** Path patterns and the modules in pages/ that draw them. `:name` matches one part. */
export const ROUTES = [
  { path: '', page: 'overview' },
  { path: 'run', page: 'run' },
  { path: 'history', page: 'history' },
  { path: 'backup/:id', page: 'backup' },
  { path: 'restore', page: 'restore' },
  { path: 'job/:id', page: 'job' },
  { path: 'validation', page: 'validation' },
  { path: 'schedule', page: 'schedule' },
  { path: 'retention', page: 'retention' },
  { path: 'storage', page: 'storage' },
  { path: 'plugins', page: 'plugins' },
  { path: 'log', page: 'log' },
  { path: 'users', page: 'users' },
  { path: 'tokens', page: 'tokens' },
  { path: 'audit', page: 'audit' },
  { path: 'settings', page: 'settings' },
  { path: 'doctor', page: 'doctor' },
  { path: 'account', page: 'account' },
];

const prefix = () => new URL(document.baseURI).pathname;

/** The path shown now, below the prefix. */
export function here() {
  const path = location.pathname;
  return path.startsWith(prefix()) ? path.slice(prefix().length) : '';
}

/** The route of a path with its parameters, or null. */
export function match(path) {
  const parts = path.replace(/\/$/, '').split('/');
  for (const route of ROUTES) {
    const pattern = route.path.split('/');
    if (pattern.length !== parts.length) continue;
    const parameters = {};
    const fits = pattern.every((word, at) => {
      if (!word.startsWith(':')) return word === parts[at];
      parameters[word.slice(1)] = decodeURIComponent(parts[at]);
      return parts[at] !== '';
    });
    if (fits) return { page: route.page, parameters };
  }
  return null;
}

/** A link's address: relative to the prefix, which `<base>` has. */
export function href(path, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const search = new URLSearchParams(kept).toString();
  return `${path === '' ? './' : path}${search === '' ? '' : `?${search}`}`;
}

const ARCHIVE = '.backup';

/** The path of a backup's page, by its number or its name; with a dot at its end it would be taken for a file. */
export function backupPath(id) {
  return `backup/${encodeURIComponent(String(id).replace(/\.backup$/, ''))}`;
}

/** The number or the name that such a path is of. */
export function backupOf(part) {
  return /^\d+$/.test(part) || part.endsWith(ARCHIVE) ? part : `${part}${ARCHIVE}`;
}

let shown = () => {};

/** Shows another page. `replace` leaves no way back to the one before. */
export function go(path, query = {}, { replace = false } = {}) {
  const url = new URL(href(path, query), document.baseURI);
  if (replace) history.replaceState(null, '', url);
  else history.pushState(null, '', url);
  shown();
}

/** Notes a change of what a page shows, such as a filter, without drawing the page anew. */
export function note(query) {
  history.replaceState(null, '', new URL(href(here(), query), document.baseURI));
}

/** Follows links inside the panel and the browser's buttons; `show` draws what is at the path. */
export function start(show) {
  shown = show;
  addEventListener('popstate', show);
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href]');
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.hasAttribute('download')) return;
    const url = new URL(link.getAttribute('href'), document.baseURI);
    if (url.origin !== location.origin || !url.pathname.startsWith(prefix())) return;
    if (match(url.pathname.slice(prefix().length)) === null) return;
    event.preventDefault();
    history.pushState(null, '', url);
    show();
  });
}
