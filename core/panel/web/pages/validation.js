// Does what we have restore? Looks and drills: begun here, and what they found.

import { get } from '../api.js';
import { h, icon } from '../dom.js';
import { t } from '../i18n.js';
import { askLevel, LEVELS } from '../parts/backup_actions.js';
import { action } from '../parts/form.js';
import { validationTable } from '../parts/result.js';
import { empty, facts, head, note, section } from '../parts/states.js';
import { paged } from '../parts/table.js';
import { href } from '../router.js';

export async function draw({ query, signal }) {
  const one = query.id;
  const list = paged({
    ask: (limit, offset) => get('validations', { backup: one, limit, offset }, { signal }), signal,
    none: () => empty(t('validation.empty'), t('validation.empty_text')), draw: validationTable,
  });
  return [
    head(t('page.validation'), t('validation.lead'),
      one && action(t('validation.this', { id: one }), () => askLevel(t('validation.this', { id: one }), [/^\d+$/.test(one) ? Number(one) : one]), { role: 'OPERATOR', picture: 'check', tone: 'primary' }),
      action(t('validation.all'), () => askLevel(t('validation.all'), null), { role: 'OPERATOR', picture: 'check', tone: one ? '' : 'primary' })),
    one && note('plain', t('validation.only', { id: one }), ' ', h('a', { href: href('validation') }, t('validation.show_all'))),
    section(t('validation.history'), list.place, h('button.quiet', { type: 'button', onclick: () => list.fill() }, icon('turn'), t('refresh'))),
    h('details.card', {}, h('summary', {}, t('validation.levels')), facts(LEVELS.map((level) => [t(`level.${level}`), t(`level_says.${level}`)]))),
  ];
}
