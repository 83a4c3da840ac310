import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { packageRoot } from '../../../../src/app/package-root.js';
import { diagnosisJsonSchema, diagnosisSchema } from '../../../../src/tools/diagnose/index.js';
import { diagnosisOf } from './measurements.js';

const published: unknown = JSON.parse(readFileSync(new URL('schemas/diagnose.schema.json', packageRoot), 'utf8'));

describe('schema of a diagnosis', () => {
  it('is published as it is: npx tsx src/main.ts diagnose --schema > schemas/diagnose.schema.json', () => {
    assert.deepEqual(published, diagnosisJsonSchema());
  });

  // Read back from the file: an independent way from JSON schema to a judgement.
  const fromFile = z.fromJSONSchema(published as Parameters<typeof z.fromJSONSchema>[0]);
  const plain = (value: object): object => JSON.parse(JSON.stringify(value));

  it('takes a whole diagnosis and one that stopped early', () => {
    const failed = { stage: 'first byte', code: 'ERR_SOURCE_STALLED', message: 'Nothing came' } as const;
    for (const diagnosis of [diagnosisOf(), diagnosisOf({ decoders: [], models: undefined, failed })]) {
      assert.equal(diagnosisSchema.safeParse(plain(diagnosis)).success, true);
      assert.deepEqual(fromFile.safeParse(plain(diagnosis)).error?.issues, undefined);
    }
  });

  const whole = diagnosisOf();
  const wrong: readonly (readonly [string, object])[] = [
    ['another version', { ...whole, version: 2 }],
    ['a negative duration', { ...whole, transfers: [{ bytes: 1, cold: { medianMs: -1, p95Ms: 0, runs: 1 } }] }],
    ['figures without a run', { ...whole, transfers: [{ bytes: 1, cold: { medianMs: 1, p95Ms: 1, runs: 0 } }] }],
    ['a stage that does not exist', { ...whole, failed: { stage: 'lunch', code: 'ERR', message: '' } }],
    ['no verdict', { ...whole, verdict: undefined }],
  ];
  for (const [why, value] of wrong)
    it(`refuses ${why}`, () => {
      assert.equal(diagnosisSchema.safeParse(plain(value)).success, false);
      assert.equal(fromFile.safeParse(plain(value)).success, false);
    });
});
