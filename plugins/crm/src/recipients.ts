import type { JsonValue } from '@batchsender/core/plugin';
import { type CrmPayload, recordOf } from './payload.ts';

/** Good enough to find a person again; whether an address is right is the CRM's matter. */
const ADDRESS = /^[^\s@]{1,64}@[^\s@]{1,189}$/;

/** The e-mail addresses in a record, in lower case, so that a person can be erased. */
export function recipients(payload: CrmPayload): readonly string[] {
  const found = new Set<string>();
  for (const text of texts(recordOf(payload))) if (ADDRESS.test(text)) found.add(text.toLowerCase());
  return [...found];
}

/** All strings in a value, at any depth. */
export function* texts(value: JsonValue): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) yield* texts(inner as JsonValue);
  }
}
