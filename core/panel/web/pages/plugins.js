// What detects changes, dumps, stores and validates: built in or from others.

import { get } from '../api.js';
import { h } from '../dom.js';
import { t, term } from '../i18n.js';
import { noteBadge, verdictBadge } from '../parts/badge.js';
import { empty, head, section } from '../parts/states.js';
import { table } from '../parts/table.js';

const CLASSES = ['detector', 'dumper', 'sink', 'validator'];

export async function draw({ signal }) {
  const { complementos: all } = await get('plugins', {}, { signal });
  const known = CLASSES.map((name) => [name, all.filter((plugin) => plugin.clase === name)]);
  const other = all.filter((plugin) => !CLASSES.includes(plugin.clase));
  return [
    head(t('page.plugins'), t('plugins.lead')),
    all.length === 0 && empty(t('empty.title')),
    known.filter(([, plugins]) => plugins.length > 0).map(([name, plugins]) => section(t(`plugin_class.${name}`), h('p.hint', {}, t(`plugin_says.${name}`)), list(plugins))),
    other.length > 0 && section(t('plugins.unusable'), list(other)),
  ];
}

function list(plugins) {
  return table(t('page.plugins'), [
    { title: t('col.name'), lead: true, cell: (plugin) => [h('code', {}, plugin.nombre), plugin.titulo && h('span.hint', {}, plugin.titulo)] },
    { title: t('plugins.origin'), cell: (plugin) => noteBadge('plain', t(plugin.incluido ? 'plugins.built_in' : 'plugins.foreign')) },
    { title: t('col.state'), cell: (plugin) => [verdictBadge(plugin.utilizable, t(plugin.utilizable ? 'plugins.usable' : 'plugins.broken')), plugin.problema && h('span.hint', {}, plugin.problema)] },
    { title: t('col.detail'), cell: (plugin) => details(plugin) },
  ], plugins);
}

function details(plugin) {
  const parts = [
    plugin.descripcion, plugin.version && t('version', { version: plugin.version }), plugin.autor, plugin.licencia,
    plugin.aislamiento && term('isolation', plugin.aislamiento),
  ].filter(Boolean);
  return [parts.join(' · ') || t('none'), plugin.ruta && h('code.wrap.small', {}, plugin.ruta), plugin.sha256 && h('code.wrap.small', {}, plugin.sha256)];
}
