// Short notices at the edge, and words for screen readers alone.

import { h, icon } from '../dom.js';
import { t } from '../i18n.js';
import { problemParts } from './states.js';

const SHOWN_MS = 7000;

function live(id, politeness) {
  let place = document.getElementById(id);
  if (!place) {
    place = h('div', { id, class: id, role: politeness === 'assertive' ? 'alert' : 'status', 'aria-live': politeness });
    document.body.append(place);
  }
  return place;
}

/** Says something without showing it. */
export function announce(words) {
  live('unseen', 'polite').textContent = words;
}

/** A notice that goes by itself; tone good, warn or plain. */
export function toast(words, tone = 'good') {
  const picture = { good: 'check', warn: 'warn', plain: 'info' }[tone];
  show(h('div.toast', { class: tone }, icon(picture), h('div', {}, words)), SHOWN_MS);
}

/** A problem: it stays until it is closed. */
export function toastProblem(error) {
  if (error.status === 401 || error.name === 'AbortError') return;
  show(h('div.toast.bad', {}, icon('cross'), h('div', {}, problemParts(error))), null);
}

function show(notice, milliseconds) {
  const close = h('button.quiet', { type: 'button', 'aria-label': t('close'), onclick: () => notice.remove() }, icon('close'));
  notice.append(close);
  live('toasts', 'polite').append(notice);
  if (milliseconds) setTimeout(() => notice.remove(), milliseconds);
}
