// Lists with paging and sorting. On narrow screens each row becomes a block with the columns' names beside the values.

import { h, icon, replace } from '../dom.js';
import { number, t } from '../i18n.js';
import { empty, filled } from './states.js';
import { choice } from './form.js';

/**
 * A table. `columns` are `{ title, cell(row), sort?, end?, lead? }`: `sort` is the key the service sorts by, `end` puts
 * numbers at the end, `lead` marks the cell that names the row, `words` gives sentences room.
 */
export function table(caption, columns, rows, sorting = null) {
  return h('div.scroll', {}, h('table', {},
    h('caption.unseen', {}, caption),
    h('thead', {}, h('tr', {}, columns.map((column) => headOf(column, sorting)))),
    h('tbody', {}, rows.map((row) => h('tr', {}, columns.map((column) => cellOf(column, row)))))));
}

function headOf(column, sorting) {
  const end = column.end ? 'end' : '';
  if (!column.sort || !sorting) return h('th', { scope: 'col', class: end }, column.title);
  const current = sorting.by === column.sort;
  const order = current && (sorting.direction === 'asc' ? 'ascending' : 'descending');
  const turned = current && sorting.direction === 'desc' ? 'asc' : 'desc';
  return h('th', { scope: 'col', class: end, 'aria-sort': order || null },
    h('button.sort', { type: 'button', 'data-sort': column.sort, onclick: () => sorting.choose(column.sort, turned) },
      column.title, icon(current ? (sorting.direction === 'asc' ? 'up' : 'down') : 'updown')));
}

function cellOf(column, row) {
  const content = column.cell(row);
  if (column.lead) return h('th', { scope: 'row', 'data-title': column.title }, h('div.cell', {}, content));
  return h('td', { class: column.end ? 'end' : '', 'data-title': column.title }, h('div.cell', { class: column.words ? 'words' : '' }, content));
}

const SIZES = [10, 25, 50, 100];

/**
 * A list that the service gives in pages: `ask(limit, offset)` gives `{ elementos, total }`, `draw` the table of them.
 * Gives its place and how to fill it anew, from the first page with `first`.
 */
export function paged({ ask, draw, none, signal, size = 25, offset = 0, onmove = null }) {
  let limit = size;
  let at = offset;
  const move = (next) => {
    at = Math.max(0, next);
    onmove?.(limit, at);
    return list.fill();
  };
  const list = filled(() => ask(limit, at), (found) => {
    const rows = found.elementos;
    if (found.total === 0) return none?.() ?? empty(t('empty.title'));
    // What was on the last page may be gone.
    if (rows.length === 0 && at > 0) return move(Math.floor((found.total - 1) / limit) * limit);
    return [draw(rows, found), pager(found.total, limit, at, move, (chosen) => {
      limit = chosen;
      return move(0);
    })];
  }, signal);
  return { place: list.place, fill: list.fill, first: () => move(0) };
}

function pager(total, limit, at, move, resize) {
  const last = Math.min(at + limit, total);
  const pages = Math.ceil(total / limit);
  const page = Math.floor(at / limit) + 1;
  const button = (words, picture, target, closed) => h('button.quiet', {
    type: 'button', disabled: closed, 'aria-label': words, title: words, onclick: () => move(target),
  }, icon(picture));
  const jump = h('input.jump', {
    type: 'number', min: 1, max: pages, value: page, 'aria-label': t('pager.page'),
    onchange: () => move((Math.min(Math.max(1, Number(jump.value) || 1), pages) - 1) * limit),
  });
  const sizes = choice(SIZES.map((size) => [size, t('pager.rows', { count: size })]), limit, {
    'aria-label': t('pager.size'), onchange: (event) => resize(Number(event.target.value)),
  });
  return h('div.pager', { role: 'group', 'aria-label': t('pager.label') },
    h('span', { role: 'status' }, t('pager.range', { from: at + 1, to: last, total })),
    pages > 1 && h('span.pages', {},
      button(t('pager.first'), 'first', 0, at === 0), button(t('pager.before'), 'left', at - limit, at === 0),
      jump, h('span', {}, t('pager.of', { pages })),
      button(t('pager.next'), 'right', at + limit, last >= total), button(t('pager.last'), 'last', (pages - 1) * limit, last >= total)),
    total > SIZES[0] && sizes);
}

/** Rows that are here already, shown a page at a time; `matches(row, text)` makes a search of it. */
export function local({ rows, draw, none, size = 25, matches = null, search = t('search') }) {
  let wanted = '';
  const ask = async (limit, offset) => {
    const found = matches && wanted !== '' ? rows.filter((row) => matches(row, wanted)) : rows;
    return { elementos: found.slice(offset, offset + limit), total: found.length };
  };
  const list = paged({ ask, draw, none: () => (wanted === '' && none ? none() : empty(t('empty.search'))), size });
  if (!matches || rows.length <= 10) return list.place;
  const box = h('input', { type: 'search', 'aria-label': search, placeholder: search });
  box.addEventListener('input', () => {
    wanted = box.value.toLowerCase();
    list.first();
  });
  const place = h('div', {});
  replace(place, h('div.filters', {}, box, h('span.hint', {}, t('pager.all', { count: rows.length, total: number(rows.length) }))), list.place);
  return place;
}
