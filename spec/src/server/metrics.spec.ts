import assert from 'node:assert/strict';
import { createMetrics } from '../../../src/server/metrics.js';

describe('createMetrics', () => {
  it('counts by outcome and route', async () => {
    const metrics = createMetrics();
    metrics.countRequest('/livez', 200, 0.001);
    metrics.countChallenge('answered', 1.2);
    metrics.countChallenge('answered', 0.2);
    const text = await metrics.text();
    assert.match(text, /tikitaka_http_requests_total\{route="\/livez",status="200"\} 1/);
    assert.match(text, /tikitaka_challenges_total\{outcome="answered"\} 2/);
    assert.match(text, /tikitaka_challenge_duration_seconds_bucket\{le="1",outcome="answered"\} 1/);
    assert.match(text, /process_cpu_seconds_total/);
  });
  it('reads gauges when asked, and leaves out what is unknown', async () => {
    let value: number | undefined;
    const metrics = createMetrics({ gauges: { x_seconds: { help: 'x', value: () => value } } });
    assert.doesNotMatch(await metrics.text(), /^x_seconds \d/m);
    value = 4;
    assert.match(await metrics.text(), /^x_seconds 4$/m);
    value = undefined;
    assert.doesNotMatch(await metrics.text(), /^x_seconds \d/m);
  });
  it('keeps instances apart', async () => {
    createMetrics().countChallenge('answered', 1);
    assert.doesNotMatch(await createMetrics().text(), /outcome="answered"\} 1/);
  });
});
