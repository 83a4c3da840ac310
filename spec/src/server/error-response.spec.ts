import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TikitakaError } from '../../../operators/index.js';
import { errorResponse, knownCodes, statusOf } from '../../../src/server/error-response.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Codes of Node's own that the sources compare with. */
const nodes = new Set(['ERR_HTTP_REQUEST_TIMEOUT']);

/** Each code in the sources with the files that name it, the table itself left out. */
function codesInSources(): Map<string, string[]> {
  const codes = new Map<string, string[]>();
  for (const folder of ['operators', 'models', 'src']) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      const file = join(folder, name);
      if (!file.endsWith('.ts') || file === 'src/server/error-response.ts') continue;
      for (const [, code = ''] of readFileSync(join(root, file), 'utf8').matchAll(/['"`](ERR_[A-Z0-9_]+)['"`]/g)) {
        if (!nodes.has(code)) codes.set(code, [...(codes.get(code) ?? []), file]);
      }
    }
  }
  return codes;
}

describe('errorResponse', () => {
  it('has a status for every code of the sources, and for no other', () => {
    const used = codesInSources();
    assert.ok(used.size > 60);
    const undecided = [...used].filter(([code]) => !knownCodes.includes(code));
    assert.deepEqual(undecided, [], 'add them to the table in src/server/error-response.ts');
    assert.deepEqual(
      knownCodes.filter((code) => !used.has(code)),
      [],
    );
  });

  const rows = [
    ['ERR_REQUEST', 400],
    ['ERR_HEAD_TIMEOUT', 408],
    ['ERR_HEAD_TOO_LARGE', 431],
    ['ERR_LIMIT', 413],
    ['ERR_CONTAINER', 422],
    ['ERR_NOT_VIDEO', 422],
    ['ERR_SOURCE_EMPTY', 422],
    ['ERR_SOURCE_CHANGED', 502],
    ['ERR_SOURCE_TRUNCATED', 502],
    ['ERR_SOURCE_STALLED', 504],
    ['ERR_CLIENTS', 503],
    ['ERR_UNAUTHENTICATED', 401],
    ['ERR_FORBIDDEN', 403],
    ['ERR_SOURCE_REFUSED', 400],
    ['ERR_SOURCE_CONNECT', 502],
    ['ERR_SOURCE_STATUS', 502],
    ['ERR_SOURCE_TOO_LARGE', 413],
    ['ERR_DECODE', 422],
    ['ERR_BUSY', 503],
    ['ERR_BUDGET_EMPTY', 504],
    ['ERR_CHAIN_UNAVAILABLE', 503],
    ['ERR_INFERENCE', 500],
    ['constructor', 500],
    ['', 500],
  ] as const;
  for (const [code, status] of rows)
    it(`${code || 'nothing'} is ${status}`, () => assert.equal(statusOf(code), status));

  it('keeps the text of what it does not know', () => {
    for (const error of [new Error('secret'), 'secret', undefined, new TikitakaError('ERR_MODEL_LOAD', 'secret')]) {
      const { status, body } = errorResponse(error);
      assert.equal(status, 500);
      assert.ok(!JSON.stringify(body).includes('secret'));
    }
  });
});
