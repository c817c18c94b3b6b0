/**
 * The HTTP API as OpenAPI 3.1 has it: every route, what it takes and what it answers. It names the fields
 * that are stable; answers may have more. Served at `/api/v1/openapi.json`, and checked against the routes
 * and against real answers by a test.
 */
import { openApiSchemas } from './openapi-schemas.js';

interface Operation {
  readonly path: string;
  readonly method: 'get' | 'post';
  readonly summary: string;
  /** Name of a schema, or a list of it; undefined: it answers without JSON. */
  readonly answers?: keyof typeof openApiSchemas | readonly [keyof typeof openApiSchemas];
  /** Media type of an answer that is no JSON. */
  readonly type?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: keyof typeof openApiSchemas;
  /** Codes besides 200 that the caller should expect. */
  readonly refusals?: readonly number[];
}

const commands = ['pause', 'resume', 'promote', 'abort', 'retry', 'approve'] as const;

const page = {
  limit: 'At most so many, from 1 to 500.',
  before: 'Only entries before this one, by its number.',
};

const operations: readonly Operation[] = [
  { path: '/livez', method: 'get', summary: 'Whether the process is alive.', type: 'text/plain' },
  {
    path: '/readyz',
    method: 'get',
    summary: 'Whether it is ready to serve proxies; 503 where it is not.',
    type: 'text/plain',
    query: { verbose: 'Name every check.' },
    refusals: [503],
  },
  { path: '/metrics', method: 'get', summary: 'Prometheus metrics.', type: 'text/plain' },
  {
    path: '/api/v1/openapi.json',
    method: 'get',
    summary: 'This document.',
    answers: 'Document',
  },
  { path: '/api/v1/status', method: 'get', summary: 'The whole on one page.', answers: 'Status' },
  {
    path: '/api/v1/rollouts',
    method: 'get',
    summary: 'Rollouts, newest first; those that have ended too, as far as they are kept.',
    answers: ['Rollout'],
  },
  {
    path: '/api/v1/rollouts/{id}',
    method: 'get',
    summary: 'One rollout.',
    answers: 'Rollout',
    refusals: [404],
  },
  {
    path: '/api/v1/rollouts/{id}/history',
    method: 'get',
    summary: 'Measurements and weights of one rollout over time, for curves.',
    answers: 'Document',
    refusals: [404],
  },
  ...commands.map((command) => ({
    path: `/api/v1/rollouts/{id}/${command}`,
    method: 'post' as const,
    summary: `Tell a rollout to ${command}; answers with the rollout as it is after it.`,
    body: 'Command' as const,
    answers: 'Rollout' as const,
    refusals: [400, 403, 404, 409],
  })),
  {
    path: '/api/v1/proxies',
    method: 'get',
    summary: 'Connected proxies, and how far each is.',
    answers: ['Proxy'],
  },
  {
    path: '/api/v1/proxies/{id}',
    method: 'get',
    summary: 'One proxy.',
    answers: 'Proxy',
    refusals: [404],
  },
  {
    path: '/api/v1/proxies/{id}/config',
    method: 'get',
    summary: 'Each resource that a proxy is to have, beside what it acknowledged.',
    answers: 'Document',
    refusals: [404],
  },
  {
    path: '/api/v1/problems',
    method: 'get',
    summary: 'Problems of the newest commit.',
    answers: ['Problem'],
  },
  {
    path: '/api/v1/revisions',
    method: 'get',
    summary: 'Commits that were seen, newest first.',
    query: page,
    answers: ['Revision'],
  },
  {
    path: '/api/v1/revisions/{id}/diff',
    method: 'get',
    summary: 'What a commit changed, in words and in lines.',
    answers: 'Document',
    refusals: [404],
  },
  {
    path: '/api/v1/history',
    method: 'get',
    summary: 'What happened, newest first.',
    query: {
      ...page,
      kind: 'revision, rollout, command or proxy.',
      rollout: 'Only of this rollout.',
    },
    answers: ['History'],
  },
  {
    path: '/api/v1/events',
    method: 'get',
    summary:
      'Server-sent events: status, rollout, proxy, proxyGone; goes on after Last-Event-ID. With a mesh, events mesh with its graph too.',
    type: 'text/event-stream',
    query: { mesh: 'Whose graph is wanted.', lastEventId: 'As the header.' },
    refusals: [503],
  },
  {
    path: '/api/v1/meshes/{mesh}',
    method: 'get',
    summary: 'A mesh as a graph, with weights and traffic.',
    answers: 'Document',
    refusals: [404],
  },
  {
    path: '/api/v1/meshes/{mesh}/{kind}/{name}',
    method: 'get',
    summary: 'A resource: its YAML with file, line and commit, and what it became in Envoy.',
    answers: 'Document',
    refusals: [404],
  },
  ...['', '/{repository}'].map((suffix) => ({
    path: `/api/v1/hooks/{provider}${suffix}`,
    method: 'post' as const,
    summary: 'A Git server says that something was pushed; signed as that server signs.',
    body: 'Document' as const,
    refusals: [401, 404],
  })),
  {
    path: '/api/v1/session',
    method: 'get',
    summary: 'Who asks, and what they may do.',
    answers: 'Document',
  },
  {
    path: '/api/v1/session/token',
    method: 'post',
    summary: 'Sign in to the dashboard with a token.',
    body: 'Document',
    answers: 'Document',
    refusals: [401],
  },
  { path: '/api/v1/session/end', method: 'post', summary: 'Sign out.', answers: 'Document' },
  {
    path: '/api/v1/session/oidc',
    method: 'get',
    summary: 'Sign in with OpenID Connect: sends the browser to the provider.',
  },
  {
    path: '/api/v1/session/oidc/callback',
    method: 'get',
    summary: 'Where the provider sends the browser back to.',
  },
];

/** The document, for the API of this `version` of the program. */
export function openApiDocument(version: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    paths[operation.path] = { [operation.method]: renderOperation(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Headgate',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'The API of a Headgate controller. Fields that are named here are stable; answers may have more. ' +
        'Every answer that is no success has the body `Error`.',
    },
    servers: [{ url: 'http://127.0.0.1:8080' }],
    security: [{}, { token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token that `headgate token` made.',
        },
      },
      schemas: openApiSchemas,
    },
  };
}

const refOf = (name: string) => ({ $ref: `#/components/schemas/${name}` });

function renderOperation({
  path,
  summary,
  answers,
  type,
  query = {},
  body,
  refusals = [],
}: Operation) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(query).map(([name, description]) => ({
    name,
    in: 'query',
    description,
    schema: { type: 'string' },
  }));
  const schema =
    typeof answers === 'string' || answers === undefined
      ? answers && refOf(answers)
      : { type: 'array', items: refOf(answers[0]) };
  const content = schema
    ? { 'application/json': { schema } }
    : type && { [type]: { schema: { type: 'string' } } };
  return {
    summary,
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(body && { requestBody: { content: { 'application/json': { schema: refOf(body) } } } }),
    responses: {
      200: { description: 'As asked.', ...(content && { content }) },
      ...Object.fromEntries(
        refusals.map((code) => [
          code,
          {
            description: 'See error.code.',
            content: { 'application/json': { schema: refOf('Error') } },
          },
        ]),
      ),
    },
  };
}
