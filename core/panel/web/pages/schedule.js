// When backups are due, and when next. Minutes that are not touched keep their values.

import { get, put } from '../api.js';
import { h, icon } from '../dom.js';
import { exact, number, relative, t, term, weekday } from '../i18n.js';
import { kindBadge } from '../parts/badge.js';
import { action, choice, field } from '../parts/form.js';
import { warnings } from '../parts/result.js';
import { facts, filled, head, note, section } from '../parts/states.js';
import { table } from '../parts/table.js';
import { toast, toastProblem } from '../parts/toast.js';

const KINDS = ['FULL', 'DIFERENCIAL', 'INCREMENTAL'];

export async function draw({ signal }) {
  const next = filled(() => get('schedule/next', {}, { signal }), nextRuns, signal);
  const rules = filled(() => get('schedule', {}, { signal }), (found) => form(found, async (body) => {
    await put('schedule', body);
    toast(t('schedule.saved'));
    await Promise.all([rules.fill(), next.fill()]);
  }), signal);
  return [head(t('page.schedule'), t('schedule.lead')), rules.place, section(t('schedule.next'), next.place)];
}

function form(found, save) {
  const boxes = Object.fromEntries(KINDS.map((kind) => [kind, controls(found[kind])]));
  const changed = () => Object.fromEntries(KINDS.map((kind) => [kind, difference(found[kind], boxes[kind])]).filter(([, rule]) => rule));
  const go = async () => {
    const body = changed();
    if (Object.keys(body).length === 0) return toast(t('unchanged'), 'plain');
    try {
      await save(body);
    } catch (error) {
      toastProblem(error);
    }
    return undefined;
  };
  return [
    !found.activo && note('warn', t('schedule.off')), warnings(found.advertencias),
    h('div.cards', {}, KINDS.map((kind) => h('fieldset.card', {}, h('legend', {}, kindBadge(kind)), h('p.hint', {}, found[kind].schedule), fields(boxes[kind])))),
    h('div.actions', {}, action(t('schedule.save'), go, { role: 'ADMIN', picture: 'check', tone: 'primary' })),
    section(t('schedule.how'), facts([
      [t('schedule.zone'), found.zona_horaria], [t('schedule.catch_up'), t(found.recuperar ? 'yes' : 'no')],
      [t('schedule.source'), term('source', found.origen)],
      found.VALIDACION && [t('schedule.validation'), found.VALIDACION.schedule],
    ])),
  ];
}

function controls(rule) {
  const range = (from, to, words) => Array.from({ length: to - from + 1 }, (_, at) => [from + at, words(from + at)]);
  const boxes = {};
  if ('day' in rule) boxes.day = choice(range(1, 31, (value) => number(value)), rule.day);
  if ('weekday' in rule) boxes.weekday = choice(range(0, 6, weekday), rule.weekday);
  boxes.hour = choice(range(0, 23, two), rule.hour);
  boxes.minute = choice(range(0, 59, two), rule.minute);
  return boxes;
}

function two(value) {
  return String(value).padStart(2, '0');
}

function fields(boxes) {
  const words = { day: t('schedule.day'), weekday: t('schedule.weekday'), hour: t('schedule.hour'), minute: t('schedule.minute') };
  return h('div.inline', {}, Object.entries(boxes).map(([key, box]) => field(words[key], box)));
}

/** What was changed of a rule; null where nothing was. */
function difference(rule, boxes) {
  const changed = Object.entries(boxes).filter(([key, box]) => Number(box.value) !== rule[key]);
  return changed.length === 0 ? null : Object.fromEntries(changed.map(([key, box]) => [key, Number(box.value)]));
}

function nextRuns(found) {
  const rows = Object.entries(found).sort(([, a], [, b]) => new Date(a.next_run) - new Date(b.next_run));
  return table(t('schedule.next'), [
    { title: t('col.kind'), lead: true, cell: ([kind]) => (kind === 'VALIDACION' ? h('span.kind', {}, icon('check'), t('kind.VALIDACION')) : kindBadge(kind)) },
    { title: t('col.when'), cell: ([, run]) => h('time', { datetime: run.next_run }, exact(run.next_run)) },
    { title: t('schedule.left'), cell: ([, run]) => relative(run.next_run) },
    { title: t('schedule.rule'), cell: ([, run]) => run.schedule },
  ], rows);
}
