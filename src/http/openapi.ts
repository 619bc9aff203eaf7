import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { Access } from './authenticate.ts';

export const DOCS_PATH = '/api/docs';
export const OPENAPI_PATH = '/api/openapi.json';

const TAGS = [
  { name: 'targets', description: 'Named, maintained lists of indicators: the atoms of policies.' },
  { name: 'bundles', description: 'Stored queries over the attributes of targets.' },
  { name: 'lists', description: 'User-defined lists: entries of your own.' },
  { name: 'policies', description: 'What is blocked and allowed, and why.' },
  { name: 'devices', description: 'What pulls the zones, and how it is known.' },
  { name: 'zones', description: 'What is served over DNS.' },
  { name: 'tokens', description: 'Who may use this API.' },
  { name: 'operations', description: 'Health and metrics.' },
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
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access;
      if (access === undefined) return { schema: { ...schema, hide: true }, url };
      const sentences = [schema.description, ACCESS_SENTENCE[access]];
      const described = {
        ...schema,
        description: sentences.filter((sentence) => sentence !== undefined).join(' '),
        security: access === 'open' ? [] : [{ token: [] }],
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

const ANSWER_SENTENCE: Readonly<Record<string, string>> = {
  200: 'Done.',
  201: 'Created.',
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
