import type { NewEvent } from '../../engine/store.ts';
import { intArray, textArray, wordArray } from './array-literal.ts';

/** Three parameters for `unnest($a::int[], $b::text[], $c::json[])`. */
export function eventArrays(events: readonly NewEvent[]): [seqs: string, kinds: string, data: string] {
  return [
    intArray(events.map((event) => event.seq)),
    wordArray(events.map((event) => event.kind)),
    textArray(events.map((event) => event.data)),
  ];
}
