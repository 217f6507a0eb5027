import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import { afterEach, expect, it } from 'vitest';
import { certificate } from '../../../core/test/helpers/certificate.ts';
import { openTransport } from '../../src/nats/open-transport.ts';
import { eventually } from '../helpers/app.ts';
import { freshStream, natsOf, openNats, recordingLog, refOf, takeAll } from '../helpers/nats-line.ts';
import { makeOperator } from '../helpers/nats-operator.ts';
import { type NatsServer, type NatsServerOptions, startNats } from '../helpers/nats-process.ts';
import { describeNats } from '../helpers/nats-server.ts';

const TLS = `tls { cert_file: "$DIR/cert.pem", key_file: "$DIR/key.pem" }`;
const MUTUAL = TLS.replace('}', ', ca_file: "$DIR/cert.pem", verify: true }');
const FILES = { 'cert.pem': certificate.cert, 'key.pem': certificate.key };
const nkey = nkeys.createUser();
const seed = new TextDecoder().decode(nkey.getSeed());
const stranger = new TextDecoder().decode(nkeys.createUser().getSeed());
const operator = makeOperator();

interface Kind {
  readonly server: NatsServerOptions;
  readonly env: Readonly<Record<string, string>>;
  /** What does not let in, and what is said then. */
  readonly wrong: Readonly<Record<string, string>>;
  readonly says: RegExp;
  /** First part of the address. Default `nats://`. */
  readonly scheme?: string;
}

const PASSWORD: NatsServerOptions = { config: 'authorization { user: joe, password: "pa55-word" }' };
const MTLS_ENV = {
  BATCHSENDER_NATS_TLS_CA: certificate.cert,
  BATCHSENDER_NATS_TLS_CERT: certificate.cert,
  BATCHSENDER_NATS_TLS_KEY: certificate.key,
};

/** As in docs/many-machines.md. */
const RIGHTS: NatsServerOptions = {
  config: `authorization { users: [ { user: joe, password: "pa55-word", permissions: {
    publish: [ "rights.>", "$JS.API.STREAM.*.rights", "$JS.API.CONSUMER.*.rights.>",
      "$JS.API.CONSUMER.*.*.rights.>", "$JS.ACK.rights.>" ]
    subscribe: [ "rights.wake", "_INBOX.>" ]
  } } ] }`,
};

const KINDS: { readonly [name: string]: Kind } = {
  'a user and a password': {
    server: PASSWORD,
    env: { BATCHSENDER_NATS_USER: 'joe', BATCHSENDER_NATS_PASSWORD: 'pa55-word' },
    wrong: { BATCHSENDER_NATS_USER: 'joe', BATCHSENDER_NATS_PASSWORD: 'wr0ng-one' },
    says: /does not let us in: the user or the password is wrong\./,
  },
  'a user and a password in the address': {
    server: PASSWORD,
    scheme: 'nats://joe:pa55-word@',
    env: {},
    wrong: { scheme: 'nats://joe:wr0ng-one@' },
    says: /does not let us in: the user or the password is wrong\./,
  },
  'a user with no more rights than needed': {
    server: RIGHTS,
    env: {
      BATCHSENDER_NATS_USER: 'joe',
      BATCHSENDER_NATS_PASSWORD: 'pa55-word',
      BATCHSENDER_NATS_STREAM: 'rights',
    },
    wrong: { BATCHSENDER_NATS_USER: 'joe', BATCHSENDER_NATS_PASSWORD: 'pa55-word' },
    says: /forbids this user to publish '\$JS\.API\.STREAM\.INFO\.test-/,
  },
  'a token': {
    server: { config: 'authorization { token: "pa55-word" }' },
    env: { BATCHSENDER_NATS_TOKEN: 'pa55-word' },
    wrong: { BATCHSENDER_NATS_TOKEN: 'wr0ng-one' },
    says: /does not let us in: the token is wrong\./,
  },
  'an nkey': {
    server: { config: `authorization { users: [ { nkey: ${nkey.getPublicKey()} } ] }` },
    env: { BATCHSENDER_NATS_NKEY_SEED: seed },
    wrong: { BATCHSENDER_NATS_NKEY_SEED: stranger },
    says: /does not let us in: it does not know the nkey of BATCHSENDER_NATS_NKEY_SEED\./,
  },
  'a credentials file': {
    server: { config: operator.config },
    env: { BATCHSENDER_NATS_CREDENTIALS: operator.credentials },
    wrong: { BATCHSENDER_NATS_CREDENTIALS: makeOperator().credentials },
    says: /does not take the credentials of BATCHSENDER_NATS_CREDENTIALS\./,
  },
  'no proof at all': {
    server: {},
    env: {},
    wrong: { BATCHSENDER_NATS_TLS_CA: certificate.cert },
    says: /has no TLS, but NATS_URL or BATCHSENDER_NATS_TLS_CA asks for it\./,
  },
  TLS: {
    server: { config: TLS, files: FILES },
    scheme: 'tls://',
    env: { BATCHSENDER_NATS_TLS_CA: certificate.cert },
    wrong: {},
    says: /The certificate of NATS at .* is not trusted \(\w+\)\. Set BATCHSENDER_NATS_TLS_CA/,
  },
  'mutual TLS': {
    server: { config: MUTUAL, files: FILES },
    scheme: 'tls://',
    env: MTLS_ENV,
    wrong: { BATCHSENDER_NATS_TLS_CA: certificate.cert },
    says: /does not let us in|wants a certificate of the client|does not answer/,
  },
};

describeNats('the way into NATS', (binary) => {
  let server: NatsServer | undefined;
  afterEach(() => server?.stop());

  const envOf = (scheme: string, env: Readonly<Record<string, string>>): Record<string, string> => {
    const { scheme: other = scheme, ...rest } = env;
    return { NATS_URL: `${other}127.0.0.1:${server?.port}`, BATCHSENDER_NATS_STREAM: freshStream(), ...rest };
  };

  it.each(Object.entries(KINDS))('is open by %s, and carries references', async (_, kind) => {
    server = await startNats(binary, kind.server);
    const transport = await openNats(envOf(kind.scheme ?? 'nats://', kind.env));
    try {
      expect(transport.shared.ready()).toBe(true);
      const { taken } = await takeAll(transport);
      await transport.publish([refOf(1)]);
      await eventually(async () => taken.length === 1);
      let heard = 0;
      transport.shared.onSignal((inMs) => {
        heard = inMs;
      });
      transport.shared.signal(7);
      await eventually(async () => heard === 7);
    } finally {
      await transport.close();
    }
  });

  it.each(Object.entries(KINDS))('is closed without the right %s, and says why', async (_, kind) => {
    server = await startNats(binary, kind.server);
    const log = recordingLog();
    const settings = natsOf(envOf(kind.scheme ?? 'nats://', kind.wrong));
    const opened = await openTransport(settings, log.logger).catch((error: Error) => error);
    if (!(opened instanceof Error)) await opened.close();
    const said = [opened instanceof Error ? opened.message : '', ...log.lines].join('\n');
    expect(said).toMatch(kind.says);
    for (const secret of ['pa55-word', 'wr0ng-one', seed, stranger, 'BEGIN'])
      expect(said).not.toContain(secret);
  });

  it('is found later by a server that was started without NATS and then gets a wrong password', async () => {
    server = await startNats(binary, PASSWORD);
    await server.kill();
    const log = recordingLog();
    const settings = natsOf(
      envOf('nats://', { BATCHSENDER_NATS_USER: 'joe', BATCHSENDER_NATS_PASSWORD: 'wr0ng-one' }),
    );
    const transport = await openTransport(settings, log.logger);
    try {
      await server.start();
      await eventually(async () =>
        log.lines.some((line) => line.includes('the user or the password is wrong')),
      );
      expect(transport.shared?.ready()).toBe(false);
    } finally {
      await transport.close();
    }
  });

  it('is not looked for with a credentials file that is none', async () => {
    server = await startNats(binary);
    const text = '-----BEGIN NATS USER JWT-----';
    const settings = natsOf(envOf('nats://', { BATCHSENDER_NATS_CREDENTIALS: text }));
    await expect(openTransport(settings, recordingLog().logger)).rejects.toThrow('is no credentials file');
  });

  it('reads secrets from files', async () => {
    server = await startNats(binary, { config: `${MUTUAL}\n${PASSWORD.config}`, files: FILES });
    const folder = mkdtempSync(join(tmpdir(), 'batchsender-nats-secrets-'));
    try {
      const file = (name: string, text: string) => {
        writeFileSync(join(folder, name), `${text}\n`);
        return join(folder, name);
      };
      const transport = await openNats({
        NATS_URL: `tls://localhost:${server.port}`,
        BATCHSENDER_NATS_STREAM: freshStream(),
        BATCHSENDER_NATS_TLS_CA_FILE: file('ca', certificate.cert),
        BATCHSENDER_NATS_TLS_CERT_FILE: file('cert', certificate.cert),
        BATCHSENDER_NATS_TLS_KEY_FILE: file('key', certificate.key),
        BATCHSENDER_NATS_USER: 'joe',
        BATCHSENDER_NATS_PASSWORD_FILE: file('password', 'pa55-word'),
      });
      expect(transport.shared.ready()).toBe(true);
      await transport.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('needs JetStream, and says so', async () => {
    server = await startNats(binary, { jetStream: false });
    const log = recordingLog();
    const transport = await openNats(envOf('nats://', {}), log);
    await transport.close();
    expect(log.lines.join()).toContain('has no JetStream for this user. Start nats-server with -js');
  });
});
