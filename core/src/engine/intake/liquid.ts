import { Liquid } from 'liquidjs';

/** How values are escaped in a field, by its schema. */
export type Escape = 'none' | 'html' | 'url';

/** Tags that choose between texts; loops, includes and assignments are left out. */
const TAGS = new Set(['if', 'unless', 'case', 'comment', 'raw']);

/** Longest template, in characters. */
const PARSE_LIMIT = 1_000_000;
/** Longest time of one rendering, in milliseconds. */
const RENDER_LIMIT_MS = 100;
/** Most characters that one rendering may allocate. */
const MEMORY_LIMIT = 5_000_000;

const escapes: Record<Escape, ((value: unknown) => string) | undefined> = {
  none: undefined,
  html: (value) => text(value).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`),
  url: (value) => encodeURIComponent(text(value).toWellFormed()),
};

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value));

/** Writes a value into a field with this way of escaping. */
export const escapeOf = (escaping: Escape): ((value: unknown) => string) => escapes[escaping] ?? text;

const engines = new Map<Escape, Liquid>();

/** The template engine for one way of escaping: strict about names, limited in size and time. */
export function liquid(escaping: Escape): Liquid {
  let engine = engines.get(escaping);
  if (engine === undefined) {
    const outputEscape = escapes[escaping];
    engine = new Liquid({
      strictVariables: true,
      strictFilters: true,
      lenientIf: true,
      ownPropertyOnly: true,
      parseLimit: PARSE_LIMIT,
      renderLimit: RENDER_LIMIT_MS,
      memoryLimit: MEMORY_LIMIT,
      ...(outputEscape === undefined ? {} : { outputEscape }),
    });
    for (const name of Object.keys(engine.tags)) if (!TAGS.has(name)) delete engine.tags[name];
    engines.set(escaping, engine);
  }
  return engine;
}
