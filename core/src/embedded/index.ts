export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './errors.ts';
export type { EmbeddedPostgres } from './running.ts';
export type { Settings } from './settings.ts';
export { type EmbeddedPostgresOptions, startEmbeddedPostgres } from './start.ts';
