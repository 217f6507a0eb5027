import type { JsonValue } from '@batchsender/core/plugin';
import { type CrmPayload, recordOf } from '../payload.ts';

/** What Pipedrive calls an object in a path, and in a search; activities cannot be searched. */
const ENTITIES: Readonly<Record<string, string | undefined>> = {
  persons: 'person',
  organizations: 'organization',
  deals: 'deal',
  products: 'product',
  activities: undefined,
};

export const OBJECTS = Object.keys(ENTITIES).join(', ');

export const isObject = (object: string): boolean => Object.hasOwn(ENTITIES, object);

/** The name of an object in a search; undefined if it has none. */
export const entityOf = (object: string): string | undefined =>
  isObject(object) ? ENTITIES[object] : undefined;

/** Custom fields have names of 40 hexadecimal digits (https://pipedrive.readme.io/docs/core-api-concepts-custom-fields). */
const CUSTOM = /^[0-9a-f]{40}$/;

/** A record as API v2 takes it: with its custom fields in an object of their own. */
export function bodyOf(payload: CrmPayload): Record<string, unknown> {
  const { custom_fields: given, ...record } = recordOf(payload);
  const fields: Record<string, JsonValue> = {};
  const custom: Record<string, JsonValue> = isFields(given) ? { ...given } : {};
  for (const [name, value] of Object.entries(record)) {
    if (CUSTOM.test(name)) custom[name] = value;
    else fields[name] = value;
  }
  return Object.keys(custom).length === 0 ? fields : { ...fields, custom_fields: custom };
}

const isFields = (value: JsonValue | undefined): value is Record<string, JsonValue> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
