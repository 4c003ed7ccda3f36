// What can be done with one backup, wherever it is shown.

import { get, newKey, post, remove } from '../api.js';
import { h } from '../dom.js';
import { bytes, moment, t, term } from '../i18n.js';
import { go } from '../router.js';
import { choice, field } from './form.js';
import { ask } from './dialog.js';
import { begin } from './progress.js';
import { note } from './states.js';
import { toast, toastProblem } from './toast.js';

export const LEVELS = ['presence', 'checksum', 'readable', 'chain', 'drill'];

/** How people call a backup: its kind and number, or its name. */
export function spoken(backup) {
  return backup.id === null || backup.id === undefined ? backup.nombre : `${term('kind', backup.tipo)} ${backup.id}`;
}

const key = (backup) => backup.id ?? backup.nombre;
const path = (backup) => `backups/${encodeURIComponent(key(backup))}`;

/** Asks how deep, then looks at the backup. */
export function validate(backup) {
  return askLevel(t('validate.title', { backup: spoken(backup) }), [key(backup)]);
}

/** Asks how deep, then looks at these backups; at all where `ids` is null. */
export function askLevel(title, ids) {
  const level = choice(LEVELS.map((code) => [code, term('level', code)]), 'chain');
  const said = h('p.hint', {}, term('level_says', level.value));
  level.addEventListener('change', () => { said.textContent = term('level_says', level.value); });
  const start = newKey();
  return ask({
    title, content: [field(t('validation.level'), level), said], words: t('validate.go'),
    act: () => begin(() => post('validations', ids ? { ids, nivel: level.value } : { nivel: level.value }, { key: `${start}-${level.value}` }), go),
  });
}

/** Gives the sinks what they lack of it. */
export async function upload(backup) {
  try {
    await begin(() => post(`${path(backup)}/upload`), go);
  } catch (error) {
    toastProblem(error);
  }
}

/** Makes one stock archive of it. */
export function exportIt(backup) {
  const start = newKey();
  return ask({
    title: t('export.title', { backup: spoken(backup) }), content: [h('p', {}, t('export.lead')), note('warn', t('export.leaves'))],
    words: t('export.go'), act: () => begin(() => post('exports', { id: key(backup) }, { key: start }), go),
  });
}

/** Opens the wizard at this backup. */
export function restore(backup) {
  go('restore', { id: key(backup) });
}

/** Shows what goes along, and deletes once its name was typed. `done` hears that it is gone. */
export async function deleteIt(backup, done) {
  let dependents;
  try {
    const found = await get(`${path(backup)}/dependents`);
    dependents = found.elementos ?? found;
  } catch (error) {
    toastProblem(error);
    return;
  }
  const along = dependents.length > 0 && note('bad', h('p.strong', {}, t('delete.along', { count: dependents.length })),
    h('ul', {}, dependents.map((other) => h('li', {}, spoken(other), ' · ', moment(other.fecha_inicio), ' · ', bytes(other.tamano)))));
  const gone = await ask({
    title: t('delete.title', { backup: spoken(backup) }),
    content: [h('p', {}, t('delete.text')), h('p', {}, h('code.wrap', {}, backup.nombre)), along],
    words: dependents.length > 0 ? t('delete.go_all', { count: dependents.length + 1 }) : t('delete.go'),
    typed: spoken(backup), tone: 'danger',
    act: () => remove(path(backup), { with_dependents: dependents.length > 0 ? 'true' : null }),
  });
  if (!gone) return;
  toast(gone.mensaje ?? t('delete.done'));
  done();
}
