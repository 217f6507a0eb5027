import { createEngine } from '@batchsender/core';
import { noopPlugin } from './noop-plugin.ts';

/** Makes the engine's tables: the bare loop works on the same ones. */
export async function prepareEngineTables(databaseUrl: string): Promise<void> {
  const engine = createEngine({ database: databaseUrl, plugins: [noopPlugin(() => undefined)] });
  await engine.migrate();
  await engine.stop();
}
