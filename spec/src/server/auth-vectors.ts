/** docs/protocol.md §6: what a caller of August 2025 signed, with keys from known seeds. */
export const vectors = {
  validatorSeed: new Uint8Array(32).fill(0x11),
  validatorPublicKey: '50780547322a1ceba67ea8c552c9bc6c686f8698ac9a8cafab7cd15a1db19859',
  validator: '5DtDLm5rQHShDqojQpsvcN8tRXHVFaecfDoRet1SU6BFD9Fi',
  minerSeed: new Uint8Array(32).fill(0x22),
  minerPublicKey: 'a63d1427fd44c2e8876a2d724abc93fee5cff849ca7cdc4a906e381a189c8c04',
  miner: '5Fpfx4iDtrrY99VGkQnLXASytC2y9Z3o8KUyTtD4w7o5SZcA',
  nonce: '1755187091123456789_Ab3dE5gH7j',
  /** The moment at which that nonce is fresh, ms. */
  nowMs: 1_755_187_091_123,
  bodyA:
    '{"challenge_id": "test-0001", "type": "gsr", "video_url": "https://example.com/clips/v\\u00eddeo.mp4", "created_at": "2025-08-14T15:58:11.123456+00:00"}',
  sha256A: '3b205d690842bc5823520b0ff533faffc10492be3672f1dbba59ccbaeb7bd56c',
  signatureA:
    '0xfebf7b66afb8eb844cf7f9f433157e7f87393ce5da9bc5143d1aa49222ffa64a764a485c5f5f143fd1f3983c10baac9a621927813c7aff1198f38f7c7d2bd08a',
  bodyB:
    '{"challenge_id":"test-0001","type":"gsr","video_url":"https://example.com/clips/vídeo.mp4","created_at":"2025-08-14T15:58:11.123456+00:00"}',
  sha256B: '48d6101bda6fe27f796a0ddc9b01ca3a09571113ce1a5cf822425528bfda478b',
  signatureB:
    '0xee7f884ba50832f06b1bb5af1406179008274a376b213d0222055d18a2988b1f19f51df54da36697a0de642cc1a4802e074ac4803fca84050908964b7fe4248c',
  signatureD:
    '0x9eaf63aa4003b8e0a5bc8640da4e0080bb486db9306f3cadad88a9f0a9629d35c2909114571fb05570279e26cc731d4dc9fb83ea48f3fa208e396d739787bb82',
} as const;
