import type { RecoveredChunk } from '@batchsender/core';
import type { Child, ChildEnd } from './child.ts';

/** What V8 ends by when its heap is full, and what the kernel's out-of-memory killer sends. */
const MEMORY_SIGNALS = new Set(['SIGABRT', 'SIGKILL']);

/** What the log says of a child that ended though nobody had asked it to: fields and message. */
export function explainEnd(
  { pid }: Pick<Child, 'pid'>,
  { code, signal, silent }: ChildEnd,
  chunks: readonly RecoveredChunk[],
): [fields: object, message: string] {
  const plugins = [...new Set(chunks.map(({ pluginName }) => pluginName))];
  const atWork =
    chunks.length === 0
      ? 'Nothing was at work.'
      : `At work: ${plugins.join(', ')}. What it worked on is tried in processes of its own.`;
  const fields = { pid, code, signal, plugins, chunks: chunks.map(({ chunkId }) => chunkId) };
  return [fields, `${causeOf(code, signal, silent)} ${atWork}`];
}

function causeOf(code: number | null, signal: NodeJS.Signals | null, silent: boolean): string {
  if (silent) return 'A runner process gave no sign of life (an endless loop?) and was killed.';
  if (signal === null) return `A runner process ended by itself with exit code ${code}.`;
  const memory = MEMORY_SIGNALS.has(signal) ? ' (out of memory, or killed from outside?)' : '';
  return `A runner process was ended by ${signal}${memory}.`;
}
