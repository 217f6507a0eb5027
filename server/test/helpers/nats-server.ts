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

/** Tests of what is above the transport, whose own tests run on each nats-server: the last one will do. */
export function describeWithNats(name: string, body: (binary: NatsBinary) => void): void {
  const newest = natsBinaries().at(-1);
  if (newest === undefined) describeNats(name, body);
  else describe(`${name}, nats-server ${newest.version}`, () => body(newest));
}
