// Questions in front of the page. The browser keeps the focus inside; it goes back to where it was.

import { h, icon, replace, uniqueId } from '../dom.js';
import { t } from '../i18n.js';
import { field, once, textBox } from './form.js';
import { problemParts } from './states.js';

/**
 * Opens a dialog with a title and content; `act` is what its one button does, and the dialog closes after it.
 * A problem is shown inside, and one may try again. With `typed` the button waits until exactly these words are typed.
 * Resolves to what `act` gave, or null when it was closed.
 */
export function ask({ title, content = [], words, act, typed = null, tone = 'primary', closing = t('cancel') }) {
  const from = document.activeElement;
  const id = uniqueId('dialog');
  const told = h('div', { 'aria-live': 'assertive' });
  const box = typed && textBox({ 'data-typed': true });
  const go = words && h('button', { type: 'submit', class: tone }, words);
  const form = h('form', { method: 'dialog' },
    h('div.dialog-head', {}, h('h2', { id }, title),
      h('button.quiet', { type: 'button', 'aria-label': t('close'), 'data-close': true }, icon('close'))),
    h('div.dialog-body', {}, content, box && field(t('confirm.type', { text: typed }), box), told),
    h('div.dialog-foot', {}, h('button', { type: 'button', 'data-close': true }, closing), go));
  const dialog = h('dialog', { 'aria-labelledby': id }, form);
  if (box) waitFor(box, typed, go);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let result = null;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (!go || (box && box.value !== typed)) return;
      once(go, async () => {
        try {
          result = (await act?.()) ?? true;
          dialog.close();
        } catch (error) {
          replace(told, h('div.failure', {}, icon('warn'), h('div', {}, problemParts(error))));
        }
      });
    });
    dialog.querySelectorAll('[data-close]').forEach((button) => button.addEventListener('click', () => dialog.close()));
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (from?.isConnected) from.focus();
      resolve(result);
    });
    dialog.showModal();
    (box ?? form.querySelector('.dialog-body input, .dialog-body select') ?? form.querySelector('.dialog-foot button')).focus();
  });
}

/** Keeps a button shut until the words are there, letter by letter. */
export function waitFor(box, typed, button) {
  const look = () => {
    button.disabled = box.value !== typed;
  };
  box.addEventListener('input', look);
  look();
}
