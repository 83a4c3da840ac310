import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { toPythonJson } from '../../../src/server/canonical-json.js';
import { vectors } from './auth-vectors.js';

const script = fileURLToPath(new URL('../../fixtures/chain-python-json.py', import.meta.url));
const recorded = readFileSync(new URL('../../fixtures/chain-python-json.jsonl', import.meta.url), 'utf8');

function compare(corpus: string): number {
  const lines = corpus.trimEnd().split('\n');
  for (const line of lines) {
    const [travelled, standard, compact]: [string, string, string] = JSON.parse(line);
    assert.equal(toPythonJson(travelled, 'default'), standard);
    assert.equal(toPythonJson(travelled, 'compact'), compact);
  }
  return lines.length;
}

describe('toPythonJson', () => {
  it("agrees with Python's json.dumps on the recorded corpus", () => assert.equal(compare(recorded), 60));

  it("agrees with this machine's Python on a fresh corpus", function () {
    if (spawnSync('python3', ['-c', '']).status !== 0) this.skip();
    const seed = String(process.pid);
    const { stdout, status } = spawnSync('python3', [script, seed, '2000'], { encoding: 'utf8', maxBuffer: 1 << 26 });
    assert.equal(status, 0);
    assert.equal(compare(stdout), 2000, `seed ${seed}`);
  });

  it('leads from either vector to the other', () => {
    assert.equal(toPythonJson(vectors.bodyA, 'compact'), vectors.bodyB);
    assert.equal(toPythonJson(vectors.bodyB, 'default'), vectors.bodyA);
  });

  const rows = [
    ['[1.0,1e3,-0,1E+2]', '[1.0, 1e3, -0, 1E+2]', 'numbers are copied verbatim'],
    ['[9223372036854775808]', '[9223372036854775808]', 'beyond 2^53 too'],
    ['{"a":1,"a":2}', '{"a": 1, "a": 2}', 'a repeated key stays'],
    ['{"a , b : c":", :"}', '{"a , b : c": ", :"}', 'separators inside strings are text'],
    ['"\\ud83d\\ude00\\ud800"', '"\\ud83d\\ude00\\ud800"', 'surrogates, paired and alone'],
    ['"\\u00e9\\/\\u0022"', '"\\u00e9/\\""', 'escapes that Python would write otherwise'],
    ['"\\\\"', '"\\\\"', 'a backslash before the closing quote'],
    [' {\t} ', '{}', 'white space outside strings goes'],
  ] as const;
  for (const [text, expected, reason] of rows) {
    it(reason, () => assert.equal(toPythonJson(text, 'default'), expected));
  }

  it('keeps the value and is stable under a second pass', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('default' as const, 'compact' as const), (text, style) => {
        const once = toPythonJson(text, style);
        assert.deepEqual(JSON.parse(once), JSON.parse(text));
        assert.equal(toPythonJson(once, style), once);
      }),
      { numRuns: 300 },
    );
  });

  it('rewrites a string as long as the body cap without running out of stack', () => {
    const text = JSON.stringify('"\\é'.repeat(16_000));
    assert.equal(JSON.parse(toPythonJson(text, 'default')), '"\\é'.repeat(16_000));
  });
});
