// Buttons and fields that know their role, their label and what is wrong with them.

import { h, icon, uniqueId } from '../dom.js';
import { t, term } from '../i18n.js';
import { may } from '../session.js';
import { toast } from './toast.js';

/**
 * A button for something a role may do. Whoever may not sees it and is told why. `act` may be asynchronous:
 * meanwhile the button cannot be pressed again.
 */
export function action(words, act, { role = 'VIEWER', picture = null, tone = '', label = null, reason = null } = {}) {
  const refusal = reason ?? (may(role) ? null : t('role.needs', { role: term('role', role) }));
  const button = h('button', { type: 'button', class: tone, 'aria-label': label }, picture && icon(picture), h('span', {}, words));
  if (refusal) {
    button.setAttribute('aria-disabled', 'true');
    button.setAttribute('title', refusal);
    if (label) button.setAttribute('aria-label', `${label}. ${refusal}`);
    else button.append(h('span.unseen', {}, ` (${refusal})`));
    button.addEventListener('click', () => toast(refusal, 'warn'));
    return button;
  }
  button.addEventListener('click', () => once(button, act));
  return button;
}

/** Does something once at a time. */
export async function once(button, act) {
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', 'true');
  button.setAttribute('aria-disabled', 'true');
  try {
    await act();
  } finally {
    button.removeAttribute('aria-busy');
    button.removeAttribute('aria-disabled');
  }
}

/** A labelled control with a hint below it. */
export function field(label, control, hint = null) {
  control.id ||= uniqueId('field');
  const hintId = hint && uniqueId('hint');
  if (hintId) control.setAttribute('aria-describedby', hintId);
  return h('div.field', {}, h('label', { htmlFor: control.id }, label), control, hint && h('p.hint', { id: hintId }, hint));
}

/** A box to tick with its label beside it. */
export function tick(label, box, hint = null) {
  box.id ||= uniqueId('tick');
  return h('div.tick', {}, box, h('label', { htmlFor: box.id }, label, hint && h('span.hint', {}, hint)));
}

/** A text box. */
export function textBox(attributes = {}) {
  return h('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', ...attributes });
}

/** A choice among `[value, words]`. */
export function choice(options, chosen, attributes = {}) {
  return h('select', attributes, options.map(([value, words]) => h('option', { value, selected: String(value) === String(chosen ?? '') }, words)));
}

/** A choice among few, all seen; `onchoose` hears of each. */
export function radios(legend, options, chosen, onchoose, { quiet = false } = {}) {
  const name = uniqueId('radio');
  return h('fieldset.radios', {}, h('legend', { class: quiet ? 'unseen' : '' }, legend), options.map(([value, words, hint, closed]) => {
    const box = h('input', {
      type: 'radio', name, value, checked: value === chosen, disabled: Boolean(closed), onchange: () => onchoose(value),
    });
    return tick(words, box, closed || hint);
  }));
}
