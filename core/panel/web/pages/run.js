// Make a backup now, and what was asked for lately.

import { get, newKey, post } from '../api.js';
import { h, icon } from '../dom.js';
import { t, term } from '../i18n.js';
import { kindBadge, stateBadge, when } from '../parts/badge.js';
import { action, field, textBox, tick } from '../parts/form.js';
import { begin, percent } from '../parts/progress.js';
import { empty, head, section } from '../parts/states.js';
import { paged, table } from '../parts/table.js';
import { toastProblem } from '../parts/toast.js';
import { go, href } from '../router.js';

export async function draw({ signal }) {
  const label = textBox({ maxlength: 200 });
  const partial = h('input', { type: 'checkbox' });
  const fromChain = h('input', { type: 'checkbox' });
  // One key per visit and kind: pressing twice, or again after a lost answer, starts one backup.
  const keys = new Map();
  const start = (tipo) => async () => {
    const body = { tipo, allow_partial: partial.checked, from_chain: tipo === 'FULL' && fromChain.checked };
    if (label.value.trim() !== '') body.etiqueta = label.value.trim();
    const wish = JSON.stringify(body);
    if (!keys.has(wish)) keys.set(wish, newKey());
    try {
      await begin(() => post('backups', body, { key: keys.get(wish) }), go);
    } catch (error) {
      if (error.status !== 0) keys.delete(wish);
      toastProblem(error);
    }
  };
  return [
    head(t('page.run'), t('run.lead')),
    h('div.cards.kinds', {}, ['FULL', 'DIFERENCIAL', 'INCREMENTAL'].map((kind) => h('div.card', {},
      h('h2', {}, kindBadge(kind)), h('p', {}, t(`run_says.${kind}`)),
      action(t('run.go', { kind: term('kind', kind) }), start(kind), { role: 'OPERATOR', picture: 'play', tone: 'primary' })))),
    h('details.card', {}, h('summary', {}, t('run.options')), field(t('run.label'), label, t('run.label_hint')),
      tick(t('run.from_chain'), fromChain, t('run.from_chain_hint')), tick(t('run.partial'), partial, t('run.partial_hint'))),
    section(t('run.jobs'), jobs(signal)),
  ];
}

function jobs(signal) {
  return paged({
    ask: (limit, offset) => get('jobs', { limit, offset }, { signal }), signal, size: 10,
    none: () => empty(t('run.no_jobs'), t('run.no_jobs_text')),
    draw: (rows) => table(t('run.jobs'), [
      { title: t('job.what'), lead: true, cell: (job) => h('a', { href: href(`job/${encodeURIComponent(job.id)}`) }, icon('list'), term('job', job.clase)) },
      { title: t('col.state'), cell: (job) => [stateBadge(job.estado), ' ', job.estado === 'EN_PROGRESO' && percent(job)] },
      { title: t('job.begun'), cell: (job) => when(job.inicio ?? job.creado) },
      { title: t('job.ended'), cell: (job) => when(job.fin) },
      { title: t('job.who'), cell: (job) => job.usuario || t('none') },
    ], rows),
  }).place;
}
