import { SingleBar } from 'cli-progress';
import type { BenchProgress, Cell } from '../tools/bench/index.js';

/** What a bench shows of itself while it runs. */
export interface Progress {
  say(text: string): void;
  show(progress: BenchProgress): void;
  cell(cell: Cell): void;
  end(): void;
}

/** A bar with the time left on a terminal, else a line for each cell; on stderr. */
export function createProgress(isQuiet: boolean): Progress {
  const say = (text: string) => void (isQuiet || process.stderr.write(`${text}\n`));
  if (isQuiet || !process.stderr.isTTY) {
    return { say, show: () => undefined, cell: (cell) => say(lineOf(cell)), end: () => undefined };
  }
  const bar = new SingleBar({ format: '{bar} {percentage} % · {left} left · {doing}', clearOnComplete: true });
  let latest: BenchProgress | undefined;
  let shownAtMs = 0;
  const draw = () => {
    if (!latest) return;
    const sinceS = (performance.now() - shownAtMs) / 1000;
    const leftS = Math.max(1, latest.leftS - sinceS);
    const doneS = latest.doneS + sinceS;
    bar.setTotal(Math.round(doneS + leftS));
    bar.update(Math.round(doneS), { left: clock(leftS), doing: latest.doing });
  };
  const timer = setInterval(draw, 500);
  timer.unref();
  return {
    say,
    show(progress) {
      if (!latest) bar.start(1, 0, { left: '', doing: '' });
      latest = progress;
      shownAtMs = performance.now();
      draw();
    },
    cell: () => undefined,
    end() {
      clearInterval(timer);
      bar.stop();
    },
  };
}

const clock = (seconds: number): string =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

function lineOf({ setting, fps, timeS, quality }: Cell): string {
  const { widthPx, batch, stride, budgetS, pitch } = setting;
  const worth = quality ? `, score ${quality.score.toFixed(3)}` : '';
  return `${widthPx} px, batch ${batch}, stride ${stride}, budget ${budgetS} s${pitch ? '' : ', no pitch'}: ${timeS.toFixed(2)} s, ${fps.toFixed(1)} FPS${worth}`;
}
