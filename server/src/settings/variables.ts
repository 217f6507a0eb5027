import { type Static, Type } from 'typebox';
import { LOG_LEVELS } from '../logging.ts';
import { oneOfStrings } from '../schemas/common.ts';
import { HIDDEN, NATS_VARIABLES } from './nats-variables.ts';

/** What a server does: everything, the API alone, or the runner alone. */
export const ROLES = ['all', 'api', 'runner'] as const;
export type Role = (typeof ROLES)[number];

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
  NATS_URL: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'one address of NATS or more, with commas (left out: one process does all)',
      examples: ['tls://nats.example.com:4222'],
      ...hidden,
    }),
  ),
  ...NATS_VARIABLES,
  BATCHSENDER_ROLE: oneOfStrings(ROLES, {
    default: 'all',
    description: 'one of all, api, runner: what this server does',
    examples: ['all'],
  }),
  BATCHSENDER_TYPES: Type.String({
    pattern: '^[a-z][a-z0-9]*( *, *[a-z][a-z0-9]*)*$|^$',
    default: '',
    description: 'job types with commas, which the runner takes (left out: all that are installed)',
    examples: ['sms,crm'],
  }),
  BATCHSENDER_RUNNER_MEMORY_MB: Type.Optional(
    Type.Integer({
      minimum: 64,
      maximum: 1_048_576,
      description:
        'MiB of heap, from 64, that a runner process may fill before it is ended (left out: as Node has it)',
      examples: ['1024'],
    }),
  ),
  BATCHSENDER_RUNNER_SILENT_MS: Type.Integer({
    minimum: 1_000,
    maximum: 10_000,
    default: 5_000,
    description:
      'milliseconds from 1000 to 10000; a runner process whose event loop stands still so long is killed',
    examples: ['5000'],
  }),
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
      minLength: 1,
      description:
        'keys of 32 bytes in base64 or hex with commas, each as <key> or <id>:<key>: the first one encrypts ' +
        'stored credentials, all open them (left out: the embedded database keeps one in its folder)',
      examples: ['…, made by "openssl rand -base64 32"'],
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
