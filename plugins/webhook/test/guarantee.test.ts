import { expect, it } from 'vitest';
import { ended, testWorld } from '../../../core/test/helpers/engine-world.ts';
import type { HttpCredentials } from '../src/credentials.ts';
import plugin from '../src/index.ts';
import { type Received, receiver } from './helpers/receiver.ts';

const world = testWorld();

/** A receiver that cuts the first call of each job, some time after it has got it. */
async function afterACut(credentials: HttpCredentials, payload: { deduplicates?: boolean }, holdsMs = 0) {
  const seen = new Map<string, number>();
  const hook = await receiver((request: Received, response) => {
    const id = String(request.headers['webhook-id']);
    const times = (seen.get(id) ?? 0) + 1;
    seen.set(id, times);
    if (times === 1) setTimeout(() => response.destroy(), holdsMs);
    else response.end();
  });
  try {
    const engine = await world.started({
      plugins: [{ plugin }],
      allowNetworks: ['127.0.0.0/8'],
      retry: { baseMs: 10 },
      credentials: () => ({ ...credentials }),
    });
    const { id } = await engine.submit({
      type: 'webhook',
      jobs: [{ url: hook.url, body: 1, ...payload }],
    });
    const { counts } = await ended(engine, id);
    const { possibleDuplicate } = await engine.getJob(`${id}.0`);
    return { times: seen.get(`${id}.0`), counts, possibleDuplicate };
  } finally {
    await hook.close();
  }
}

it.each<[string, HttpCredentials, { deduplicates?: boolean }, boolean]>([
  ['is flagged by default', {}, {}, true],
  ['is no duplicate where the connection says that receivers remember', { deduplicates: true }, {}, false],
  ['is no duplicate where the payload says so', {}, { deduplicates: true }, false],
  ['is flagged where the payload takes it back', { deduplicates: true }, { deduplicates: false }, true],
])('a repeated call %s', async (_what, credentials, payload, possibleDuplicate) => {
  expect(await afterACut(credentials, payload)).toMatchObject({
    times: 2,
    counts: { succeeded: 1 },
    possibleDuplicate,
  });
});

it('is not repeated when the receiver has forgotten it', async () => {
  const outcome = await afterACut({ deduplicates: true, remembersMs: 1_000 }, {}, 1_100);
  expect(outcome).toMatchObject({ times: 1, counts: { unknown: 1 } });
});
