import { type Static, Type } from 'typebox';
import { ModelError } from '../../policy/model-error.ts';
import { findDevice, findPolicy } from '../../publish/edits/index.ts';
import type { ExplainQuestion, Explanation } from '../../publish/publisher.ts';
import type { ApiContext } from '../api-context.ts';
import { answers, IdParams } from '../views/common.ts';
import { ExplanationSchema, explanationView, TRIGGERS } from '../views/explain-view.ts';
import type { ApiApp } from './app-type.ts';

const QUERY_TEXT_MAX = 1_100;

const ExplainQuery = Type.Object(
  {
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: QUERY_TEXT_MAX,
        description: 'A domain name: asked for (qname), or of a name server (nsdname).',
        examples: ['www.evil.example'],
      }),
    ),
    address: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: QUERY_TEXT_MAX,
        description:
          'An address: in an answer (ip), of a name server (nsip) or of a client (client-ip).',
      }),
    ),
    trigger: Type.Optional(
      Type.Enum([...TRIGGERS], {
        description:
          'How the name or address comes in: qname for a name and ip for an address when not given.',
      }),
    ),
    serial: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 0xffffffff,
        description: 'A retained serial of the zone; what is served now when not given.',
      }),
    ),
    zone: Type.Optional(
      Type.Enum(['rpz', 'block', 'allow'], {
        description: 'IP policies: the zone that the serial is of; block when not given.',
      }),
    ),
  },
  { additionalProperties: false },
);

const NAME_TRIGGERS: readonly Explanation['trigger'][] = ['qname', 'nsdname'];

export function registerExplain(app: ApiApp, context: ApiContext): void {
  const { publisher } = context.options;

  app.get(
    '/policies/:id/explain',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['policies'],
        summary: 'Explain a verdict of a policy',
        description:
          'Which verdict a name or address has in this policy at a serial, and every indicator that covers it.',
        params: IdParams,
        querystring: ExplainQuery,
        response: answers(200, ExplanationSchema),
      },
    },
    async (request) => {
      const policy = findPolicy(context.viewer(request), request.params.id);
      const subject = { policyId: policy.id };
      return explanationView(await publisher.explain({ subject, ...readQuery(request.query) }));
    },
  );

  app.get(
    '/devices/:id/explain',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['devices'],
        summary: 'Explain a verdict of a device',
        description:
          "Which verdict a name or address has with this device at a serial of the device's own zone, and every indicator of its policy that covers it.",
        params: IdParams,
        querystring: ExplainQuery,
        response: answers(200, ExplanationSchema),
      },
    },
    async (request) => {
      const device = findDevice(context.viewer(request), request.params.id);
      const subject = { deviceId: device.id };
      return explanationView(await publisher.explain({ subject, ...readQuery(request.query) }));
    },
  );
}

function readQuery(query: Static<typeof ExplainQuery>): Omit<ExplainQuestion, 'subject'> {
  const { name, address, serial, zone } = query;
  const value = name ?? address;
  if (value === undefined || (name !== undefined && address !== undefined)) {
    const rule = 'Give either a name or an address.';
    throw new ModelError('invalid-value', { field: 'name', value: name ?? null, rule });
  }
  const trigger = query.trigger ?? (name === undefined ? 'ip' : 'qname');
  if (NAME_TRIGGERS.includes(trigger) !== (name !== undefined)) {
    const rule = `A ${name === undefined ? 'address' : 'name'} does not come in by ${trigger}.`;
    throw new ModelError('invalid-value', { field: 'trigger', value: trigger, rule });
  }
  return {
    trigger,
    value,
    ...(serial === undefined ? {} : { serial }),
    ...(zone === undefined ? {} : { side: zone }),
  };
}
