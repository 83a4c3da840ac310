import assert from 'node:assert/strict';
import { TikitakaError } from '../../../operators/index.js';
import { errorResponse, statusOf } from '../../../src/server/error-response.js';

describe('errorResponse', () => {
  const rows = [
    ['ERR_REQUEST', 400],
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
