// Elements without markup: text is only ever text, whatever a table or a label is called.

const SVG = 'http://www.w3.org/2000/svg';
// Set as properties: as attributes they would only be first values.
const PROPERTIES = new Set(['value', 'checked', 'disabled', 'selected', 'indeterminate', 'htmlFor', 'readOnly']);

/**
 * An element: `h('button.primary', { type: 'button', onclick: save }, t('save'))`.
 * Classes follow the tag's name; `on...` are listeners; null, undefined and false leave an attribute or child out.
 */
export function h(name, attributes, ...children) {
  const [tag, ...classes] = name.split('.');
  return fill(document.createElement(tag), classes, attributes, children);
}

/** The same for drawings. */
export function svg(name, attributes, ...children) {
  const [tag, ...classes] = name.split('.');
  return fill(document.createElementNS(SVG, tag), classes, attributes, children);
}

function fill(element, classes, attributes, children) {
  if (classes.length > 0) element.classList.add(...classes);
  for (const [key, value] of Object.entries(attributes ?? {})) set(element, key, value);
  append(element, children);
  return element;
}

function set(element, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key === 'class') element.classList.add(...value.split(' ').filter(Boolean));
  else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
  else if (PROPERTIES.has(key)) element[key] = value;
  else element.setAttribute(key, value === true ? '' : String(value));
}

/** Adds children: elements, text, numbers, and lists of them. */
export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/** Puts other children in the place of all that are there. */
export function replace(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/** An icon of the sheet in icons/; says nothing to screen readers, words stand beside it. */
export function icon(name) {
  return svg('svg.icon', { 'aria-hidden': 'true', focusable: 'false', viewBox: '0 0 24 24' },
    svg('use', { href: `icons/sheet.svg#${name}` }));
}

let numbered = 0;

/** A name that no other element of the document has. */
export function uniqueId(stem) {
  numbered += 1;
  return `${stem}-${numbered}`;
}

/** What the browser keeps between visits; null where it keeps nothing. */
export const kept = {
  get(key) {
    try {
      return localStorage.getItem(`respaldo.${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      if (value === null) localStorage.removeItem(`respaldo.${key}`);
      else localStorage.setItem(`respaldo.${key}`, value);
    } catch {
      // Then the choice holds until the page is left.
    }
  },
};
