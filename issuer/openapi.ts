/**
 * The HTTP interface as an OpenAPI 3.1 description: the console's routes from their own declarations, and the addresses of
 * documents (PROTOCOL.md, HTTP) by hand, since those are bytes with a layout of their own.
 */
import { toJsonSchema } from '@valibot/to-json-schema'
import type * as v from 'valibot'
import { apiPath } from './console-api/adapter.ts'
import { listColumns } from './console-api/list-export.ts'
import type { ConsoleRoute } from './console-api/route.ts'
import { forgeryHeader } from './console-contract/access.ts'

type Json = Readonly<Record<string, unknown>>

/** What JSON Schema cannot say is left out: the description promises less than the server asks for. */
const schemaOf = (schema: v.GenericSchema, typeMode: 'input' | 'output'): Json => {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    target: 'draft-2020-12',
    typeMode,
    errorMode: 'ignore',
  }) as Json & { $schema?: unknown }
  return rest
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, Json>>
  readonly required?: readonly string[]
}

const sentence = (description: string): Json => ({
  description,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Refusal' } } },
})
const json = (description: string, schema: Json): Json => ({
  description,
  content: { 'application/json': { schema } },
})
const octets = (description: string): Json => ({
  description,
  content: { 'application/octet-stream': { schema: { type: 'string', contentEncoding: 'binary' } } },
})

const pathNames = (path: string): string[] => [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
const inOpenApi = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}')

const parameter = (name: string, where: 'path' | 'query', { properties = {}, required = [] }: ObjectSchema): Json => ({
  name,
  in: where,
  required: where === 'path' || required.includes(name),
  schema: properties[name] ?? { type: 'string' },
})

const bodyOf = (route: ConsoleRoute, input: ObjectSchema, names: readonly string[]): Json => {
  if (route.takesBytes === true)
    return { required: true, content: { 'application/octet-stream': { schema: { contentEncoding: 'binary' } } } }
  const required = (input.required ?? []).filter((name) => names.includes(name))
  const properties = Object.fromEntries(names.map((name) => [name, input.properties?.[name] ?? {}]))
  const schema = { type: 'object', properties, ...(required.length === 0 ? {} : { required }) }
  return { required: true, content: { 'application/json': { schema } } }
}

/** "/terminals/:id/enrolment-code" by POST is "post-terminals-id-enrolment-code". */
const operationId = ({ method, path }: ConsoleRoute): string =>
  `${method.toLowerCase()}${path.replaceAll(':', '')}`.replaceAll('/', '-')

const permissionSentence = ({ permission, fresh }: ConsoleRoute): string =>
  permission === 'none'
    ? 'For whoever is not signed in.'
    : `Needs the permission "${permission}"${fresh === true ? ', and a password that was given within 15 minutes' : ''}.`

const operationOf = (route: ConsoleRoute): Json => {
  const input: ObjectSchema = schemaOf(route.input, 'input')
  const inPath = pathNames(route.path)
  const others = Object.keys(input.properties ?? {}).filter((name) => !inPath.includes(name))
  const inBody = route.method === 'POST'
  // Bytes are the body themselves; what else such a route takes is in its address.
  const inQuery = route.takesBytes === true ? others.filter((name) => name !== 'bytes') : inBody ? [] : others
  const csv =
    listColumns(route) === undefined
      ? []
      : [{ name: 'format', in: 'query', required: false, schema: { const: 'csv' }, description: 'All rows, as CSV.' }]
  return {
    operationId: operationId(route),
    tags: [route.path.split('/')[1] ?? 'console'],
    summary: route.summary,
    description: permissionSentence(route),
    parameters: [
      ...inPath.map((name) => parameter(name, 'path', input)),
      ...inQuery.map((name) => parameter(name, 'query', input)),
      ...csv,
    ],
    ...(inBody ? { requestBody: bodyOf(route, input, others) } : {}),
    security: route.permission === 'none' ? [] : [inBody ? { session: [], forgeryToken: [] } : { session: [] }],
    responses: {
      200:
        route.output === undefined
          ? { description: 'A file, or JSON.' }
          : json('The answer.', schemaOf(route.output, 'output')),
      400: sentence('The input is not of its shape.'),
      ...(route.permission === 'none' ? {} : { 401: sentence('Nobody is signed in.') }),
      403: sentence('The role, the forgery token or the password does not allow it.'),
      404: sentence('There is no such thing.'),
      409: sentence('It contradicts what stands.'),
      429: sentence('Too many requests, or wrong tries.'),
    },
  }
}

const document = (summary: string, bytes: string, answer: string, refusals: Json): Json => ({
  summary,
  tags: ['documents'],
  security: [],
  requestBody: { required: true, ...octets(bytes), description: bytes },
  responses: { 200: octets(answer), ...refusals },
})
const publication = (summary: string, names: readonly string[], answer: string): Json => ({
  summary,
  tags: ['documents'],
  security: [],
  parameters: names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
  responses: { 200: octets(answer), 404: sentence('There is none.') },
})
const layout = { 400: sentence('The bytes are not of their layout.'), 413: sentence('There are too many bytes.') }
const sealed = { ...layout, 403: sentence('The seal is wrong.'), 404: sentence('There is no such terminal.') }

/** Addresses of the documents that terminals and phones exchange with the issuer. */
const documentPaths: Readonly<Record<string, Json>> = {
  '/v1/enrolments': {
    post: {
      operationId: 'enrol',
      summary: 'Redeems a one-time enrolment code for a terminal’s key. Over TLS or loopback alone.',
      tags: ['documents'],
      security: [],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['code'],
              properties: { code: { type: 'string' }, ledger: { type: 'object' } },
            },
          },
        },
      },
      responses: {
        200: json('The terminal’s number, key and epoch.', { type: 'object' }),
        400: sentence('No code was sent.'),
        403: sentence('The code is wrong, used or old; or the line is not confidential.'),
        429: sentence('Too many wrong codes.'),
      },
    },
  },
  '/v1/batches': {
    post: {
      operationId: 'takeBatch',
      ...document('Takes a terminal’s sealed batch of entries.', 'A batch.', 'Its sealed acknowledgement.', sealed),
    },
  },
  '/v1/loads': {
    post: {
      operationId: 'authoriseLoad',
      ...document('Authorises a load.', 'A load request.', 'Its sealed answer.', sealed),
    },
  },
  '/v1/claims': {
    post: {
      operationId: 'collectClaim',
      ...document('Takes a customer’s claim.', 'A claim.', '', sealed),
      responses: {
        200: json('Item, receipt, and the code or the content’s address.', { type: 'object' }),
        ...sealed,
        409: sentence('Nothing was sold for it.'),
        410: sentence('It is too old.'),
      },
    },
  },
  '/v1/claims/content/{ticket}': {
    get: {
      operationId: 'claimedContent',
      ...publication('A claimed content, for 15 minutes; ranges.', ['ticket'], 'The content.'),
    },
  },
  '/v1/bulletin': { get: { operationId: 'bulletin', ...publication('The signed bulletin.', [], 'The bulletin.') } },
  '/v1/keyrings/{terminal}': {
    get: { operationId: 'keyring', ...publication('A terminal’s sealed keyring.', ['terminal'], 'The keyring.') },
  },
  '/v1/goods/{hash}': {
    get: {
      operationId: 'goods',
      ...publication('Encrypted goods by their hash; ranges.', ['hash'], 'The encrypted content.'),
    },
  },
}

const plainGet = (id: string, summary: string, responses: Json): Json => ({
  get: { operationId: id, summary, tags: ['operation'], security: [], responses },
})
const operationPaths: Readonly<Record<string, Json>> = {
  '/health': plainGet('health', 'Whether the server lives.', { 200: json('It does.', { type: 'object' }) }),
  '/health/ready': plainGet('ready', 'Whether the server can take documents: store, migrations, disk.', {
    200: json('It can.', { type: 'object' }),
    503: json('It cannot, and what is wrong.', { type: 'object' }),
  }),
  '/metrics': {
    get: {
      operationId: 'metrics',
      summary: 'Figures for Prometheus, from this machine or with the configured token.',
      tags: ['operation'],
      security: [{}, { metricsToken: [] }],
      responses: {
        200: { description: 'The text format.', content: { 'text/plain': {} } },
        403: sentence('Not for you.'),
      },
    },
  },
  '/openapi.json': plainGet('description', 'This description.', { 200: json('It.', { type: 'object' }) }),
}

/** @returns an OpenAPI 3.1 document */
export const openApiOf = (routes: readonly ConsoleRoute[]): Json => {
  const paths = new Map<string, Record<string, Json>>()
  for (const route of routes) {
    const path = `${apiPath}${inOpenApi(route.path)}`
    paths.set(path, { ...paths.get(path), [route.method.toLowerCase()]: operationOf(route) })
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Farthing issuer',
      version: '1',
      description:
        'Amounts are in minor units, times ISO 8601 in UTC, ids and hashes lower-case hex. What is absent is left out.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths: { ...documentPaths, ...operationPaths, ...Object.fromEntries(paths) },
    components: {
      schemas: {
        Refusal: {
          type: 'object',
          required: ['error', 'sentence'],
          properties: {
            error: { type: 'string', description: 'A code for programs.' },
            sentence: { type: 'string', description: 'What to do, for a person.' },
          },
        },
      },
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-farthing',
          description: 'Without TLS, on loopback: farthing-console.',
        },
        forgeryToken: { type: 'apiKey', in: 'header', name: forgeryHeader },
        metricsToken: { type: 'http', scheme: 'bearer' },
      },
    },
  }
}
