import type { Job, JsonValue } from '@batchsender/core/plugin';
import { type CrmPayload, externalIdOf, recordOf } from '../payload.ts';

/** Properties as HubSpot takes them: texts. An empty one clears the property. */
export type Properties = Record<string, string>;

/** The properties of a record; a text if one of them has no form in HubSpot. */
export function propertiesOf(payload: CrmPayload): Properties | string {
  const properties: Properties = {};
  for (const [name, value] of Object.entries(recordOf(payload))) {
    const text = propertyText(value);
    if (text === undefined) return name;
    properties[name] = text;
  }
  return properties;
}

function propertyText(value: JsonValue): string | undefined {
  if (value === null) return '';
  if (typeof value !== 'object') return String(value);
  // Checkboxes: https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null)) {
    return value.filter((item) => item !== null).join(';');
  }
  return undefined;
}

/** How HubSpot finds the record of a job: its id, or a property with a unique value. */
export function keyOf(payload: CrmPayload): { id: string; idProperty?: string } {
  const { id, externalIdField } = payload;
  if (externalIdField === undefined) return { id: id ?? '' };
  return { id: externalIdOf(payload) ?? '', idProperty: externalIdField };
}

/** A job with its properties in HubSpot's form. */
export interface Input {
  readonly job: Job<CrmPayload>;
  readonly properties: Properties;
}
