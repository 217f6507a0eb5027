import type { Provider } from '@batchsender/core/plugin';
import { fakeCall, fakeJob, fakeOpenContext } from '@batchsender/core/testing';
import { afterAll, expect, it } from 'vitest';
import { startPostcardService } from '../postcard-service.ts';
import plugin from '../src/index.ts';

const apiKey = 'test-key-91f2c7';
const press = await startPostcardService(apiKey);
const provider = plugin.modules[0]?.providers['press'] as Provider;
const session = await provider.open({ apiKey, baseUrl: press.url } as never, fakeOpenContext());
const card = {
  name: 'Ada',
  address: '12 St James Square',
  country: 'GB',
  text: 'Hello',
  variables: { n: 1 },
};

afterAll(() => press.close());

it('prints a card, and answers with the id that the press gave it', async () => {
  const job = fakeJob(card);
  expect(await session.process?.(job, fakeCall())).toEqual({ status: 'succeeded', ref: 'card_1' });
  expect(press.cards.get(job.id)).toEqual({ id: 'card_1', text: 'Hello' });
});

it('prints no second card when a call is repeated', async () => {
  const before = press.cards.size;
  const [first, second] = [1, 2].map((attempt) => session.process?.(fakeJob(card), fakeCall({ attempt })));
  expect(await first).toEqual(await second);
  expect(press.cards.size).toBe(before);
});

it('fails a card to a country that the press does not know', async () => {
  const result = session.process?.(
    fakeJob({ ...card, country: 'XX' }),
    fakeCall({ idempotencyKey: 'other' }),
  );
  expect(await result).toMatchObject({ status: 'failed', code: 'http_422' });
});
