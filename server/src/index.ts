export { type AppOptions, buildApp, MAX_BODY_BYTES, MAX_LINE_BYTES } from './app.ts';
export { type ApiKey, apiKey } from './http/auth.ts';
export { type Config, defineConfig } from './plugin-loader/define-config.ts';
export type { App } from './routes/app-type.ts';
