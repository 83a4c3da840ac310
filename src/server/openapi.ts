import { z } from 'zod';
import {
  answerSchema,
  availabilitySchema,
  challengeSchema,
  errorSchema,
  frameSchema,
  readinessSchema,
  streamEventSchema,
} from './schema.js';

/** Where challenges are put (docs/protocol.md §1); another track of the subnet uses another path. */
export const challengePath = '/soccer/challenge';

const schemas = [
  challengeSchema,
  frameSchema,
  answerSchema,
  streamEventSchema,
  availabilitySchema,
  readinessSchema,
  errorSchema,
];

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const reply = (description: string, content: object) => ({ description, content });
const json = (name: string) => ({ 'application/json': { schema: ref(name) } });
const text = { 'text/plain': { schema: { type: 'string' } } };
const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
});

/** The OpenAPI 3.1 description of the server, from the schemas that also validate. */
export function openApiDocument(version: string): object {
  const registry = z.registry<{ id: string }>();
  for (const schema of schemas) {
    const id = schema.meta()?.id;
    if (id) registry.add(schema, { id });
  }
  const components = z.toJSONSchema(registry, {
    uri: (id) => ref(id).$ref,
    target: 'draft-2020-12',
    io: 'input',
  }).schemas;
  const plain = Object.fromEntries(
    Object.entries(components).map(([name, { $schema: _schema, $id: _id, ...schema }]) => [name, schema]),
  );
  return {
    openapi: '3.1.0',
    info: { title: 'Tikitaka', version, description: 'Answers questions about a football clip before a deadline.' },
    paths: {
      [challengePath]: {
        post: {
          summary: 'Put a challenge; the answer covers every frame of the clip',
          parameters: [
            header('validator-hotkey', 'ss58 address of the caller'),
            header('miner-hotkey', 'ss58 address that is meant'),
            header('nonce', 'time in ns, underscore, random text; used once'),
            header('signature', '0x and 128 hex digits: sr25519 over nonce:miner-hotkey:sha256(body)'),
          ],
          requestBody: { required: true, content: json('Challenge') },
          responses: {
            200: reply('The answer, or by Accept a stream of events that ends with it', {
              ...json('Answer'),
              'application/x-ndjson': { schema: ref('StreamEvent') },
              'text/event-stream': { schema: ref('StreamEvent') },
            }),
            default: reply('A refusal or a failure', json('Error')),
          },
        },
      },
      '/availability': {
        get: {
          summary: 'Whether a challenge for a new clip would be accepted now',
          responses: { 200: reply('Always', json('Availability')) },
        },
      },
      '/livez': { get: { summary: 'Whether the process runs', responses: { 200: reply('It does', text) } } },
      '/readyz': {
        get: {
          summary: 'Whether models are warm and the view of the chain is fresh',
          responses: { 200: reply('Ready', json('Readiness')), 503: reply('Not ready', json('Readiness')) },
        },
      },
      '/openapi.json': {
        get: {
          summary: 'This document',
          responses: { 200: reply('OpenAPI 3.1', { 'application/json': { schema: { type: 'object' } } }) },
        },
      },
    },
    components: { schemas: plain },
  };
}
