import assert from 'node:assert/strict';
import { textTable, wrapText } from '../../../src/tools/text-table.js';

describe('text table', () => {
  const head = ['stage', 'ms', 'note'];
  const rows = [
    ['TLS', '2280', 'new'],
    ['transfer', '7', 'a note that is long'],
  ];

  it('is as wide as its cells, numbers flush right, nothing behind the last', () => {
    assert.equal(
      textTable({ head, rows, right: [1] }),
      ['stage       ms  note', 'TLS       2280  new', 'transfer     7  a note that is long'].join('\n'),
    );
  });

  it('cuts the last column where the whole would be too wide', () => {
    assert.equal(
      textTable({ head, rows, right: [1], width: 24 }),
      ['stage       ms  note', 'TLS       2280  new', 'transfer     7  a note …'].join('\n'),
    );
  });

  it('cuts another column where told', () => {
    assert.equal(
      textTable({ head, rows, right: [1], flexible: 0, width: 32 }),
      ['stage    ms  note', 'TLS    2280  new', 'tran…     7  a note that is long'].join('\n'),
    );
  });

  it('has a line for the head alone where there are no rows', () => {
    assert.equal(textTable({ head, rows: [] }), 'stage  ms  note');
  });
});

describe('wrapText', () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ['one two three', 8, 'one two\n  three'],
    ['one', 8, 'one'],
    ['longer-than-the-line x', 8, 'longer-than-the-line\n  x'],
    ['takes 7 ms in all', 8, 'takes\n  7 ms\n  in all'],
  ];
  for (const [text, width, expected] of cases)
    it(JSON.stringify(text), () => assert.equal(wrapText(text, { width, indent: 2 }), expected));
});
