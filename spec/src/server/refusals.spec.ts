import assert from 'node:assert/strict';
import { VirtualTimeScheduler } from 'rxjs';
import { TikitakaError } from '../../../operators/index.js';
import { createRefusals, printable, shortHotkey } from '../../../src/server/refusals.js';

const refused = (code: string, reason?: string) => new TikitakaError(code, 'no', reason ? { details: { reason } } : {});
const nonce = refused('ERR_UNAUTHENTICATED', 'nonce');
const signature = refused('ERR_UNAUTHENTICATED', 'signature');
const lost = refused('ERR_NOT_FOUND');

/** Refusals at given moments, s, and the lines that they make: moment, level, reason, how many, from whom. */
function linesOf(notes: readonly (readonly [atS: number, error: unknown])[], closeAtS = 1000) {
  const scheduler = new VirtualTimeScheduler();
  const lines: string[] = [];
  const write = (level: string) => (facts: object) => {
    const { reason, times, from } = { reason: '', times: 0, from: '', ...facts };
    lines.push(`${scheduler.now() / 1000} ${level} ${reason} x${times} ${from}`);
  };
  const refusals = createRefusals({
    log: { info: write('info'), warn: write('warn') },
    scheduler,
    now: () => scheduler.now(),
  });
  for (const [index, [atS, error]] of notes.entries()) {
    scheduler.schedule(() => refusals.note(error, { target: 'POST /', from: `caller ${index}` }), atS * 1000);
  }
  scheduler.schedule(() => refusals.close(), closeAtS * 1000);
  scheduler.flush();
  const reasons = refusals.reasons.map(({ reason, times, lastAtMs, last }) => [reason, times, lastAtMs, last.from]);
  return { lines, reasons, endedAtMs: scheduler.now() };
}

describe('createRefusals', () => {
  it('logs the first of a reason at once, those of the minute after it as one line with their count', () => {
    const { lines } = linesOf([
      [1, nonce],
      [2, nonce],
      [3, nonce],
      [200, nonce],
    ]);
    const reason = 'warn ERR_UNAUTHENTICATED (nonce)';
    assert.deepEqual(lines, [`1 ${reason} x1 caller 0`, `61 ${reason} x2 caller 2`, `200 ${reason} x1 caller 3`]);
  });

  it('goes on with one line a minute while they go on', () => {
    const each = Array.from({ length: 1800 }, (_, index): [number, unknown] => [index / 10, nonce]);
    assert.deepEqual(
      linesOf(each).lines.map((line) => line.split(' ')[0]),
      ['0', '60', '120', '180'],
    );
  });

  it('keeps reasons apart, and says what concerns nobody who may call at level info', () => {
    const { lines } = linesOf([
      [0, nonce],
      [1, signature],
      [2, lost],
    ]);
    assert.deepEqual(lines, [
      '0 warn ERR_UNAUTHENTICATED (nonce) x1 caller 0',
      '1 warn ERR_UNAUTHENTICATED (signature) x1 caller 1',
      '2 info ERR_NOT_FOUND x1 caller 2',
    ]);
  });

  it('counts for the page, the latest first', () => {
    const { reasons } = linesOf([
      [0, nonce],
      [1, lost],
      [2, nonce],
    ]);
    assert.deepEqual(reasons, [
      ['ERR_UNAUTHENTICATED (nonce)', 2, 2000, 'caller 2'],
      ['ERR_NOT_FOUND', 1, 1000, 'caller 1'],
    ]);
  });

  it('leaves what ended a challenge, and what is our own fault, to their own lines', () => {
    for (const error of [
      refused('ERR_SOURCE_STATUS'),
      refused('ERR_BUSY'),
      refused('ERR_INTERNAL'),
      new Error('x'),
      5,
    ]) {
      assert.deepEqual(linesOf([[0, error]]).lines, []);
    }
  });

  it('holds a bounded number of reasons, whatever an Auth of somebody’s own throws', () => {
    const each = Array.from({ length: 1000 }, (_, index): [number, unknown] => [
      0,
      refused('ERR_FORBIDDEN', `reason ${index}`),
    ]);
    const { lines, reasons } = linesOf(each);
    assert.equal(reasons.length, 41);
    assert.equal(lines.length, 42);
    assert.deepEqual(reasons[0]?.slice(0, 2), ['others', 960]);
  });

  it('logs at the end what was only counted, and leaves no timer', () => {
    const { lines, endedAtMs } = linesOf(
      [
        [0, nonce],
        [1, nonce],
      ],
      2,
    );
    assert.deepEqual(lines.at(-1), '2 warn ERR_UNAUTHENTICATED (nonce) x1 caller 1');
    assert.equal(endedAtMs, 2000);
  });
});

describe('texts of strangers', () => {
  const rows = [
    ['POST /x', 'POST /x', 'what is printable stays'],
    ['a\r\nb\u001b[31m', 'a\\u000d\\u000ab\\u001b[31m', 'new lines and terminal codes'],
    ['\u009b31m\u202e', '\\u009b31m\\u202e', 'terminal codes of one byte, turned text'],
    ['x'.repeat(65), `${'x'.repeat(64)}…`, 'what is long is cut'],
  ] as const;
  for (const [text, shown, why] of rows) it(why, () => assert.equal(printable(text), shown));

  it('shows enough of a hot key to recognise it, and no more of what is none', () => {
    assert.equal(shortHotkey('5DtDLm5rQHShDqojQpsvcN8tRXHVFaecfDoRet1SU6BFD9Fi'), '5DtDLm…D9Fi');
    assert.equal(shortHotkey('5D\u001b[2J'), '5D\\u001b[2J');
    assert.equal(shortHotkey(`\u001b[2J${'x'.repeat(9000)}\n`), '\\u001b[2Jxx…xxx\\u000a');
  });
});
