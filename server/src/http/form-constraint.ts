import type { IncomingMessage } from 'node:http';
import type { App } from '../routes/app-type.ts';

/** Name of the constraint that leads a multipart form to a route of its own. */
export const FORM = 'form';

type Strategy = Parameters<App['addConstraintStrategy']>[0];
type Handler = ReturnType<ReturnType<Strategy['storage']>['get']>;

/** Tells forms from other bodies by their content type, so that one address has a route for each. */
export const formConstraint: Strategy = {
  name: FORM,
  storage: () => {
    let ofForms: Handler = null;
    return {
      get: (isForm) => (isForm === true ? ofForms : null),
      set: (_isForm, handler) => {
        ofForms = handler;
      },
    };
  },
  deriveConstraint: (request: IncomingMessage) =>
    /^multipart\/form-data\s*(;|$)/i.test(request.headers['content-type']?.trim() ?? '') ? true : undefined,
  validate: () => undefined,
  mustMatchWhenDerived: false,
};
