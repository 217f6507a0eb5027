import type { Server } from 'node:http';
import type { App } from '../routes/app-type.ts';

/** Requests that run get this long to end when the server stops. */
const CLOSE_MS = 5_000;

/** Stops accepting, waits for the requests that run, and cuts those that take too long. */
export async function closeApp(app: App, timeoutMs: number = CLOSE_MS): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}

/** The same for a plain HTTP server. */
export async function closePlain(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
}
