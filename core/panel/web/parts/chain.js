// What a backup builds on and what builds on it, as a graph: time from left to right, one line per kind.

import { h, svg } from '../dom.js';
import { bytes, moment, t, term } from '../i18n.js';
import { backupPath, href } from '../router.js';
import { kindMark } from './badge.js';
import { canvas } from './drawing.js';

const LANES = ['FULL', 'DIFERENCIAL', 'INCREMENTAL'];
const WIDE = 178;
const GAP = 36;
const TALL = 58;
const LANE = 92;
/** More than these around the one that is looked at are told of and not drawn. */
const MOST = 60;

/** A graph of `{ nodos, aristas }`; `id` is the one that is looked at. */
export function chain({ nodos, aristas }, id) {
  const sorted = [...nodos].sort((a, b) => new Date(a.fecha) - new Date(b.fecha));
  const nodes = around(sorted, id);
  const places = new Map(nodes.map((node, at) => [node.id, { x: 8 + at * (WIDE + GAP), y: 12 + Math.max(0, LANES.indexOf(node.tipo)) * LANE }]));
  const used = Math.max(...nodes.map((node) => Math.max(0, LANES.indexOf(node.tipo)))) + 1;
  const width = 16 + nodes.length * (WIDE + GAP) - GAP;
  const board = canvas(width, used * LANE - LANE + TALL + 24, t('chain.label', { count: nodes.length }),
    aristas.filter((edge) => places.has(edge.de) && places.has(edge.a)).map((edge) => arrow(places.get(edge.a), places.get(edge.de))),
    nodes.map((node) => box(node, places.get(node.id), node.id === id)));
  board.setAttribute('role', 'group');
  return [
    h('div.scroll.chain', { tabindex: '0', role: 'region', 'aria-label': t('chain.label', { count: nodes.length }) }, board),
    nodes.length < sorted.length && h('p.hint', {}, t('chain.cut', { count: sorted.length - nodes.length })),
  ];
}

function around(nodes, id) {
  if (nodes.length <= MOST) return nodes;
  const at = Math.max(0, nodes.findIndex((node) => node.id === id));
  const begin = Math.max(0, Math.min(at - MOST / 2, nodes.length - MOST));
  return nodes.slice(begin, begin + MOST);
}

function box(node, { x, y }, isHere) {
  const name = `${term('kind', node.tipo)} ${node.id}`;
  const label = `${name}, ${moment(node.fecha)}, ${bytes(node.tamano)}, ${term('state', node.estado)}${isHere ? `, ${t('chain.here')}` : ''}`;
  const drawn = svg('g', { class: `node${isHere ? ' here' : ''}${node.estado === 'COMPLETADO' ? '' : ' failed'}` },
    svg('rect', { x, y, width: WIDE, height: TALL, rx: 8 }),
    kindMark(node.tipo, x + 16, y + 17, 6),
    svg('text.name', { x: x + 30, y: y + 21 }, name),
    svg('text', { x: x + 12, y: y + 38 }, moment(node.fecha)),
    svg('text', { x: x + 12, y: y + 52 }, bytes(node.tamano)));
  if (isHere) return svg('g', { role: 'img', 'aria-label': label }, drawn);
  return svg('a', { href: href(backupPath(node.id)) }, drawn, svg('title', {}, label));
}

/** From what is built on to what builds on it. */
function arrow(base, other) {
  const [x1, y1, x2, y2] = [base.x + WIDE, base.y + TALL / 2, other.x, other.y + TALL / 2];
  const bend = Math.max(16, Math.min(60, (x2 - x1) / 2));
  return svg('g.edge', {}, svg('path', { d: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }),
    svg('path.tip', { d: `M${x2} ${y2}L${x2 - 7} ${y2 - 4}V${y2 + 4}Z` }));
}
