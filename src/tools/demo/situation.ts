/** The CDN of docs/measurements.md "The situation": 60 ms round trip, 5 MB/s, 2.4 s until the first byte of a new connection. */
export const CDN = { rttMs: 60, bytesPerSecond: 5e6, setUpMs: 2220 } as const;

/** The clip of docs/measurements.md "The situation": 750 frames of 1080p. */
export const DEMO_CLIP = {
  seed: 7,
  seconds: 30,
  width: 1920,
  height: 1080,
  fps: 25,
  gop: 25,
  bFrames: 2,
  moov: 'start',
} as const;
