import type { FastifyReply, FastifyRequest } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { findDevice, findPolicy } from '../../publish/edits/index.ts';
import {
  ADDRESS_FAMILIES,
  ADDRESS_FORMATS,
  ADDRESS_SIDES,
  type ExportDocument,
  type ExportSource,
  exportAddresses,
  exportDomains,
  exportSuricata,
  exportThreats,
  exportZoneFile,
  SURICATA_ACTIONS,
  sourceOfDevice,
  sourceOfPolicy,
} from '../../publish/exports/index.ts';
import type { ApiContext } from '../api-context.ts';
import { sendExport } from '../send-export.ts';
import { IdParams, ProblemAnswer } from '../views/common.ts';
import type { ApiApp } from './app-type.ts';

const tags = ['exports'];

/** Whose content is exported: a policy's, or that of the policy which a device has at the time. */
interface Holder {
  readonly path: string;
  readonly noun: string;
  readonly source: (context: ApiContext, request: FastifyRequest, id: number) => ExportSource;
}

const HOLDERS: readonly Holder[] = [
  {
    path: '/policies/:id/exports',
    noun: 'a policy',
    source(context, request, id) {
      const { state } = context.options.publisher;
      return sourceOfPolicy(state, findPolicy(context.viewer(request), id));
    },
  },
  {
    path: '/devices/:id/exports',
    noun: 'what a device is assigned',
    source(context, request, id) {
      const { state } = context.options.publisher;
      return sourceOfDevice(state, findDevice(context.viewer(request), id));
    },
  },
];

const CONDITIONAL =
  'Send the ETag in If-None-Match: while nothing changed the answer is 304. Takes the token as the password of HTTP Basic, too.';

const AddressesQuery = Type.Object(
  {
    side: Type.Optional(Type.Enum([...ADDRESS_SIDES], { description: '"block" when absent.' })),
    family: Type.Optional(Type.Enum([...ADDRESS_FAMILIES], { description: '"all" when absent.' })),
    format: Type.Optional(
      Type.Enum([...ADDRESS_FORMATS], {
        description:
          '"plain" (the default): a prefix on each line, a single address without length. "ranges": the fewest lines of first-last.',
      }),
    ),
  },
  { additionalProperties: false },
);
const DomainsQuery = Type.Object(
  {
    wildcards: Type.Optional(
      Type.Boolean({ description: 'Say "*.name", too, where the names below are blocked.' }),
    ),
  },
  { additionalProperties: false },
);
const SuricataQuery = Type.Object(
  {
    action: Type.Optional(
      Type.Enum([...SURICATA_ACTIONS], { description: '"alert" when absent.' }),
    ),
  },
  { additionalProperties: false },
);

/** Policies as files, for resolvers, firewalls and SIEMs that download. */
export function registerExports(app: ApiApp, context: ApiContext): void {
  for (const holder of HOLDERS) {
    registerZoneFile(app, context, holder);
    registerAddresses(app, context, holder);
    registerThreats(app, context, holder);
    registerDomains(app, context, holder);
    registerSuricata(app, context, holder);
  }
}

function registerZoneFile(app: ApiApp, context: ApiContext, holder: Holder): void {
  const answer = answering(context, holder);
  app.get(
    `${holder.path}/rpz`,
    {
      config: EXPORT_ACCESS,
      schema: {
        tags,
        summary: `Export ${holder.noun} as an RPZ zone file`,
        description: `The zone that is served, for resolvers that read files (RFC 1035 section 5). DNS policies only. ${CONDITIONAL}`,
        params: IdParams,
        querystring: Type.Object({}, { additionalProperties: false }),
        response: fileAnswers('text/dns'),
      },
    },
    (request, reply) =>
      answer(request, reply, (source) =>
        exportZoneFile(source, context.options.publisher.catalogue),
      ),
  );
}

function registerAddresses(app: ApiApp, context: ApiContext, holder: Holder): void {
  const answer = answering(context, holder);
  app.get(
    `${holder.path}/addresses`,
    {
      config: EXPORT_ACCESS,
      schema: {
        tags,
        summary: `Export ${holder.noun} as a list of addresses`,
        description: `The fewest prefixes of one side, as in the zone. IP policies only. ${CONDITIONAL}`,
        params: IdParams,
        querystring: AddressesQuery,
        response: fileAnswers('text/plain'),
      },
    },
    (request, reply) => {
      const { side = 'block', family = 'all', format = 'plain' } = request.query;
      return answer(request, reply, (source) => exportAddresses(source, { side, family, format }));
    },
  );
}

function registerThreats(app: ApiApp, context: ApiContext, holder: Holder): void {
  const answer = answering(context, holder);
  app.get(
    `${holder.path}/threats`,
    {
      config: EXPORT_ACCESS,
      schema: {
        tags,
        summary: `Export ${holder.noun} as a threat list for SIEMs`,
        description: `CSV with the columns IOC, Category, SubCategory, Severity, FirstSeen, LastSeen, Geo, IOC Type: each indicator that blocks once, with the member that decides and when it was seen there. Follows the members, also while the policy is rolled back. ${CONDITIONAL}`,
        params: IdParams,
        querystring: Type.Object({}, { additionalProperties: false }),
        response: fileAnswers('text/csv'),
      },
    },
    (request, reply) => {
      const { publisher } = context.options;
      return answer(request, reply, (source) =>
        exportThreats(source, publisher.state.model, publisher),
      );
    },
  );
}

function registerDomains(app: ApiApp, context: ApiContext, holder: Holder): void {
  const answer = answering(context, holder);
  app.get(
    `${holder.path}/domains`,
    {
      config: EXPORT_ACCESS,
      schema: {
        tags,
        summary: `Export ${holder.noun} as a list of blocked names`,
        description: `One name a line. Names that need escapes are left out. DNS policies only. ${CONDITIONAL}`,
        params: IdParams,
        querystring: DomainsQuery,
        response: fileAnswers('text/plain'),
      },
    },
    (request, reply) => {
      const { wildcards = false } = request.query;
      return answer(request, reply, (source) =>
        exportDomains(source, context.options.publisher.catalogue, { wildcards }),
      );
    },
  );
}

function registerSuricata(app: ApiApp, context: ApiContext, holder: Holder): void {
  const answer = answering(context, holder);
  app.get(
    `${holder.path}/suricata`,
    {
      config: EXPORT_ACCESS,
      schema: {
        tags,
        summary: `Export ${holder.noun} as Suricata rules`,
        description: `For Suricata 6 and 7: queries for blocked names, or traffic with blocked addresses. The head of the file says how sids are numbered. ${CONDITIONAL}`,
        params: IdParams,
        querystring: SuricataQuery,
        response: fileAnswers('text/plain'),
      },
    },
    (request, reply) => {
      const { action = 'alert' } = request.query;
      return answer(request, reply, (source) =>
        exportSuricata(source, context.options.publisher.catalogue, { action }),
      );
    },
  );
}

const EXPORT_ACCESS = { access: 'viewer', basic: true } as const;

/** Sends what `make` makes of the content that the request asks for. */
function answering(context: ApiContext, holder: Holder) {
  return async (
    request: FastifyRequest,
    reply: FastifyReply,
    make: (source: ExportSource) => ExportDocument | Promise<ExportDocument>,
  ): Promise<FastifyReply> => {
    const { id } = request.params as IdParams;
    return sendExport(request, reply, await make(holder.source(context, request, id)));
  };
}

function fileAnswers(mediaType: string) {
  const file: TSchema = Type.String();
  return {
    200: { description: 'The file.', content: { [mediaType]: { schema: file } } },
    304: Type.Null({ description: 'The client has it already.' }),
    '4xx': ProblemAnswer,
    '5xx': ProblemAnswer,
  };
}
