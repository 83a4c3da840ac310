import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { TikitakaError } from '../../../operators/index.js';
import { createLogger } from '../../../src/app/log.js';

/** Every class of character that moves a cursor, ends a line or hides what follows it. */
const nasty = {
  'C0: a line break and an escape sequence': '\n\r\u001b[2J',
  'DEL and C1: the one-byte escape sequence': '\u007f\u0085\u009b31m',
  'separators of lines and paragraphs': '\u2028\u2029',
  'overrides of the direction': '\u202e\u2066\u200f\u061c',
  'what nobody sees': '\u200b\ufeff\u00ad\u{e0041}',
};
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

function begin(format: 'text' | 'json') {
  const written: string[] = [];
  const out = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString());
      done();
    },
  });
  return { log: createLogger({ LOG_LEVEL: 'debug', LOG_FORMAT: format }, out), written };
}

describe('log', () => {
  for (const [what, text] of Object.entries(nasty)) {
    it(`shows ${what} as escapes, in one line`, () => {
      const { log, written } = begin('text');
      log.info({ id: `a${text}b`, list: [text] }, `c${text}d`);
      log.warn({ err: new TikitakaError('ERR_REQUEST', `e${text}f`) }, 'g');
      assert.equal(written.length, 2);
      for (const line of written) assert.doesNotMatch(line.slice(0, -1), hidden);
      assert.match(written.join(''), /a.*\\u[0-9a-f]{4}.*b/);
    });

    it(`JSON keeps ${what} as escapes that mean the same`, () => {
      const { log, written } = begin('json');
      log.info({ id: text }, text);
      const [line = ''] = written;
      assert.doesNotMatch(line.slice(0, -1), hidden);
      const { id, msg, level } = JSON.parse(line);
      assert.deepEqual([id, msg, level], [text, text, 30]);
    });
  }

  it('begins a line with date and time, then level, text and facts', () => {
    const { log, written } = begin('text');
    log.warn({ origin: 'https://cdn.example', ms: 12, ok: true }, 'origin warm');
    assert.match(
      written[0] ?? '',
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARN {2}origin warm {2}origin=https:\/\/cdn\.example {2}ms=12 {2}ok=true\n$/,
    );
  });

  it('quotes a fact that could be taken for several, and leaves out what the text says already', () => {
    const { log, written } = begin('text');
    log.info({ id: 'x outcome=answered', report: { a: 1 }, challenge: { b: 2 } }, 'said');
    assert.match(written[0] ?? '', /info {2}said {2}id="x outcome=answered"\n$/);
  });

  it('bounds texts, facts and errors', () => {
    const { log, written } = begin('text');
    const long = 'x'.repeat(100_000);
    log.info({ fact: long, list: [long], err: new TikitakaError('ERR_REQUEST', long) }, long);
    assert.ok((written[0]?.length ?? 0) < 4_000, `${written[0]?.length} characters`);
  });

  describe('errors', () => {
    const coded = new TikitakaError('ERR_BUSY', 'Another challenge is being answered', { details: { places: 1 } });
    const unforeseen = new TypeError('x is not a function');
    const wrapped = new TikitakaError('ERR_INTERNAL', 'it went wrong', { cause: unforeseen });

    it('tell small facts that their message does not', () => {
      const { log, written } = begin('text');
      const details = { status: 404, folder: '/tmp', reason: 'gone', list: [1], ok: false };
      log.info({ err: new TikitakaError('ERR_X', 'it answered 404: gone', { details }) }, 'a');
      assert.ok(written[0]?.endsWith('ERR_X: it answered 404: gone (folder /tmp, ok false)\n'), written[0]);
    });

    it('that have a code are one line: code and message', () => {
      const { log, written } = begin('text');
      log.info({ err: coded }, 'challenge');
      assert.match(
        written.join(''),
        /^\S+ info {2}challenge {2}ERR_BUSY: Another challenge is being answered \(places 1\)\n$/,
      );
      const json = begin('json');
      json.log.info({ err: coded }, 'challenge');
      assert.deepEqual(JSON.parse(json.written[0] ?? '').err, {
        code: 'ERR_BUSY',
        message: 'Another challenge is being answered',
        details: { places: 1 },
      });
    });

    for (const [what, error] of Object.entries({
      'without a code': unforeseen,
      'ERR_INTERNAL, with its cause': wrapped,
    })) {
      it(`of our own come with their stack: ${what}`, () => {
        const { log, written } = begin('text');
        log.error({ err: error }, 'failed');
        const [head = '', ...stack] = written.join('').trimEnd().split('\n');
        assert.ok(
          head.includes(`failed  ${error instanceof TikitakaError ? 'ERR_INTERNAL' : 'error'}: ${error.message}`),
        );
        assert.ok(stack.length > 1);
        for (const line of stack) assert.match(line, /^ {4}\S/);
        assert.ok(stack.some((line) => line.includes('x is not a function')));
        assert.ok(stack.some((line) => line.includes('log.spec.ts')));
      });
    }

    it('whose message breaks lines cannot begin one', () => {
      const { log, written } = begin('text');
      log.error({ err: new Error('a\n2026-01-01T00:00:00.000Z info  all is well') }, 'failed');
      assert.equal(written.join('').match(/^\S+ (info|ERROR)/gm)?.length, 1);
    });
  });
});
