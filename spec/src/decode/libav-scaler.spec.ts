import assert from 'node:assert/strict';
import { type AvFrame, loadLibav } from '../../../src/decode/libav.js';
import { createFrameScaler } from '../../../src/decode/libav-scaler.js';

describe('createFrameScaler', () => {
  it('gives every pixel a colour of its own where the picture has one for it', async () => {
    const lib = await loadLibav();
    const [width, height] = [16, 8];
    const half = (width / 2) * (height / 2);
    const stripes = Buffer.from(Array.from({ length: half }, (_, i) => (i % 2 === 0 ? 60 : 196)));
    const frame = {
      width,
      height,
      format: lib.constants.AV_PIX_FMT_YUV420P,
      colorRange: lib.constants.AVCOL_RANGE_MPEG,
      data: [Buffer.alloc(width * height, 128), stripes, Buffer.alloc(half, 128)],
      linesize: [width, width / 2, width / 2],
    } as unknown as AvFrame;
    const input = { width: 8, height: 4, fit: 'stretch', filter: 'area' } as const;
    const pixels = new Uint8Array(8 * 4 * 3 + 4096);
    const scaler = createFrameScaler(lib);
    await scaler.scale(frame, { width, height }, input, pixels);
    scaler.close();
    const blue = Array.from({ length: 8 }, (_, x) => pixels[x * 3 + 2] ?? 0);
    for (let x = 0; x < 8; x += 2) assert.ok((blue[x + 1] ?? 0) - (blue[x] ?? 0) > 100, `${blue}`);
  });
});
