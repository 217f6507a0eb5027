import { conformance, unusedPort } from '@batchsender/core/testing';
import { afterAll, describe, it } from 'vitest';
import { type Mood, startPostcardService } from '../postcard-service.ts';
import plugin from '../src/index.ts';

const apiKey = 'test-key-91f2c7';
const press = await startPostcardService(apiKey);
const become = (mood: Mood) => () => {
  press.mood = mood;
};

afterAll(() => press.close());

describe('the provider press', async () => {
  const cases = conformance({
    plugin,
    type: 'postcard',
    provider: 'press',
    credentials: { apiKey, baseUrl: press.url },
    payloads: [
      {
        name: 'Ada Lovelace',
        address: '12 St James Square, London',
        country: 'GB',
        text: 'The engine works.',
      },
      {
        name: 'Grace Hopper',
        address: '5 Navy Yard, New York',
        country: 'US',
        text: 'So does the compiler.',
      },
    ],
    respond: {
      accept: become('fine'),
      refuse: become('strict'),
      throttle: become('busy'),
      authFailure: become('locked'),
      dropAfterAccept: become('clumsy'),
      hang: become('asleep'),
      garbage: become('confused'),
      calls: () => press.keys.length,
      keys: () => press.keys,
    },
    unreachable: { credentials: { apiKey, baseUrl: `http://127.0.0.1:${await unusedPort()}` } },
  });

  for (const { name, skip, run } of cases) {
    it(name, (context) => (skip === undefined ? run() : context.skip(skip)));
  }
});
