import type { App } from './app-type.ts';

const CSP =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>BatchSender</title>
  </head>
  <body>
    <h1>BatchSender</h1>
    <p>This server delivers large batches of jobs, and knows what became of every single one.</p>
    <ul>
      <li><a href="/docs">The API, to read and to try</a></li>
      <li><a href="/openapi.json">The API as OpenAPI 3.1</a></li>
      <li><a href="/readyz">Is it ready?</a></li>
    </ul>
  </body>
</html>
`;

/** `GET /`: a small page with links. */
export function homeRoute(app: App): void {
  app.get('/', { config: { isPublic: true, isQuiet: true }, schema: { hide: true } }, (_request, reply) =>
    reply.type('text/html; charset=utf-8').header('content-security-policy', CSP).send(PAGE),
  );
}
