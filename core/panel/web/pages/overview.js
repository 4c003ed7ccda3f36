// How things stand: engine, last and next backup, what can be gone back to, how much is stored.

import { get } from '../api.js';
import { h, icon, replace } from '../dom.js';
import { bytes, moment, number, relative, t, term } from '../i18n.js';
import { engineBadge, kindBadge, when } from '../parts/badge.js';
import { bar, growth } from '../parts/chart.js';
import { backupLink, nameOf } from '../parts/result.js';
import { empty, failure, filled, head, loading, note, section } from '../parts/states.js';
import { timeline } from '../parts/timeline.js';
import { backupPath, go, href } from '../router.js';
import { may } from '../session.js';

/** The newest looks, among which a drill is searched. */
const LOOKS = 100;

export async function draw({ signal, onLeave }) {
  const place = h('div.stack', {}, loading());
  const fill = async () => {
    try {
      const found = await get('overview', {}, { signal });
      if (!signal.aborted) replace(place, parts(found));
    } catch (error) {
      if (!signal.aborted) replace(place, failure(error, fill));
    }
  };
  // What is under way or was made since is told by the frame, which hears of it first.
  let last = null;
  const hear = ({ detail }) => {
    const next = JSON.stringify([detail.motor, detail.en_curso?.inicio, detail.ultimo_backup?.nombre]);
    if (last !== null && next !== last) fill();
    last = next;
  };
  document.addEventListener('respaldo:status', hear);
  onLeave(() => document.removeEventListener('respaldo:status', hear));
  await fill();
  return [head(t('page.overview'), t('overview.lead'),
    h('a.button.primary', { href: href('run') }, icon('play'), t('page.run')),
    h('a.button', { href: href('restore') }, icon('undo'), t('page.restore'))), place];
}

function parts(found) {
  const { status, puntos: points } = found;
  return [engine(status), cards(found), points.length > 0 ? restorePoints(points) : nothingYet(), stored(found), tables(found)];
}

function engine(status) {
  const tone = { PROFESIONAL: 'good', LEGACY: 'warn', DETENIDO: 'bad' }[status.motor] ?? 'plain';
  const running = status.en_curso;
  return h('section.engine-card', { class: tone, 'aria-label': t('overview.engine') },
    h('div.engine-state', {}, engineBadge(status), h('p', {}, status.motivo || t(`engine_says.${status.motor}`))),
    running && h('p.running', {}, icon('turn'), t('overview.running', {
      what: term('task', running.tarea), kind: running.tipo ? term('kind', running.tipo) : '', since: relative(running.inicio),
    }), running.avance && h('span.hint', {}, running.avance)),
    status.servicio && !status.servicio.lidera && h('p.hint', {}, t('overview.follows')),
    (status.destinos_pendientes ?? []).map((owed) => h('p.hint', {}, icon('warn'), t('overview.owed', {
      count: owed.pendientes, sink: owed.nombre, why: owed.motivo_pendiente,
    }))));
}

/** The oldest point that nobody has proven, where there is one. */
function oldestUnproven({ punto_sin_probar_mas_antiguo: at, puntos: points }) {
  if (!at) return null;
  return points.find((point) => !point.validado && new Date(point.fecha).getTime() === new Date(at).getTime()) ?? { fecha: at };
}

function cards(found) {
  const { status } = found;
  const unproven = oldestUnproven(found);
  const last = status.ultimo_backup;
  const next = Object.entries(status.proximos_backups).sort(([, a], [, b]) => new Date(a.next_run) - new Date(b.next_run))[0];
  const total = status.estadisticas._total;
  return h('div.cards', {},
    card(t('overview.last'), last ? relative(last.fecha_inicio) : t('none'), last && [kindBadge(last.tipo), when(last.fecha_inicio)]),
    card(t('overview.next'), next ? relative(next[1].next_run) : t('none'), next && [kindBadge(next[0]), when(next[1].next_run)]),
    card(t('overview.total'), number(total.cantidad), bytes(total.tamano_bytes)),
    card(t('overview.unproven'), unproven ? relative(unproven.fecha) : t('overview.all_proven'), unproven
      ? [t('overview.unproven_text'), h('a', { href: href('validation', { id: unproven.id }) }, t('overview.prove'))]
      : t('overview.all_proven_text')),
    drillCard());
}

/** The newest rehearsed restore, from the looks that were recorded. */
function drillCard() {
  const link = h('a', { href: href('validation') }, t('overview.drill_link'));
  const show = ({ elementos: looks }) => {
    const drill = looks.find((look) => look.nivel === 'drill' && look.resultado !== 'FALLIDO');
    if (!drill) return card(t('overview.drill'), t('overview.no_drill'), [t('overview.no_drill_text'), link]);
    return card(t('overview.drill'), relative(drill.fecha), [kindBadge(drill.tipo), backupLink(drill.backup_id ?? nameOf(drill.archivo)), link]);
  };
  return filled(() => get('validations', { limit: LOOKS }), show).place;
}

function card(title, value, below) {
  return h('div.card.figure', {}, h('h2', {}, title), h('p.value', {}, value), h('p.below', {}, below));
}

function restorePoints(points) {
  const chosen = h('p.chosen', { 'aria-live': 'polite' });
  const choose = (point) => replace(chosen, h('span', {}, term('kind', point.tipo), ' ', moment(point.fecha), ' · ', bytes(point.tamano)),
    h('a', { href: href(backupPath(point.id)) }, t('timeline.open')),
    may('ADMIN') && h('a', { href: href('restore', { id: point.id }) }, t('restore.this')));
  const newest = points.reduce((best, point) => (new Date(point.fecha) > new Date(best.fecha) ? point : best));
  choose(newest);
  return section(t('overview.points'), timeline(points, { choose, chosen: newest.id }), chosen);
}

function nothingYet() {
  return empty(t('overview.empty'), t('overview.empty_text'), h('button.primary', { type: 'button', onclick: () => go('run') }, icon('play'), t('page.run')));
}

function stored({ crecimiento: values, status }) {
  if (values.length === 0) return null;
  const kinds = Object.entries(status.espacio_uso.por_tipo);
  return section(t('overview.growth'), growth(values), kinds.length > 0 && h('div.legend', {}, kinds.map(([kind, space]) =>
    h('span', {}, kindBadge(kind), t('overview.kind_space', { count: space.cantidad, size: bytes(space.bytes) })))));
}

function tables({ tablas_volcadas: dumped, tablas_omitidas: skipped }) {
  if (!dumped && !skipped) return null;
  const label = t('overview.tables_label', { dumped, skipped });
  return section(t('overview.tables'), bar([{ share: dumped, tone: 'tone-dumped' }, { share: skipped, tone: 'tone-skipped' }], label),
    h('div.legend', {}, h('span.swatch.tone-dumped', {}, t('tables.dumped', { count: dumped })),
      h('span.swatch.tone-skipped', {}, t('tables.skipped', { count: skipped }))),
    h('p.hint', {}, t('overview.tables_text')), dumped === 0 && note('plain', t('overview.unchanged')));
}
