import assert from 'node:assert/strict';
import { readRangeAnswer, sameFile, strongValidator } from '../../../src/net/http-answer.js';

describe('readRangeAnswer', () => {
  const table = [
    [206, { 'content-range': 'bytes 0-99/1000' }, { partial: true, start: 0, end: 100, sizeBytes: 1000 }, 'a part'],
    [
      206,
      { 'content-range': 'bytes 5-9/*' },
      { partial: true, start: 5, end: 10, sizeBytes: undefined },
      'size unknown',
    ],
    [206, { 'content-range': 'Bytes 5-9/10' }, { partial: true, start: 5, end: 10, sizeBytes: 10 }, 'capital unit'],
    [200, { 'content-length': '1000' }, { partial: false, start: 0, end: 1000, sizeBytes: 1000 }, 'the whole'],
    [200, {}, { partial: false, start: 0, end: undefined, sizeBytes: undefined }, 'the whole, length unknown'],
    [
      200,
      { 'content-length': '1e3' },
      { partial: false, start: 0, end: undefined, sizeBytes: undefined },
      'odd length',
    ],
    [416, { 'content-range': 'bytes */0' }, { partial: true, start: 0, end: 0, sizeBytes: 0 }, 'an empty file'],
  ] as const;
  for (const [status, headers, expected, reason] of table) {
    it(`${status}: ${reason}`, () => {
      assert.deepEqual(readRangeAnswer(status, headers), { ...expected, etag: undefined, lastModified: undefined });
    });
  }

  const refusals = [
    [206, {}, false, 'a part of what?'],
    [206, { 'content-range': 'bytes */10' }, false, 'no range in the range'],
    [206, { 'content-range': 'bytes 10-9/20' }, false, 'a part of nothing'],
    [204, {}, false, 'no content'],
    [304, {}, false, 'nothing was asked for conditionally'],
    [404, {}, false, 'not there'],
    [408, {}, true, 'time-out of the server'],
    [416, { 'content-range': 'bytes */10' }, false, 'out of range'],
    [429, {}, true, 'too many requests'],
    [500, {}, true, 'server error'],
    [503, {}, true, 'overloaded'],
  ] as const;
  for (const [status, headers, retryable, reason] of refusals) {
    it(`${status} is ERR_SOURCE_STATUS, ${retryable ? 'retryable' : 'lasting'}: ${reason}`, () => {
      assert.throws(() => readRangeAnswer(status, headers), {
        code: 'ERR_SOURCE_STATUS',
        retryable,
        details: { status },
      });
    });
  }
});

describe('the identity of a file', () => {
  const answer = (etag?: string, lastModified?: string, sizeBytes?: number) => ({
    ...readRangeAnswer(200, {}),
    etag,
    lastModified,
    sizeBytes,
  });
  it('is not told by a weak tag in If-Range', () => {
    assert.equal(strongValidator(answer('"a"', 'Mon')), '"a"');
    assert.equal(strongValidator(answer('W/"a"', 'Mon')), 'Mon');
    assert.equal(strongValidator(answer('W/"a"')), undefined);
  });
  it('differs where both sides say something else', () => {
    assert.equal(sameFile(answer('"a"', 'Mon', 5), answer('"a"', 'Mon', 5)), true);
    assert.equal(sameFile(answer('"a"', 'Mon', 5), answer()), true);
    assert.equal(sameFile(answer('"a"'), answer('"b"')), false);
    assert.equal(sameFile(answer('"a"', 'Mon'), answer('"a"', 'Tue')), false);
    assert.equal(sameFile(answer('"a"', 'Mon', 5), answer('"a"', 'Mon', 6)), false);
  });
});
