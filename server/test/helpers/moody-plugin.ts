import {
  defineModule,
  definePlugin,
  defineProvider,
  failed,
  type Plugin,
  retry,
  succeeded,
  Type,
  unknown,
} from '@batchsender/core/plugin';

const Payload = Type.Object(
  { to: Type.String(), mood: Type.Optional(Type.String()), host: Type.Optional(Type.String()) },
  { additionalProperties: false },
);

/**
 * A plugin whose provider does what the payload's mood says: `failed`, `unknown`, `once` (a retry,
 * then it works), `throws`, `down` (its host is broken), else it works. `gate` is awaited by `slow`.
 */
export function moodyPlugin(gate: Promise<void> = Promise.resolve(), onCall?: () => void): Plugin {
  const tried = new Set<string>();
  const local = defineProvider({
    title: 'Local',
    payload: Payload,
    credentials: Type.Object({}),
    guarantee: { kind: 'at-least-once' },
    endpointKey: ({ host }) => host ?? 'fine.example',
    open: () => ({
      process: async ({ payload }, call) => {
        onCall?.();
        if (payload.mood === 'failed') return failed('refused');
        if (payload.mood === 'unknown') return unknown('lost');
        if (payload.mood === 'down') return retry('down', { afterMs: 60_000 });
        if (payload.mood === 'slow') await gate;
        if (payload.mood === 'throws' && call.attempt === 1) throw new Error('not today');
        if (payload.mood !== 'once' || tried.has(payload.to)) return succeeded();
        tried.add(payload.to);
        return retry('busy', { afterMs: 1 });
      },
    }),
  });
  const moody = defineModule({
    type: 'moody',
    title: 'Moody',
    version: 1,
    payload: Payload,
    providers: { local },
  });
  return definePlugin({ name: 'plugin-moody', version: '1.0.0', contract: 1, modules: [moody] });
}
