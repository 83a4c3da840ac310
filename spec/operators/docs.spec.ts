import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');
/** What a marble diagram is made of, alone in its line behind a name. */
const marbleLine = /^ \* (?:[a-z]+ ?[a-z]?) +([-^!|#()a-zA-Z0-9]{3,})(?: .*)?$/;

describe('documentation of the operators', () => {
  const files = readdirSync(join(root, 'operators')).filter((name) => /^ \* ```$/m.test(read('operators', name)));

  it('draws every operator that has its own timing', () => {
    const drawn = [
      'batch-to.ts',
      'bounded-map.ts',
      'collect-until.ts',
      'deadline-batch.ts',
      'hard-cut.ts',
      'lend-to.ts',
      'pull.ts',
      'ramp-batch.ts',
      'soft-cut.ts',
      'stride.ts',
      'two-cuts.ts',
    ];
    assert.deepEqual(files, drawn);
  });

  for (const name of files) {
    it(`${name}: its marbles are strings of its spec`, () => {
      const drawings = read('operators', name)
        .split(' * ```')
        .filter((_, i) => i % 2 === 1);
      const marbles = drawings
        .join('\n')
        .split('\n')
        .flatMap((line) => marbleLine.exec(line)?.[1] ?? []);
      assert.ok(marbles.length >= 2, 'a drawing has a source and a result');
      const spec = read('spec', 'operators', name.replace('.ts', '.spec.ts')).replaceAll(' ', '');
      for (const marble of marbles) {
        // A trailing pause says nothing: the spec may go on for longer.
        assert.ok(spec.includes(`'${marble.replace(/-+$/, '')}`), marble);
      }
    });
  }

  for (const name of files) {
    it(`${name}: says how it ends, where it belongs, what it holds, how it fails`, () => {
      for (const bullet of ['**Ends**', '**Order of use**', '**Pressure**', '**Errors**']) {
        assert.ok(read('operators', name).includes(bullet), bullet);
      }
    });
  }
});
