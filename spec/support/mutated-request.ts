import { createRandom } from '../../src/tools/demo/random.js';

/** A request before it is written down; texts hold one letter per byte. */
export interface Draft {
  method: string;
  target: string;
  headers: [name: string, value: string][];
  body: string;
}

/** What became of a draft: made wrong in some way, or left right. */
export interface MutatedRequest {
  /** Mutations in the order of their use. */
  readonly kinds: readonly string[];
  /** As sent, one letter per byte. */
  readonly bytes: string;
  /** Ends of the writes to the socket; the last one is that of the bytes. */
  readonly cuts: readonly number[];
  /** How the caller leaves. */
  readonly leave: 'waits' | 'ends' | 'resets';
}

export interface MutatorOptions {
  readonly seed: number;
  /** A valid signed challenge with this body, whatever it is. */
  readonly challenge: (body: string) => Draft;
  /** Wall clock, ns since 1970. */
  readonly nowNs: () => bigint;
}

const routes = ['/livez', '/readyz', '/availability', '/openapi.json', '/metrics', '/', '/soccer/challenge'];
const targets =
  'http://[ http://[::1 http://a:b:c/ http://x/livez https://%zz/ http://\\/ //[ //\\ * ? /% /%00 /livez?[=] /livez#[ javascript:0 file:///etc/passwd' +
  ' /../..// /soccer/challenge/ /SOCCER/CHALLENGE /.%2e/ a.example:443';
const methods = 'CONNECT OPTIONS TRACE HEAD PUT PATCH PRI get M-SEARCH PURGE POST,GET';
const numbers = '1e999999 -0 1E400 -1e-400 0.1e1 18446744073709551616 01 +1 NaN Infinity 0x10 null true undefined';
const lengths = '-1 0 9007199254740993 1e21 70000 x 0x5 +5 5,5 007';
const codings = 'chunked gzip,chunked chunked,gzip identity CHUNKED x';

/** Makes mutated requests without end, the same ones for the same seed and clock. */
export function createMutator({ seed, challenge, nowNs }: MutatorOptions): () => MutatedRequest {
  const { below, pick, next } = createRandom(seed);
  const chance = (share: number) => next() < share;
  /** One of several texts; the others are not made. */
  const any = (...texts: readonly (() => string)[]) => pick(texts)();
  const word = (words: string) => pick(words.split(' '));
  const noise = (length: number, from = 0, to = 256) =>
    Buffer.from(Array.from({ length }, () => from + below(to - from))).toString('latin1');
  const letters = (length: number) => noise(length, 97, 123);

  const value = (depth: number): string =>
    any(
      () => `"${noise(below(40), 35, 91)}"`,
      () => '"\\ud800\\u0000\\n\\"\\\\"',
      () => word(numbers),
      () => `${'9'.repeat(1 + below(30_000))}.${'9'.repeat(1 + below(10_000))}`,
      () => pick(['', '\xff\xfe', '\xef\xbb\xbf{}', '"\0"', '"\x1f"']),
      () => pick(['[', '{"a":', '[[],']).repeat(1 + below(12_000)),
      () => '['.repeat(8_000) + ']'.repeat(8_000),
      () => (depth > 4 ? '{}' : `{${member(depth + 1)},${member(depth + 1)}}`),
      () => (depth > 4 ? '[]' : `[${value(depth + 1)},${value(depth + 1)}]`),
    );
  const member = (depth: number) =>
    any(
      () => `"video_url":"https://cdn.example/${below(1e6)}.mp4"`,
      () => `"challenge_id":"${letters(below(300))}"`,
      () => `"video_url":${value(depth)}`,
      () => `"challenge_id":${value(depth)}`,
      () => `"${pick(['__proto__', 'constructor', 'toString', 'type', 'created_at', '\\u0000', ''])}":${value(depth)}`,
    );
  const right = (): Draft =>
    chance(0.35)
      ? { method: 'GET', target: pick(routes), headers: [['Host', 'x']], body: '' }
      : challenge(`{"challenge_id": "m-${below(1e6)}", "video_url": "https://cdn.example/${below(40)}.mp4"}`);
  const set = ({ headers }: Draft, name: string, text: string) => {
    const found = headers.find((each) => each[0] === name);
    if (found) found[1] = text;
    else headers.push([name, text]);
  };
  const oddHeaders: readonly (() => [string, string])[] = [
    () => ['Expect', pick(['100-continue', '100-continue, x', 'coffee'])],
    () => ['Connection', pick(['close', 'keep-alive, upgrade', 'Upgrade', 'content-length', '\t'])],
    () => ['Upgrade', pick(['websocket', 'h2c', ''])],
    () => [
      'Host',
      any(
        String,
        () => 'x, y',
        () => '2130706433',
        () => '[',
        () => noise(20),
      ),
    ],
    () => [
      'Accept',
      any(
        () => 'application/x-ndjson',
        () => 'text/event-stream',
        () => '*/*;q=x',
        () => ','.repeat(3_000),
      ),
    ],
    () => [
      'Accept-Encoding',
      any(
        () => 'gzip',
        () => 'identity;q=0',
        () => '*;q=0',
        () => 'gzip,'.repeat(2_000),
      ),
    ],
    () => [
      'Content-Type',
      any(
        () => 'multipart/form-data',
        () => noise(30),
      ),
    ],
    () => ['Content-Encoding', 'gzip'],
    () => ['Cookie', letters(below(20_000))],
    () => [noise(1 + below(20)), noise(below(60))],
    () => ['__proto__', 'x'],
    () => ['', 'x'],
  ];
  const chunkedBody = (body: string) => {
    const size = body.length.toString(16);
    return any(
      () => `${size}\r\n${body}\r\n0\r\n\r\n`,
      () => `${body.replace(/./gs, '1\r\n$&\r\n')}0\r\n\r\n`,
      () => `${size};${letters(below(20_000))}\r\n${body}\r\n0\r\n\r\n`,
      () => `${size}\r\n${body}\r\n0\r\n${'T: x\r\n'.repeat(below(4_000))}\r\n`,
      () => `${size}\r\n${body}\r\n`,
      () => `${pick(['ffffffffffffffff', '-1', 'zz', '', '0x1'])}\r\n${body}`,
      () => body,
    );
  };

  const mutations: Readonly<Record<string, (draft: Draft) => void>> = {
    target: (draft) => {
      const path = () => `/${'a/'.repeat(below(9_000))}`;
      draft.target = any(
        () => word(targets),
        () => word(targets),
        () => noise(below(60), 33, 127),
        () => `/${noise(60)}`,
        path,
      );
    },
    method: (draft) => {
      draft.method = any(
        () => word(methods),
        () => word(methods),
        () => noise(1 + below(9), 65, 91),
        () => noise(4),
        String,
      );
    },
    header: (draft) => {
      const odd = pick(oddHeaders)();
      if (chance(0.5)) set(draft, ...odd);
      else draft.headers.push(odd);
    },
    manyHeaders: ({ headers }) => {
      for (let more = below(2_500); more > 0; more--) headers.push([chance(0.5) ? 'A' : `A${more}`, 'b']);
    },
    lostHeader: ({ headers }) => {
      headers.splice(below(headers.length + 1), 1);
    },
    twiceTheHeader: ({ headers }) => {
      const twin = headers[below(headers.length)];
      if (twin) headers.push([twin[0], chance(0.5) ? twin[1] : noise(8, 48, 58)]);
    },
    length: (draft) =>
      set(
        draft,
        'Content-Length',
        any(
          () => word(lengths),
          () => String(draft.body.length + below(5) - 2),
        ),
      ),
    chunked: (draft) => {
      draft.headers = draft.headers.filter(([name]) => name !== 'Content-Length' || chance(0.1));
      draft.headers.push([
        'Transfer-Encoding',
        any(
          () => 'chunked',
          () => word(codings),
        ),
      ]);
      draft.body = chunkedBody(draft.body);
    },
    nonce: (draft) => {
      const now = nowNs();
      const stamp = pick([now, now, now, now + 10n ** 12n, now - 10n ** 12n, -1n, 10n ** 20n, 10n ** 5_000n]);
      set(
        draft,
        'nonce',
        any(
          () => `${stamp}`,
          () => `${stamp}_`,
          () => `${stamp}_${noise(below(80), 33, 127)}`,
          () => noise(10),
          String,
        ),
      );
    },
    signature: (draft) => {
      const digits = () => noise(pick([0, 2, 127, 128, 129, 5_000]), 48, 58);
      set(
        draft,
        'signature',
        any(
          () => `0x${digits()}`,
          digits,
          () => `0x${'ff'.repeat(64)}`,
          () => noise(130),
        ),
      );
    },
    hotkey: (draft) => {
      const text = any(
        String,
        () => '__proto__',
        () => noise(48),
        () => noise(48, 65, 91),
        () => '5'.repeat(4_000),
      );
      set(draft, pick(['validator-hotkey', 'miner-hotkey']), text);
    },
    body: (draft) => {
      const text = chance(0.2) ? value(0) : `{${Array.from({ length: 1 + below(5) }, () => member(1)).join(',')}}`;
      if (chance(0.7)) Object.assign(draft, challenge(text));
      else draft.body = text;
    },
    hugeBody: (draft) => {
      Object.assign(draft, challenge(`{"video_url": "x", "more": [${'"\\u00e9", '.repeat(below(9_000))}1]}`));
    },
  };
  const names = Object.keys(mutations);

  const written = ({ method, target, headers, body }: Draft): string => {
    const eol = chance(0.01) ? '\n' : '\r\n';
    const version = chance(0.02) ? word('1.0 0.9 2.0 1.9 11') : '1.1';
    const lines = headers.map(([name, text]) => `${name}${chance(0.005) ? ' :' : ': '}${text}${eol}`);
    return `${method} ${target} HTTP/${version}${eol}${lines.join('')}${eol}${body}`;
  };

  return () => {
    const kinds: string[] = [];
    const one = () => {
      const draft = right();
      for (let times = below(3); times > 0; times--) {
        const name = pick(names);
        mutations[name]?.(draft);
        kinds.push(name);
      }
      return written(draft);
    };
    let bytes = one();
    const change = (name: string, share: number, changed: () => string) => {
      if (!chance(share)) return;
      bytes = changed();
      kinds.push(name);
    };
    change('pipelined', 0.15, () =>
      [bytes, ...Array.from({ length: 1 + below(12) }, one)].join(chance(0.2) ? noise(6) : ''),
    );
    change('scrambled', 0.12, () => {
      const at = below(bytes.length);
      return (
        bytes.slice(0, at) +
        any(
          () => noise(1 + below(4)),
          String,
          () => '\r\n',
          () => '\0',
        ) +
        bytes.slice(at + below(4))
      );
    });
    change('cutShort', 0.08, () => bytes.slice(0, below(bytes.length)));
    change('garbage', 0.03, () => noise(below(3_000)));
    const cuts = chance(0.2) ? Array.from({ length: below(5) }, () => below(bytes.length)) : [];
    const leave = chance(0.7) ? 'waits' : pick(['ends', 'resets'] as const);
    return { kinds, bytes, cuts: [...cuts, bytes.length].sort((a, b) => a - b), leave };
  };
}
