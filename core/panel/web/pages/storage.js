// Where backups are kept: the sinks, and the second place as the existing panel sets it.

import { get, post, put } from '../api.js';
import { h } from '../dom.js';
import { bytes, t, term } from '../i18n.js';
import { noteBadge, verdictBadge } from '../parts/badge.js';
import { action, choice, field, textBox, tick } from '../parts/form.js';
import { begin } from '../parts/progress.js';
import { empty, facts, filled, head, note, section } from '../parts/states.js';
import { toast, toastProblem } from '../parts/toast.js';
import { go } from '../router.js';

const PROVIDERS = ['LOCAL', 'GOOGLE_DRIVE', 'S3'];

export async function draw({ signal }) {
  const sinks = filled(() => get('sinks', {}, { signal }), (found) => {
    if (found.destinos.length === 0) return empty(t('storage.none'), t('storage.none_text'));
    return h('div.cards.wide', {}, found.destinos.map(sink));
  }, signal);
  const cloud = filled(() => get('cloud', {}, { signal }), (found) => cloudForm(found, async (body) => {
    await put('cloud', body);
    toast(t('cloud.saved'));
    await Promise.all([cloud.fill(), sinks.fill()]);
  }), signal);
  return [head(t('page.storage'), t('storage.lead')), section(t('storage.sinks'), sinks.place), section(t('cloud.title'), cloud.place)];
}

function sink(found) {
  const path = `sinks/${encodeURIComponent(found.nombre)}`;
  const start = (what) => async () => {
    try {
      await begin(() => post(`${path}/${what}`), go);
    } catch (error) {
      toastProblem(error);
    }
  };
  return h('article.card', {},
    h('h3', {}, found.nombre, ' ', verdictBadge(found.disponible, t(found.disponible ? 'sink.answers' : 'sink.silent')),
      noteBadge('plain', t(found.requerido ? 'sink.required' : 'sink.optional'))),
    found.problema && note('bad', found.problema),
    facts([
      [t('sink.class'), found.clase], [t('col.address'), h('code.wrap', {}, found.direccion)],
      found.espacio_libre_bytes !== undefined && [t('sink.free'), bytes(found.espacio_libre_bytes)],
      [t('sink.owed'), found.pendientes > 0 ? noteBadge('warn', t('sink.owes', { count: found.pendientes })) : t('none')],
    ]),
    found.motivo_pendiente && h('p.hint', {}, found.motivo_pendiente),
    h('div.actions', {}, action(t('sink.check'), start('check'), { role: 'ADMIN', picture: 'check', label: t('sink.check_of', { sink: found.nombre }) }),
      action(t('sink.sync'), start('sync'), { role: 'ADMIN', picture: 'cloud', label: t('sink.sync_of', { sink: found.nombre }) })));
}

function cloudForm(found, save) {
  const enabled = h('input', { type: 'checkbox', checked: found.enabled, role: 'switch' });
  const provider = choice(PROVIDERS.map((code) => [code, term('provider', code)]), found.provider);
  const folder = textBox({ value: found.sync_dir, maxlength: 4096 });
  const go = async () => {
    if (enabled.checked && provider.value === 'LOCAL' && folder.value.trim() === '') {
      folder.focus();
      return toast(t('cloud.no_folder'), 'warn');
    }
    const body = { enabled: enabled.checked, provider: provider.value, sync_dir: folder.value.trim() };
    const changed = Object.fromEntries(Object.entries(body).filter(([key, value]) => value !== found[key]));
    if (Object.keys(changed).length === 0) return toast(t('unchanged'), 'plain');
    try {
      await save(changed);
    } catch (error) {
      toastProblem(error);
    }
    return undefined;
  };
  return h('form', { onsubmit: (event) => event.preventDefault() },
    h('p.hint', {}, t('cloud.lead')), tick(t('cloud.enabled'), enabled), field(t('cloud.provider'), provider), field(t('cloud.folder'), folder, t('cloud.folder_hint')),
    found.aviso && note('warn', found.aviso), found.destinos.length > 0 && h('p.hint', {}, t('cloud.to', { sinks: found.destinos.join(', ') })),
    action(t('cloud.save'), go, { role: 'ADMIN', picture: 'check', tone: 'primary' }));
}
