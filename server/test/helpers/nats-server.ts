import { describe, test } from 'vitest';
import { NATS_MISSING, type NatsBinary, natsBinaries } from './nats-process.ts';

/**
 * Tests that run against each nats-server that is there. Without any they are skipped with the
 * remedy; with CI=true they fail.
 */
export function describeNats(name: string, body: (binary: NatsBinary) => void): void {
  const binaries = natsBinaries();
  if (binaries.length === 0) {
    test(name, (context) => {
      if (process.env['CI'] === 'true') throw new Error(NATS_MISSING);
      context.skip(NATS_MISSING);
    });
  }
  for (const binary of binaries) describe(`${name}, nats-server ${binary.version}`, () => body(binary));
}
