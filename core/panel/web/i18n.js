// Words, dates and numbers in the language of whoever looks.

import { kept } from './dom.js';

export const LANGUAGES = ['en', 'es'];

let language = 'en';
let words = {};
let plurals = new Intl.PluralRules('en');

/** The user's choice, else the browser's, else English. */
function preferred() {
  const wanted = [kept.get('lang'), ...(navigator.languages ?? [navigator.language])];
  const known = wanted.map((tag) => tag?.slice(0, 2)).find((tag) => LANGUAGES.includes(tag));
  return known ?? 'en';
}

/** Fetches the words. Throws where they cannot be had. */
export async function loadLanguage(chosen) {
  if (chosen) kept.set('lang', chosen);
  const next = chosen ?? preferred();
  const answer = await fetch(new URL(`messages/${next}.json`, document.baseURI));
  if (!answer.ok) throw new Error(`messages/${next}.json: ${answer.status}`);
  words = await answer.json();
  language = next;
  plurals = new Intl.PluralRules(locale());
  document.documentElement.lang = next;
}

/** The language in use: en or es. */
export function lang() {
  return language;
}

/** Where the browser speaks a variety of the language in use, that one. */
function locale() {
  const variety = (navigator.languages ?? []).find((tag) => tag.startsWith(`${language}-`));
  return variety ?? language;
}

/**
 * The text of a key. `{name}` in it becomes the parameter of that name. With a number `count` the key's
 * form `.one` or `.other` is taken as the language's rules have it.
 */
export function t(key, parameters = {}) {
  const text = words[key] ?? form(key, parameters.count) ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = parameters[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? number(value) : String(value);
  });
}

function form(key, count) {
  if (typeof count !== 'number') return undefined;
  return words[`${key}.${plurals.select(count)}`] ?? words[`${key}.other`];
}

/** The word for a code of the wire, such as a state; a code that is not known stands for itself. */
export function term(group, code) {
  if (code === null || code === undefined || code === '') return t('none');
  return words[`${group}.${code}`] ?? String(code);
}

/** A number as the language writes it; `digits` after the point at most. */
export function number(value, digits = 0) {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** A size in bytes, in units of 1024 as the command line has it. */
export function bytes(value) {
  if (value === null || value === undefined) return t('unknown');
  let unit = 0;
  let size = value;
  while (size >= 1024 && unit + 1 < UNITS.length) {
    size /= 1024;
    unit += 1;
  }
  return `${number(size, unit === 0 ? 0 : 1)}\u00a0${UNITS[unit]}`;
}

/** A duration in seconds as a clock would say it. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return t('unknown');
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${number(Math.max(0, seconds), 1)}\u00a0s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}\u00a0min ${whole % 60}\u00a0s`;
  return `${number(Math.floor(whole / 3600))}\u00a0h ${Math.floor((whole % 3600) / 60)}\u00a0min`;
}

/** Seconds from one time to another, both as the wire has them. */
export function secondsBetween(from, to) {
  return (new Date(to) - new Date(from)) / 1000;
}

const DAY = { year: 'numeric', month: 'short', day: 'numeric' };
const MINUTE = { ...DAY, hour: '2-digit', minute: '2-digit' };

function formatted(value, options) {
  const at = new Date(value);
  return Number.isNaN(at.getTime()) ? String(value) : new Intl.DateTimeFormat(locale(), options).format(at);
}

/** A day. */
export function day(value) {
  return formatted(value, DAY);
}

/** A time to the minute. */
export function moment(value) {
  return formatted(value, MINUTE);
}

/** The hour of a time, with seconds where they matter. */
export function clock(value, withSeconds) {
  return formatted(value, { hour: '2-digit', minute: '2-digit', second: withSeconds ? '2-digit' : undefined });
}

/** A time to the second with its offset: for what somebody decides by it. */
export function exact(value) {
  return formatted(value, { ...MINUTE, second: '2-digit', timeZoneName: 'shortOffset' });
}

/** The name of a weekday, 0 being Monday as the schedule counts. */
export function weekday(index) {
  // 1 January 2024 was a Monday.
  return new Intl.DateTimeFormat(locale(), { weekday: 'long', timeZone: 'UTC' }).format(new Date(Date.UTC(2024, 0, 1 + index)));
}

const STEPS = [['day', 86400], ['hour', 3600], ['minute', 60]];

/** How long until or since a time; the last minute is now. */
export function relative(value, now = Date.now()) {
  const seconds = (new Date(value) - now) / 1000;
  if (seconds <= 0 && seconds > -60) return t('just_now');
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(Math.round(seconds / size), unit);
}
