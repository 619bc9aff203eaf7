import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { ACCOUNT_HEADER } from './acting-account.ts';
import type { Access } from './authenticate.ts';
import { SESSION_COOKIE } from './session-cookie.ts';

export const DOCS_PATH = '/api/docs';
export const OPENAPI_PATH = '/api/openapi.json';

const TAGS = [
  { name: 'targets', description: 'Named, maintained lists of indicators: the atoms of policies.' },
  { name: 'feeds', description: 'What keeps targets current by itself, and how its runs went.' },
  { name: 'bundles', description: 'Stored queries over the attributes of targets.' },
  { name: 'lists', description: 'User-defined lists: entries of your own.' },
  { name: 'policies', description: 'What is blocked and allowed, and why.' },
  {
    name: 'exports',
    description: 'Policies as files, for what downloads instead of asking a name server.',
  },
  { name: 'behaviours', description: 'Redirects and local data with a name, for many policies.' },
  { name: 'devices', description: 'What pulls the zones, and how it is known.' },
  { name: 'zones', description: 'What is served over DNS.' },
  {
    name: 'accounts',
    description: 'Who owns policies, lists and devices; one of them runs the server.',
  },
  { name: 'entitlements', description: 'Which account may use which partner target.' },
  { name: 'users', description: 'People who log in.' },
  { name: 'session', description: 'Logging in and out, and who one is.' },
  { name: 'tokens', description: 'Programs that may use this API.' },
  { name: 'audit', description: 'Who changed what, when, and which zones it changed.' },
  { name: 'held-changes', description: 'Changes above the limits, which wait to be confirmed.' },
  { name: 'batch', description: 'Several changes at once.' },
  { name: 'operations', description: 'Health, metrics and the log.' },
  { name: 'backup', description: 'One account as a document, and back.' },
  { name: 'problems', description: 'The kinds of problem that this API answers with.' },
];

const ACCESS_SENTENCE: Readonly<Record<Access, string>> = {
  open: 'Needs no token.',
  any: 'Needs a token of any role.',
  viewer: 'Needs the role viewer.',
  editor: 'Needs the role editor.',
  admin: 'Needs the role admin.',
};

/** The OpenAPI document, made from the schemas of the routes that follow, and a page to try it. */
export function describeApi(app: FastifyInstance, version: string): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sluice',
        version,
        description:
          'Threat policies in, zones out. Every change is served over DNS when its answer comes; the answer tells the new serials. Problems are RFC 9457.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      tags: TAGS,
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'An API token.' },
          password: {
            type: 'http',
            scheme: 'basic',
            description: 'An API token as the password of any user name, for what only downloads.',
          },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: SESSION_COOKIE,
            description: 'The cookie of a login.',
          },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access;
      if (access === undefined) return { schema: { ...schema, hide: true }, url };
      const sentences = [schema.description, ACCESS_SENTENCE[access]];
      const described = {
        ...schema,
        operationId: operationIdOf([route.method].flat()[0]!, url),
        description: sentences.filter((sentence) => sentence !== undefined).join(' '),
        ...(access === 'open' ? {} : { headers: withAccountHeader(schema.headers) }),
        security: access === 'open' ? [] : securityOf(route.config?.basic === true),
        response: describeAnswers(schema.response),
      };
      return { schema: described, url };
    },
  });
  app.register(swaggerUi, {
    routePrefix: DOCS_PATH,
    // The page must send nothing to anybody else.
    validatorUrl: false,
    uiConfig: { docExpansion: 'none', persistAuthorization: false },
    theme: {
      title: 'Sluice API',
      // The bar above offers to look at other servers' documents and shows a brand that is not ours.
      css: [{ filename: 'sluice.css', content: '.swagger-ui .topbar { display: none }' }],
    },
  });
  app.get(OPENAPI_PATH, { schema: { hide: true } }, () => app.swagger());
}

/** `PUT /api/v1/lists/:id/entries` is `putListsIdEntries`: what clients that are made of the document call it. */
function operationIdOf(method: string, url: string): string {
  const words = url.replace(/^\/api\/v1/, '').match(/\w+/g) ?? [];
  return [
    method.toLowerCase(),
    ...words.map((word) => word[0]!.toUpperCase() + word.slice(1)),
  ].join('');
}

/** Every operation that somebody has to be known for takes it, so it is described here once. */
function withAccountHeader(headers: unknown): object {
  const { properties } = (headers ?? {}) as { readonly properties?: object };
  const account = {
    type: 'string',
    description:
      'Label of the account to read and edit, for an admin of the account that runs the server; everybody else may only name the own one.',
  };
  return { type: 'object', properties: { ...properties, [ACCOUNT_HEADER]: account } };
}

function securityOf(takesBasic: boolean): Record<string, string[]>[] {
  return [{ token: [] }, { session: [] }, ...(takesBasic ? [{ password: [] }] : [])];
}

const ANSWER_SENTENCE: Readonly<Record<string, string>> = {
  200: 'Done.',
  201: 'Created.',
  302: 'Sent elsewhere.',
};

/** Gives each good answer a description, which OpenAPI requires and our schemas leave out. */
function describeAnswers(response: unknown): Record<string, unknown> {
  const answers = Object.entries(response as Record<string, object>);
  return Object.fromEntries(
    answers.map(([status, answer]) => {
      const sentence = ANSWER_SENTENCE[status];
      return [status, sentence ? { ...answer, 'x-response-description': sentence } : answer];
    }),
  );
}
