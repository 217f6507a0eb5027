import type { Liquid, Template } from 'liquidjs';
import { ESCAPE, escapePointer, type JobPayload, type TSchema } from '../../plugin/index.ts';
import { InvalidInputError } from '../errors.ts';
import { type Escape, escapeOf, liquid } from './liquid.ts';
import { simpleTemplate } from './simple-template.ts';

/** Merges a job's own payload over the batch's defaults and renders the templates. */
export type Merge = (payload: JobPayload) => JobPayload;

/** A template could not be rendered for a job: an unknown variable, or a limit. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

type Render = (variables: object) => unknown;
type Schema = { properties?: Record<string, Schema>; items?: Schema; [ESCAPE]?: Escape };

const WHOLE_PLACEHOLDER = /^\{\{[^{}]*\}\}$/;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Compiles the defaults once a batch. A job's field wins over the default of the same name;
 * `variables` are merged by name. Only strings of the defaults are templates: what a job brings
 * is data. @throws InvalidInputError `invalid_template` naming the place.
 */
export function compileDefaults(defaults: JobPayload | null, schema: TSchema): Merge {
  if (defaults === null || Object.keys(defaults).length === 0) return (payload) => payload;
  const { variables: shared, ...fields } = defaults as { variables?: unknown };
  const constants: Record<string, unknown> = {};
  const renders: [name: string, render: Render][] = [];
  for (const [name, value] of Object.entries(fields)) {
    const render = compile(value, (schema as Schema).properties?.[name], `/${escapePointer(name)}`);
    if (render === undefined) constants[name] = value;
    else renders.push([name, render]);
  }
  return (payload) => {
    const variables = mergeVariables(shared, payload['variables']);
    const merged: Record<string, unknown> = { ...constants, ...payload };
    if (variables !== undefined) merged['variables'] = variables;
    for (const [name, render] of renders) {
      if (!Object.hasOwn(payload, name)) merged[name] = render(isObject(variables) ? variables : {});
    }
    return merged;
  };
}

/** By name, where both are objects; what is of another shape is left for the schema to refuse. */
function mergeVariables(shared: unknown, own: unknown): unknown {
  if (!isObject(shared)) return own;
  return isObject(own) ? { ...shared, ...own } : (own ?? shared);
}

/** Undefined if there is no template in the value. */
function compile(value: unknown, schema: Schema | undefined, path: string): Render | undefined {
  if (typeof value === 'string') return compileString(value, schema?.[ESCAPE] ?? 'none', path);
  if (Array.isArray(value)) {
    const parts = value.map((item, index) => compile(item, schema?.items, `${path}/${index}`));
    if (parts.every((part) => part === undefined)) return undefined;
    return (variables) => value.map((item, index) => parts[index]?.(variables) ?? item);
  }
  if (!isObject(value)) return undefined;
  const parts = Object.entries(value).map(
    ([name, item]) =>
      [name, item, compile(item, schema?.properties?.[name], `${path}/${escapePointer(name)}`)] as const,
  );
  if (parts.every(([, , part]) => part === undefined)) return undefined;
  return (variables) =>
    Object.fromEntries(parts.map(([name, item, part]) => [name, part?.(variables) ?? item]));
}

function compileString(value: string, escaping: Escape, path: string): Render | undefined {
  if (!value.includes('{{') && !value.includes('{%')) return undefined;
  // A list may bring whole URLs; encoding them would break them.
  const way = escaping === 'url' && WHOLE_PLACEHOLDER.test(value) ? 'none' : escaping;
  const engine = liquid(way);
  const template = parseTemplate(engine, value);
  if (typeof template === 'string') {
    const problem = { path: `/defaults${path}`, code: 'invalid_template', message: template };
    throw new InvalidInputError('invalid_template', `The template at /defaults${path} does not parse`, [
      problem,
    ]);
  }
  const simple = simpleTemplate(value, escapeOf(way));
  return (variables) => {
    const quick = simple?.(variables as Record<string, unknown>);
    if (quick !== undefined) return quick;
    const rendered = renderPatiently(() => engine.renderSync(template, variables));
    if (rendered instanceof Error) throw new TemplateError(path, firstLine(rendered));
    return rendered;
  };
}

/** The parsed template, or what is wrong with it. */
function parseTemplate(engine: Liquid, value: string): Template[] | string {
  try {
    return engine.parse(value);
  } catch (error) {
    return firstLine(error);
  }
}

/** A pause of the process looks like a slow template: what was too slow is rendered once more. */
function renderPatiently(render: () => unknown): unknown {
  try {
    return render();
  } catch (error) {
    if (!firstLine(error).includes('render limit')) return error;
  }
  try {
    return render();
  } catch (error) {
    return error;
  }
}

const firstLine = (error: unknown): string => (error as Error).message.split('\n')[0] ?? 'template error';
