import assert from 'node:assert/strict';
import { directLink } from '../../../src/net/index.js';

describe('directLink', () => {
  const direct = 'https://drive.usercontent.google.com/download?id=1aB-c_D&export=download&confirm=t';
  const table: readonly (readonly [string, string, string])[] = [
    ['https://drive.google.com/file/d/1aB-c_D/view?usp=sharing', direct, 'the share button'],
    ['https://drive.google.com/file/d/1aB-c_D', direct, 'without the view'],
    ['https://drive.google.com/file/u/0/d/1aB-c_D/edit', direct, 'with the account number'],
    ['https://drive.google.com/open?id=1aB-c_D', direct, 'the old open link'],
    ['https://drive.google.com/uc?export=download&id=1aB-c_D', direct, 'the old download link'],
    ['https://docs.google.com/uc?id=1aB-c_D', direct, 'the same on the other host'],
    [
      'https://drive.google.com/file/d/1aB-c_D/view?resourcekey=0-xyz',
      `${direct}&resourcekey=0-xyz`,
      'old files need their resource key',
    ],
    [direct, direct, 'already direct'],
    ['https://drive.google.com/drive/folders/1aB-c_D', 'https://drive.google.com/drive/folders/1aB-c_D', 'a folder'],
    ['https://example.com/file/d/1aB-c_D/view', 'https://example.com/file/d/1aB-c_D/view', 'another host'],
    [
      'https://drive.google.com.evil.test/file/d/1/view',
      'https://drive.google.com.evil.test/file/d/1/view',
      'a look-alike',
    ],
  ];
  for (const [link, expected, reason] of table) {
    it(reason, () => {
      assert.equal(directLink(new URL(link)).href, expected);
    });
  }
});
