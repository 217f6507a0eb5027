import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url));
const ALLOWED =
  /\/core\/src\/(plugin|testing|engine)\/[\w/-]+\.ts$|\/node_modules\/(typebox|undici|ipaddr\.js)\//;

/** Prints the URL of every module that the entry loads. */
const PROBE = `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      if (resolved.url.startsWith('file:')) console.log(resolved.url);
      return resolved;
    },
  });
  await import('@batchsender/core/testing');
`;

describe("the entry '@batchsender/core/testing'", () => {
  it('loads no database and no test framework', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@batchsender/source', '--input-type=module', '--eval', PROBE],
      { cwd: PACKAGE },
    );
    const loaded = stdout.trim().split('\n');
    expect(loaded.length).toBeGreaterThan(20);
    expect(loaded.filter((url) => !ALLOWED.test(url))).toEqual([]);
  });
});
