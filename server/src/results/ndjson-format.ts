import type { ResultRow } from '@batchsender/core';
import { isoTimes } from './iso-time.ts';
import type { ResultFormat } from './result-format.ts';

/** Results as NDJSON: one job a line. The payload's text is taken as it is, neither parsed nor written anew. */
export function ndjsonFormat(): ResultFormat {
  const iso = isoTimes();
  const time = (at: Date | null): string => (at === null ? 'null' : `"${iso(at)}"`);
  const row = (result: ResultRow): string => {
    const { id, seq, state, attempts, possibleDuplicate, code, message, ref, delivery } = result;
    return (
      `{"id":"${id}","seq":${seq},"state":"${state}","code":${text(code)},"message":${text(message)},` +
      `"ref":${text(ref)},"delivery":${text(delivery)},"attempts":${attempts},` +
      `"possibleDuplicate":${possibleDuplicate},"at":${time(result.at)},"settledAt":${time(result.settledAt)},` +
      `"payload":${oneLine(result.payloadText)}}\n`
    );
  };
  return { start: '', rows: (block) => block.map(row).join('') };
}

const text = (value: string | null): string => (value === null ? 'null' : JSON.stringify(value));

// A line end between the parts of a JSON text is only space; inside a string it cannot be.
const oneLine = (json: string): string => (/[\r\n]/.test(json) ? json.replaceAll(/[\r\n]+/g, ' ') : json);
