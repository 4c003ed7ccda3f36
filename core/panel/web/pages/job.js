// One job: followed while it is at work, its result afterwards.

import { get } from '../api.js';
import { h, icon } from '../dom.js';
import { t, term } from '../i18n.js';
import { follow, isOver } from '../parts/progress.js';
import { head } from '../parts/states.js';
import { href } from '../router.js';

export async function draw({ id, signal }) {
  const job = await get(`jobs/${encodeURIComponent(id)}`, {}, { signal });
  return [
    head(term('job', job.clase), !isOver(job) && t('job.lead'), h('a.button', { href: href('run') }, icon('list'), t('run.jobs')),
      h('a.button', { href: href('history') }, icon('list'), t('page.history'))),
    follow(job, { signal }),
  ];
}
