// There is no page at this address.

import { h } from '../dom.js';
import { t } from '../i18n.js';
import { empty, head } from '../parts/states.js';
import { href } from '../router.js';

export async function draw() {
  return [head(t('missing.title')), empty(t('missing.text'), null, h('a.button', { href: href('') }, t('page.overview')))];
}
