import { describe, expect, it } from 'vitest';
import { retry, succeeded } from '../../src/plugin/index.ts';
import { ended, testWorld, until } from '../helpers/engine-world.ts';
import { fake, numbered } from '../helpers/fake-plugin.ts';

const world = testWorld();

/** A provider whose endpoint `down` fails until it is told to work. */
function twoEndpoints() {
  const state = { works: false };
  const mail = fake({
    provider: { concurrency: 4, endpointKey: (payload) => payload.to ?? '' },
    process: (job) => (state.works || job.payload.to === 'up' ? succeeded() : retry('http_500')),
  });
  const toDown = () => mail.calls.filter((call) => call.jobs[0]?.payload.to === 'down').length;
  return { state, mail, toDown };
}

const jobs = numbered(120).map(({ n = 0 }) => ({ n, to: n % 2 === 0 ? 'down' : 'up' }));
const policy = { maxAttempts: 100, baseMs: 1, capMs: 50 };

const failingFor = (interval: string, checked: string) =>
  world.sql(
    `INSERT INTO batchsender.endpoints (connection_id, endpoint, failing_since, checked_at)
     VALUES ('mail.fake', 'down', now() - $1::interval, now() - $2::interval)`,
    [interval, checked],
  );

describe('an endpoint that fails', () => {
  it('E19: is listed, and forgotten when it works again', async () => {
    const { state, mail, toDown } = twoEndpoints();
    const engine = await world.started({ plugins: [mail], retry: policy });
    const { id } = await engine.submit({ type: 'mail', jobs });
    await until('the circuit to open', async () => (await engine.listEndpoints()).length > 0);
    expect(await engine.listEndpoints()).toEqual([
      {
        connectionId: 'mail.fake',
        endpoint: 'down',
        state: 'failing',
        since: expect.any(Date),
        checkedAt: expect.any(Date),
      },
    ]);
    expect(toDown()).toBeLessThan(20);
    state.works = true;
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 120 });
    await until('it to be forgotten', async () => (await engine.listEndpoints()).length === 0);
  });

  it('E19: gets one call an hour after days, and all of its jobs when somebody says that it works', async () => {
    const { state, mail, toDown } = twoEndpoints();
    const engine = await world.started({ plugins: [mail], retry: policy });
    await failingFor('6 days', '1 hour');
    const { id } = await engine.submit({ type: 'mail', jobs });
    await until('the others', async () => (await engine.getBatch(id)).counts.succeeded === 60);
    const waiting = () =>
      world.sql(
        `SELECT extract(epoch FROM min(due_at) - now()) AS s FROM batchsender.chunks WHERE state <> 'closed'`,
      );
    await until('its jobs to wait for an hour', async () => Number((await waiting())[0].s) > 3_000);
    expect(await engine.listEndpoints()).toMatchObject([{ endpoint: 'down', state: 'disabled' }]);
    expect((await engine.getBatch(id)).counts).toMatchObject({ failed: 0, unknown: 0, waiting: 60 });
    expect(toDown()).toBeLessThan(20);
    const warnings = world.log.filter(({ message }) => message?.includes('has failed for days'));
    expect(warnings).toHaveLength(1);
    expect(JSON.stringify(warnings)).not.toContain('"down"');

    state.works = true;
    await engine.connections.unblock('mail.fake');
    expect((await ended(engine, id)).counts).toMatchObject({ succeeded: 120 });
    expect(await engine.listEndpoints()).toEqual([]);
  });

  it('E19: starts anew where nobody has called it meanwhile', async () => {
    const { mail, state } = twoEndpoints();
    const engine = await world.started({ plugins: [mail], retry: policy });
    await failingFor('6 days', '3 hours');
    const { id } = await engine.submit({ type: 'mail', jobs });
    await until('the circuit to open', async () => (await engine.listEndpoints()).length > 0);
    expect(await engine.listEndpoints()).toMatchObject([{ endpoint: 'down', state: 'failing' }]);
    state.works = true;
    await ended(engine, id);
  });
});
