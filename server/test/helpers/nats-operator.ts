import { nkeys } from '@nats-io/transport-node';

/** A server's configuration that trusts an operator, and the credentials file of a user. */
export interface Operator {
  readonly config: string;
  readonly credentials: string;
}

type KeyPair = ReturnType<typeof nkeys.createUser>;

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT as NATS has them: signed by an nkey. */
function jwt(issuer: KeyPair, subject: KeyPair, type: string, claims: object): string {
  const head = encoded({ typ: 'JWT', alg: 'ed25519-nkey' });
  const body = encoded({
    jti: subject.getPublicKey(),
    iat: Math.floor(Date.now() / 1_000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: type,
    nats: { type, version: 2, ...claims },
  });
  const signature = issuer.sign(new TextEncoder().encode(`${head}.${body}`));
  return `${head}.${body}.${Buffer.from(signature).toString('base64url')}`;
}

const UNLIMITED = { subs: -1, data: -1, payload: -1 };
const ACCOUNT = {
  limits: {
    ...UNLIMITED,
    conn: -1,
    leaf: -1,
    imports: -1,
    exports: -1,
    wildcards: true,
    mem_storage: -1,
    disk_storage: -1,
    streams: -1,
    consumer: -1,
  },
};

/** Makes an operator, a system account, an account with JetStream and a user of it. */
export function makeOperator(): Operator {
  const [operator, system, account, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ];
  const systemLimits = {
    limits: { ...ACCOUNT.limits, mem_storage: 0, disk_storage: 0, streams: 0, consumer: 0 },
  };
  const config = `
operator: ${jwt(operator, operator, 'operator', { system_account: system.getPublicKey() })}
system_account: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload {
  ${system.getPublicKey()}: ${jwt(operator, system, 'account', systemLimits)}
  ${account.getPublicKey()}: ${jwt(operator, account, 'account', ACCOUNT)}
}`;
  const seed = new TextDecoder().decode(user.getSeed());
  const credentials = `-----BEGIN NATS USER JWT-----
${jwt(account, user, 'user', UNLIMITED)}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------
`;
  return { config, credentials };
}
