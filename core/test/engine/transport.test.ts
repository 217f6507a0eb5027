import { describe, it } from 'vitest';
import { createInProcessTransport } from '../../src/engine/transport.ts';
import { transportConformance } from '../../src/testing/index.ts';

describe('the in-process transport', () => {
  const open = async () => {
    const transport = createInProcessTransport();
    return [transport, transport] as const;
  };
  for (const { name, run } of transportConformance({ open })) it(name, run);
});
