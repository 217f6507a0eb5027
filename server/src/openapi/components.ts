import { COMPONENT } from '../schemas/common.ts';
import type { Json, JsonRecord } from './plain-schema.ts';

/** A document whose named schemas were moved to its components. */
export interface Hoisted {
  readonly node: Json;
  readonly components: Map<string, Json>;
}

/** Moves every schema that has a component's name to `components`, and leaves a `$ref` to it. */
export function hoistComponents(node: Json, components = new Map<string, Json>()): Hoisted {
  return { node: hoist(node, components), components };
}

function hoist(node: Json, components: Map<string, Json>): Json {
  if (Array.isArray(node)) return node.map((item) => hoist(item, components));
  if (typeof node !== 'object' || node === null) return node;
  const { [COMPONENT]: name, ...rest } = node as JsonRecord;
  const hoisted = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, hoist(value, components)]),
  );
  if (typeof name !== 'string') return hoisted;
  components.set(name, hoisted);
  return { $ref: `#/components/schemas/${name}` };
}
