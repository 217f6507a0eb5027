import {
  blocked,
  defineModule,
  definePlugin,
  defineProvider,
  failed,
  type Plugin,
  succeeded,
  Type,
  unknown,
  variables,
} from '@batchsender/core/plugin';

const Payload = Type.Object(
  {
    to: Type.String({ minLength: 1, description: 'Who gets the note.' }),
    text: Type.Optional(Type.String()),
    outcome: Type.Optional(Type.Enum(['succeeded', 'failed', 'unknown', 'blocked'], { type: 'string' })),
    labels: Type.Optional(Type.Record(Type.String(), Type.String())),
    extra: Type.Optional(Type.Unknown()),
    variables: variables(),
  },
  { additionalProperties: false },
);

/** A plugin whose one provider does what the payload says. `calls` takes what it was called with. */
export function notePlugin(calls: string[] = []): Plugin {
  let isMended = false;
  const local = defineProvider({
    title: 'Local',
    payload: Payload,
    credentials: Type.Object({}),
    guarantee: { kind: 'at-most-once' },
    open: () => ({
      process: ({ payload }) => {
        calls.push(payload.to);
        if (payload.outcome === 'failed') return failed('refused', { message: 'The note was refused.' });
        if (payload.outcome === 'unknown') return unknown('lost');
        if (payload.outcome === 'blocked' && !isMended) {
          isMended = true;
          return blocked('bad_credentials', { message: 'The password is wrong.' });
        }
        return succeeded(`ref-${payload.to}`);
      },
    }),
  });
  return definePlugin({
    name: 'plugin-note',
    version: '1.0.0',
    contract: 1,
    modules: [
      defineModule({
        type: 'note',
        title: 'Note',
        version: 1,
        payload: Payload,
        preview: ({ text = '' }) => ({ letters: text.length }),
        providers: { local },
      }),
    ],
  });
}
