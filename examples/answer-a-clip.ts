/**
 * The pipeline as a library: one clip, findings as they come, the whole-clip answer at the end of the budget. Offline: the
 * clip is rendered first. Run with `npx tsx examples/answer-a-clip.ts [FILE]`.
 */

import { lastValueFrom, tap } from 'rxjs';
import { createEngine, createLogger, generateClip, loadConfig } from 'tikitaka';

const config = loadConfig({ overrides: { TIME_BUDGET_S: '2', LOG_LEVEL: 'warn' } });
const target = process.argv[2] ?? (await generateClip({ seed: 1, seconds: 2, width: 640, height: 360 })).path;
const engine = await createEngine({ config, log: createLogger(config), allowPrivate: true });
try {
  const last = await lastValueFrom(
    engine.answer({ target }).pipe(
      tap((event) => {
        if (event.type === 'findings' && event.first) console.log(`first touch: frame ${event.findings[0]?.index}`);
      }),
    ),
  );
  if (last.type === 'answer') {
    const { frames, stoppedBy, totalMs } = last.answer.report;
    console.log(
      `${frames.answered}/${frames.total} frames in ${totalMs.toFixed(0)} ms, ${frames.measured} measured, stopped by ${stoppedBy}`,
    );
  }
} finally {
  await engine.close();
}
