import { type Static, Type } from 'typebox';
import { LOG_LEVELS } from '../logging.ts';
import { oneOfStrings } from '../schemas/common.ts';

/** Schema keyword: never show the value. */
export const HIDDEN = 'x-hidden';

const hidden = { [HIDDEN]: true };

/**
 * The environment variables of the server. `description` completes "it must be …", and the first
 * example is the remedy in error messages.
 */
export const Variables = Type.Object({
  PORT: Type.Integer({
    minimum: 0,
    maximum: 65_535,
    default: 3000,
    description: 'a port from 0 to 65535 (0 takes a free one)',
    examples: ['3000'],
  }),
  HOST: Type.String({
    pattern: '^[\\w.:-]+$',
    default: '127.0.0.1',
    description: 'an address of this machine to listen on (0.0.0.0: all of them)',
    examples: ['127.0.0.1'],
  }),
  DATABASE_URL: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://.+',
      description: 'the URL of a Postgres 15 to 18 (left out: an embedded one)',
      examples: ['postgres://user:password@host:5432/database'],
      ...hidden,
    }),
  ),
  BATCHSENDER_DATA: Type.String({
    minLength: 1,
    default: './.batchsender',
    description: 'the folder of the embedded database',
    examples: ['./.batchsender'],
  }),
  BATCHSENDER_PUBLIC_URL: Type.Optional(
    Type.String({
      pattern: '^https?://[^\\s/?#]+[^\\s?#]*$',
      description: 'the URL under which providers reach this server, with http or https and without a query',
      examples: ['https://batchsender.example.com'],
    }),
  ),
  BATCHSENDER_API_KEY: Type.Optional(
    Type.String({
      pattern: '^[\\x21-\\x7e]+$',
      description: 'an API key without spaces (left out: one is made and shown at the first start)',
      examples: ['bs_…, made by "openssl rand -hex 24"'],
      ...hidden,
    }),
  ),
  BATCHSENDER_SECRET_KEY: Type.Optional(
    Type.String({
      minLength: 16,
      description: 'a secret of 16 characters or more',
      examples: ['…'],
      ...hidden,
    }),
  ),
  LOG_LEVEL: oneOfStrings(LOG_LEVELS, {
    default: 'info',
    description: `one of ${LOG_LEVELS.join(', ')}`,
    examples: ['info'],
  }),
  BATCHSENDER_ALLOW_NETWORKS: Type.String({
    default: '',
    description: 'networks in CIDR notation, with commas, that jobs may reach although they are not public',
    examples: ['10.1.0.0/16,127.0.0.1/32'],
  }),
  BATCHSENDER_RETRY_MAX_ATTEMPTS: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_000,
      description: 'a number of attempts from 1 to 1000',
      examples: ['5'],
    }),
  ),
  BATCHSENDER_RETRY_BASE_MS: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 86_400_000,
      description: 'milliseconds, the base of the exponential backoff',
      examples: ['1000'],
    }),
  ),
  BATCHSENDER_MAX_LINE_BYTES: Type.Integer({
    minimum: 1_024,
    maximum: 64 * 1024 * 1024,
    default: 1_048_576,
    description: 'the longest line of an upload in bytes, from 1024 to 67108864',
    examples: ['1048576'],
  }),
  BATCHSENDER_METRICS_PUBLIC: Type.Boolean({
    default: false,
    description: 'true or false: whether /metrics needs no API key',
    examples: ['true'],
  }),
});

/** The variables after parsing. */
export type VariableValues = Static<typeof Variables>;

/** Variables that other versions will know, with what to do until then. */
export const LATER: { readonly [name: string]: (value: string) => string | undefined } = {
  NATS_URL: () =>
    'This version has no NATS transport yet. Leave NATS_URL out: the in-process transport does the same on one machine.',
  BATCHSENDER_ROLE: (value) =>
    value === 'all'
      ? undefined
      : 'This version cannot run the API and the runners apart yet. Leave BATCHSENDER_ROLE out, or set it to "all".',
};
