import type { RegisteredModule } from '@batchsender/core';
import { type JsonRecord, plainSchema } from './plain-schema.ts';

const ref = (name: string): JsonRecord => ({ $ref: `#/components/schemas/${name}` });

/** `webhook` as `Webhook`: the beginning of its components' names. */
const nameOf = (type: string): string => type.charAt(0).toUpperCase() + type.slice(1);

/** Components for the payloads of the installed modules, and for the bodies that hold them. */
export function payloadComponents(
  modules: readonly RegisteredModule[],
  batchBody: JsonRecord,
  jobBody: JsonRecord,
): JsonRecord {
  const components = modules.flatMap((registered) => {
    const name = nameOf(registered.module.type);
    const payload = plainSchema(registered.module.payload);
    return [
      [`${name}Payload`, { title: `${registered.module.title} payload`, ...payload }],
      [`${name}Fields`, fieldsOf(payload, name)],
      [`${name}Batch`, batchOf(registered, name, batchBody)],
      [`${name}Job`, jobOf(registered, name, jobBody)],
    ] as const;
  });
  return Object.fromEntries(components);
}

/** The union of the modules' bodies, told apart by `type`. */
export function bodyUnion(modules: readonly RegisteredModule[], suffix: 'Batch' | 'Job'): JsonRecord {
  const types = modules.map(({ module }) => module.type);
  return {
    oneOf: types.map((type) => ref(nameOf(type) + suffix)),
    discriminator: {
      propertyName: 'type',
      mapping: Object.fromEntries(
        types.map((type) => [type, `#/components/schemas/${nameOf(type)}${suffix}`]),
      ),
    },
  };
}

// A field may come from the job or from the batch's defaults, so none is required in either.
function fieldsOf(payload: JsonRecord, name: string): JsonRecord {
  const { required: _required, ...fields } = payload;
  return {
    ...fields,
    description: `A job's own fields over the batch's \`defaults\` make a ${name}Payload.`,
  };
}

function batchOf(registered: RegisteredModule, name: string, body: JsonRecord): JsonRecord {
  return withProperties(body, registered, {
    defaults: ref(`${name}Fields`),
    jobs: { type: 'array', items: ref(`${name}Fields`) },
  });
}

function jobOf(registered: RegisteredModule, name: string, body: JsonRecord): JsonRecord {
  return withProperties(body, registered, { payload: ref(`${name}Payload`) });
}

function withProperties(body: JsonRecord, { module }: RegisteredModule, own: JsonRecord): JsonRecord {
  const properties = body['properties'] as JsonRecord;
  const provider = {
    ...(properties['provider'] as JsonRecord),
    enum: Object.keys(module.providers),
  };
  const type = { type: 'string', const: module.type };
  return { ...body, title: module.title, properties: { ...properties, type, provider, ...own } };
}
