import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/embedded/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    embeddedPostgresUrl: string;
  }
}

/** Test data is thrown away, so nothing has to survive a power failure. */
const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' };

/** Starts one embedded Postgres for a whole Vitest run, in a temporary folder. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'batchsender-test-'));
  // A process that ends at this moment may still write to it.
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  try {
    // As root, Postgres runs as another user, who has to reach this folder.
    await chmod(folder, 0o755);
    // Processes that tests start share what Node made of the sources: it is a third of their start.
    process.env['NODE_COMPILE_CACHE'] = join(folder, 'compiled');
    const server = await startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), settings });
    project.provide('embeddedPostgresUrl', server.url);
    return async () => {
      await server.stop();
      await remove();
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
