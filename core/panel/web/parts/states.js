// Loading, empty and failed: every part of a page can be in one of these.

import { h, icon, replace, uniqueId } from '../dom.js';
import { t } from '../i18n.js';

/** Something is on its way. */
export function loading() {
  return h('div.loading', { role: 'status' }, h('span.spinner', { 'aria-hidden': 'true' }), h('span', {}, t('loading')));
}

/** There is nothing, why, and what to do about it. */
export function empty(title, text, ...actions) {
  return h('div.empty', {}, icon('empty'), h('p.strong', {}, title), text && h('p', {}, text),
    actions.length > 0 && h('div.actions', {}, actions));
}

/** What went wrong, in the service's words, and a way to try again. */
export function failure(error, again) {
  return h('div.failure', { role: 'alert' }, icon('warn'), h('div', {}, problemParts(error)),
    again && h('button', { type: 'button', onclick: again }, icon('turn'), t('again')));
}

/** Title, detail, advice and code of a problem. */
export function problemParts(error) {
  const known = error.codigo !== undefined || error.status !== undefined;
  return [
    h('p.strong', {}, known ? error.title ?? t('problem.unknown') : t('problem.page')),
    (known ? error.detail : error.message) && h('p', {}, known ? error.detail : error.message),
    error.sugerencia && h('p.hint', {}, error.sugerencia),
    error.retryAfter && h('p.hint', {}, t('problem.retry_after', { count: Number(error.retryAfter) })),
    error.codigo && h('p.code', {}, h('span', {}, t('problem.code')), ' ', h('code', {}, error.codigo)),
  ];
}

/** The head of a page: its heading, a sentence, and what can be done on it. */
export function head(title, lead, ...actions) {
  return h('header.head', {},
    h('div', {}, h('h1', { tabindex: '-1' }, title), lead && h('p.lead', {}, lead)),
    actions.length > 0 && h('div.actions', {}, actions));
}

/** A part of a page under a heading. */
export function section(title, ...children) {
  const id = uniqueId('section');
  return h('section.card', { 'aria-labelledby': id }, h('h2', { id }, title), children);
}

/**
 * A place filled by `ask` and `draw`, with loading and failure; gives the place and how to fill it anew.
 * While it is filled anew the old content stays.
 */
export function filled(ask, draw, signal) {
  const place = h('div.filled', {}, loading());
  const fill = async () => {
    place.setAttribute('aria-busy', 'true');
    try {
      const found = await ask();
      if (!signal?.aborted) replace(place, draw(found));
    } catch (error) {
      if (!signal?.aborted && error.name !== 'AbortError') replace(place, failure(error, fill));
    }
    place.removeAttribute('aria-busy');
  };
  fill();
  return { place, fill };
}

/** Names and values. */
export function facts(pairs) {
  return h('dl.facts', {}, pairs.filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

/** A note with a tone: good, warn, bad or plain. */
export function note(tone, ...children) {
  const pictures = { good: 'check', warn: 'warn', bad: 'cross', plain: 'info' };
  return h('div.note', { class: tone }, icon(pictures[tone]), h('div', {}, children));
}
