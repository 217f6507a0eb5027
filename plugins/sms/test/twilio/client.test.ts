import { afterAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/twilio/client.ts';
import { type Answer, cut, httpServer } from '../helpers/http-server.ts';
import { ACCOUNT_SID, AUTH_TOKEN, twilioServer } from '../helpers/twilio-server.ts';

const LOOPBACK = { allow: ['127.0.0.0/8'] };
const login = { username: ACCOUNT_SID, password: AUTH_TOKEN };

const server = await twilioServer();
afterAll(() => server.close());

describe("Twilio's client on our connections", () => {
  it('keeps the calls that run at once apart', async () => {
    let calls = 0;
    const answer: Answer = (seen, response) => {
      calls++;
      if (seen.body.includes('cut')) cut(seen, response);
      else
        response
          .writeHead(429, { 'retry-after': seen.body.includes('long') ? '9' : '2' })
          .end('{"code":20429}');
    };
    const busy = await httpServer(answer);
    const connection = await connect({ accountSid: ACCOUNT_SID, baseUrl: busy.url }, login, LOOPBACK, 10);
    const send = (body: string) =>
      connection.call(new AbortController().signal, (client) =>
        client.messages.create({ to: '+12025550123', from: '+12025550188', body }),
      );
    const outcomes = await Promise.all([send('long'), send('cut'), send('short'), send('long')]);
    await connection.close();
    await busy.close();
    expect(outcomes.map((outcome) => outcome.kind === 'error' && outcome.answer?.retryAfterMs)).toEqual([
      9_000,
      undefined,
      2_000,
      9_000,
    ]);
    expect(calls).toBe(4);
  });

  it('puts the path of the API behind that of another address', async () => {
    const accountSid = ACCOUNT_SID;
    const seen: string[] = [];
    const proxy = await httpServer((one, response) => {
      seen.push(one.path);
      response.writeHead(404).end();
    });
    const connection = await connect({ accountSid, baseUrl: `${proxy.url}/twilio/` }, login, LOOPBACK, 1);
    await connection.call(new AbortController().signal, (client) => client.messages.page({ pageSize: 1 }));
    await connection.close();
    await proxy.close();
    expect(seen).toEqual([`/twilio/2010-04-01/Accounts/${accountSid}/Messages.json?PageSize=1`]);
  });

  it('asks edge and region that the connection names', async () => {
    const connection = await connect(
      { accountSid: ACCOUNT_SID, edge: 'dublin', region: 'ie1' },
      login,
      LOOPBACK,
      1,
    );
    const outcome = await connection.call(new AbortController().signal, async (client) =>
      client.getHostname('api.twilio.com', client.edge, client.region),
    );
    await connection.close();
    expect(outcome).toEqual({ kind: 'value', value: 'api.dublin.ie1.twilio.com' });
  });

  it('ends with the signal', async () => {
    const controller = new AbortController();
    const connection = await connect({ accountSid: ACCOUNT_SID, baseUrl: server.url }, login, LOOPBACK, 1);
    server.mood = () => controller.abort(new Error('over'));
    const outcome = await connection.call(controller.signal, (client) =>
      client.messages.page({ pageSize: 1 }),
    );
    server.mood = undefined;
    await connection.close();
    expect(outcome).toMatchObject({ kind: 'error', answer: undefined });
  });
});
