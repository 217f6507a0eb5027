import { Type } from 'typebox';

/** Schema keyword: never show the value. */
export const HIDDEN = 'x-hidden';

const secret = (options: { description: string; examples: string[]; pattern?: string }) =>
  Type.Optional(Type.String({ minLength: 1, ...options, [HIDDEN]: true }));

/** Variables of the connection to NATS, beside its address. Each may be given as `NAME_FILE`. */
export const NATS_VARIABLES = {
  BATCHSENDER_NATS_USER: secret({ description: 'a user of NATS', examples: ['batchsender'] }),
  BATCHSENDER_NATS_PASSWORD: secret({ description: "the NATS user's password", examples: ['…'] }),
  BATCHSENDER_NATS_TOKEN: secret({ description: 'a token that NATS takes', examples: ['…'] }),
  BATCHSENDER_NATS_NKEY_SEED: secret({
    pattern: '^SU[A-Z2-7]{56}$',
    description: 'the seed of a user nkey, 58 characters that begin with SU',
    examples: ['SU…'],
  }),
  BATCHSENDER_NATS_CREDENTIALS: secret({
    pattern: 'BEGIN NATS USER JWT',
    description: 'the text of a NATS credentials file',
    examples: ['…, or BATCHSENDER_NATS_CREDENTIALS_FILE=/run/secrets/nats.creds'],
  }),
  BATCHSENDER_NATS_TLS_CA: secret({
    pattern: '-----BEGIN',
    description: 'the certificate of the authority that signed the one of NATS, as PEM',
    examples: ['…, or BATCHSENDER_NATS_TLS_CA_FILE=/run/secrets/nats-ca.pem'],
  }),
  BATCHSENDER_NATS_TLS_CERT: secret({
    pattern: '-----BEGIN',
    description: 'the certificate of this client, as PEM',
    examples: ['…, or BATCHSENDER_NATS_TLS_CERT_FILE=/run/secrets/nats-client.pem'],
  }),
  BATCHSENDER_NATS_TLS_KEY: secret({
    pattern: '-----BEGIN',
    description: 'the key of the certificate of this client, as PEM',
    examples: ['…, or BATCHSENDER_NATS_TLS_KEY_FILE=/run/secrets/nats-client.key'],
  }),
  BATCHSENDER_NATS_ALLOW_PLAINTEXT: Type.Boolean({
    default: false,
    description: 'true or false: may NATS on other machines be reached without encryption',
    examples: ['true'],
  }),
  BATCHSENDER_NATS_STREAM: Type.String({
    pattern: '^[A-Za-z0-9_-]{1,60}$',
    default: 'batchsender',
    description: 'the name of a stream of letters, digits, _ and -, another for each database',
    examples: ['batchsender'],
  }),
  BATCHSENDER_NATS_REPLICAS: Type.Integer({
    minimum: 1,
    maximum: 5,
    default: 1,
    description: 'how many servers of a NATS cluster keep the stream, from 1 to 5',
    examples: ['3'],
  }),
};
