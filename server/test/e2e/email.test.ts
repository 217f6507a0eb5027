import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { can, rawServer, type Script } from '../../../plugins/email/test/helpers/raw-server.ts';
import { type Answer, client, eventually, type TestApp } from '../helpers/app.ts';
import { type Cli, dataFolder, runCli } from '../helpers/cli.ts';

const KEY = 'bs_email';
const PASSWORD = 'open-sesame-4711';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Folder, key and network of a server; the settings of SMTP are added. */
function environment(smtp: Readonly<Record<string, string>> = {}): Record<string, string> {
  const data = dataFolder();
  closers.push(() => data.remove());
  const settings = Object.entries(smtp).map(([name, value]) => [`BATCHSENDER_EMAIL_SMTP_${name}`, value]);
  return {
    BATCHSENDER_DATA: data.path,
    BATCHSENDER_API_KEY: KEY,
    BATCHSENDER_ALLOW_NETWORKS: '127.0.0.0/8',
    ...Object.fromEntries(settings),
  };
}

async function start(env: Record<string, string>): Promise<{ cli: Cli; api: TestApp['api'] }> {
  const cli = runCli({ env });
  closers.push(() => cli.end());
  return { cli, api: client(await cli.ready(), KEY) };
}

async function smtpServer(script: Script = {}) {
  const server = await rawServer(script);
  closers.push(() => server.close());
  return server;
}

async function send(api: TestApp['api'], recipients: readonly string[]): Promise<string> {
  const defaults = { from: 'news@sender.example', subject: 'Hello', text: 'Dear {{ name }}' };
  const jobs = recipients.map((to) => ({ to, variables: { name: 'Zoë' } }));
  const { status, body } = await api('/v1/batches', { type: 'email', defaults, jobs });
  expect([status, body.id]).toEqual([201, expect.any(String)]);
  return body.id;
}

const until = (
  api: TestApp['api'],
  id: string,
  holds: (batch: Answer['body']) => boolean,
): Promise<Answer['body']> =>
  eventually(async () => {
    const { body } = await api(`/v1/batches/${id}`);
    return holds(body) && body;
  }, 60_000);

const recipients = (count: number, name = 'user'): string[] =>
  Array.from({ length: count }, (_, n) => `${name}${n}@example.com`);

describe('the email plugin in the server', { timeout: 180_000 }, () => {
  test('a mail whose reply was lost is unknown, is not sent again, and is settled by a person', async () => {
    const server = await smtpServer({
      dot: (socket) => {
        if (/^To: lost/m.test(server.messages.at(-1) ?? '')) socket.destroy();
        else socket.write('250 2.0.0 Ok\r\n');
      },
    });
    const { api } = await start(environment({ HOST: '127.0.0.1', PORT: String(server.port) }));
    const id = await send(api, [...recipients(20), ...recipients(3, 'lost')]);
    const { counts } = await until(api, id, ({ state }) => state === 'completed');
    expect(counts).toMatchObject({ total: 23, succeeded: 20, unknown: 3, failed: 0 });
    expect(server.messages).toHaveLength(23);

    const { items } = (await api(`/v1/batches/${id}/jobs?state=unknown`)).body;
    expect(items.map(({ seq }: { seq: number }) => seq).toSorted()).toEqual([20, 21, 22]);
    expect(new Set(items.map(({ code }: { code: string }) => code))).toEqual(new Set(['connection_closed']));
    const outcomes = ['succeeded', 'failed', 'succeeded'];
    for (const [at, outcome] of outcomes.entries()) {
      const answer = await api(`/v1/jobs/${id}.${20 + at}/resolve`, { outcome });
      expect([answer.status, answer.body.state]).toEqual([200, outcome]);
    }
    const settled = (await api(`/v1/batches/${id}`)).body.counts;
    expect(settled).toMatchObject({ succeeded: 22, failed: 1, unknown: 0 });
    expect(server.messages).toHaveLength(23);
  });

  test('a wrong password blocks the connection and fails nobody; a start with the right one delivers', async () => {
    const right = Buffer.from(`\0news\0${PASSWORD}`).toString('base64');
    const server = await smtpServer({
      ehlo: can('AUTH PLAIN'),
      auth: (socket) => {
        const isRight = server.commands.at(-1) === `AUTH PLAIN ${right}`;
        socket.write(isRight ? '235 2.7.0 Welcome\r\n' : '535 5.7.8 Wrong\r\n');
      },
    });
    const wrong = environment({
      HOST: '127.0.0.1',
      PORT: String(server.port),
      USER: 'news',
      PASSWORD: 'wrong-password-4712',
    });
    const first = await start(wrong);
    const id = await send(first.api, recipients(30));
    const { blocked } = await until(first.api, id, (batch) => batch.blocked !== null);
    expect(blocked).toMatchObject({ code: 'auth_failed' });
    const { counts, state } = await until(first.api, id, (batch) => batch.counts.running === 0);
    expect([state, counts]).toMatchObject(['running', { waiting: 30, failed: 0, unknown: 0 }]);
    expect(await first.cli.end()).toBe(0);
    expect(first.cli.stdout()).toContain('is blocked: auth_failed');
    expect(first.cli.stdout() + first.cli.stderr()).not.toContain('wrong-password-4712');

    // The same wrong password again: it is tried once more, and all wait on.
    const logins = () => server.commands.filter((command) => command.startsWith('AUTH')).length;
    const before = logins();
    const again = await start(wrong);
    await until(again.api, id, (batch) => batch.blocked !== null && batch.counts.running === 0);
    expect((await again.api(`/v1/batches/${id}`)).body.counts).toMatchObject({ waiting: 30 });
    expect(logins()).toBeGreaterThan(before);
    expect(await again.cli.end()).toBe(0);
    expect(server.messages).toEqual([]);

    const second = await start({ ...wrong, BATCHSENDER_EMAIL_SMTP_PASSWORD: PASSWORD });
    const done = await until(second.api, id, (batch) => batch.state === 'completed');
    expect(done).toMatchObject({ blocked: null, counts: { succeeded: 30, failed: 0, unknown: 0 } });
    expect(server.messages).toHaveLength(30);
  });

  test('without SMTP settings mails go to the sandbox, as the start says, and can be read as files', async () => {
    const env = environment();
    const { cli, api } = await start(env);
    expect(cli.stdout()).toContain(
      'email: no credentials for smtp, ses, resend, postmark, so its jobs go to the sandbox',
    );
    expect(cli.stdout()).toContain('set BATCHSENDER_EMAIL_SMTP_HOST');
    const id = await send(api, [...recipients(3), 'bounce@example.com']);
    const done = await until(api, id, ({ state }) => state === 'completed');
    expect(done.counts).toMatchObject({ succeeded: 3, failed: 1 });

    const folder = join(env['BATCHSENDER_DATA'] ?? '', 'sandbox', 'email');
    expect(readdirSync(folder).toSorted()).toEqual([0, 1, 2].map((seq) => `${id}.${seq}.eml`));
    const mail = readFileSync(join(folder, `${id}.1.eml`), 'utf8');
    expect(mail).toMatch(/^X-Envelope-To: <user1@example.com>\r$/m);
    expect(mail).toMatch(/^Subject: Hello\r$/m);
    expect(mail).toMatch(/Dear Zo(=C3=AB|ë)/);
  });
});
