import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { configKeys } from '../src/app/config.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sources = ['operators', 'models', 'src'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);
const imports = sources.flatMap((file) =>
  ts.preProcessFile(readFileSync(join(root, file), 'utf8')).importedFiles.map(({ fileName }) => ({
    file,
    target: fileName.startsWith('.') ? normalize(join(dirname(file), fileName)) : fileName,
  })),
);
/** From the bottom up; a file imports from its own layer and those below. */
const layers = [
  ['operators'],
  ['models'],
  ['src/limits', 'src/net', 'src/container', 'src/decode', 'src/plan', 'src/challenge', 'src/chain', 'src/server'],
  ['src/questions', 'src/annotate'],
  ['src/app', 'src/tools', 'src/cli', 'src/index.ts', 'src/index.js', 'src/main.ts'],
];
const layer = (path: string) =>
  layers.findIndex((rooms) => rooms.some((name) => path === name || path.startsWith(`${name}/`)));
/** A folder whose files others reach through its index; each question is one. */
const room = (path: string) => {
  const parts = path.split('/');
  return parts.slice(0, parts[0] !== 'src' ? 1 : parts[1] === 'questions' ? 3 : 2).join('/');
};
const isLocal = ({ file, target }: { file: string; target: string }) =>
  layer(target) >= 0 && !relative(root, join(root, file)).startsWith('..');

describe('architecture', () => {
  it('never imports upward', () => {
    assert.deepEqual(
      imports.filter((i) => isLocal(i) && layer(i.target) > layer(i.file)),
      [],
    );
  });

  it('lets operators import rxjs and nothing else', () => {
    const others = imports.filter(({ file, target }) => file.startsWith('operators/') && layer(target) < 0);
    assert.deepEqual(
      others.filter(({ target }) => target !== 'rxjs' && target !== 'rxjs/operators'),
      [],
    );
  });

  it('crosses a layer or a room only through its index', () => {
    const crossings = imports.filter(
      (i) => isLocal(i) && room(i.file) !== room(i.target) && room(i.target) !== i.target,
    );
    const around = crossings.filter(({ target }) => target.split('/').length > (target.startsWith('src/') ? 2 : 1));
    assert.deepEqual(
      around.filter((i) => !i.target.endsWith('/index.js') && !isComposition(i.file)),
      [],
    );
  });

  it('gives every child process and thread an environment of its own', () => {
    const starts = sources.flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      // To the end of the call; `options` is where a call has two forms.
      return [
        ...text.matchAll(
          /(?<!class |function )\b(?:fork|spawn|execFile|promisify\(execFile\)|new Worker)\((?!options)[^;]*/g,
        ),
      ].map(([call]) => ({ file, call }));
    });
    assert.deepEqual(
      starts.filter(({ call }) => !/childEnvironment\(|\.\.\.options|, options\)/.test(call)),
      [],
    );
  });

  it('keeps net, decode, server and chain apart: only the composition joins them', () => {
    const apart = ['src/net', 'src/decode', 'src/server', 'src/chain'];
    const joined = imports.filter(
      ({ file, target }) =>
        apart.includes(room(file) ?? '') && apart.includes(room(target) ?? '') && room(file) !== room(target),
    );
    assert.deepEqual(joined, []);
  });

  it('has one gateway to each native or chain library', () => {
    for (const library of ['onnxruntime-node', 'undici', 'fluent-ffmpeg', '@polkadot/wasm-crypto', '@polkadot/api']) {
      const gateways = new Set(imports.filter(({ target }) => target === library).map(({ file }) => file));
      assert.ok(gateways.size <= 1, `${library} is imported by ${[...gateways].join(', ')}`);
    }
  });

  it('imports neither rxjs internals nor specs', () => {
    assert.deepEqual(
      imports.filter(({ target }) => target.startsWith('rxjs/internal') || target.startsWith('spec/')),
      [],
    );
  });

  it('cites only sections that the repository holds', () => {
    const cited = ['operators', 'models', 'src', 'spec', 'bench', 'examples'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(ts|py|md)$/.test(name) && name !== 'architecture.spec.ts')
        .map((name) => join(folder, name)),
    );
    const wrong = cited.flatMap((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      const strangers =
        text.match(/\b(PROTOCOL §|LAB\.md|FEATURES\b|DESIGN\b|STYLE\.md|reference\/models\/README)/g) ?? [];
      const missing = [...text.matchAll(/docs\/(\w+\.md)(?: §(\d)| "([^"\n]+)")?/g)].flatMap(
        ([all, page = '', section, heading]) => {
          const place = join(root, 'docs', page);
          const content = existsSync(place) ? readFileSync(place, 'utf8') : '';
          const found = section
            ? content.includes(`## ${section}. `)
            : content.includes(heading ? `## ${heading}` : '# ');
          return found ? [] : [all];
        },
      );
      return [...strangers, ...missing].map((citation) => `${file}: ${citation}`);
    });
    assert.deepEqual(wrong, []);
  });

  it('spreads nothing over the arguments of a call where a clip decides how much there is', () => {
    // 125,000 of them end in a RangeError; that many frames are a few bytes of an index.
    const rooms = ['container', 'decode', 'plan', 'net', 'limits', 'challenge', 'questions', 'app', 'server'];
    const reached = sources.filter((file) => file.startsWith('operators/') || rooms.includes(file.split('/')[1] ?? ''));
    assert.ok(reached.length > 100);
    const spread: string[] = [];
    for (const file of reached) {
      const tree = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true);
      const visit = (node: ts.Node): void => {
        if (
          ts.isCallExpression(node) &&
          node.arguments.some(ts.isSpreadElement) &&
          /(Math\.(max|min)|\.(push|unshift|splice)|fromCharCode)$/.test(node.expression.getText())
        )
          spread.push(`${file}: ${node.getText()}`);
        ts.forEachChild(node, visit);
      };
      visit(tree);
    }
    assert.deepEqual(spread, []);
  });

  it('documents every variable of the configuration in .env.example, and no other', () => {
    const documented = [...readFileSync(join(root, '.env.example'), 'utf8').matchAll(/^([A-Z0-9_]+)=/gm)].map(
      (m) => m[1],
    );
    assert.deepEqual([...documented].sort(), [...configKeys].sort());
  });
});

/** Composition and command line join the rooms; they may reach into a file of a room that has no public name. */
function isComposition(file: string): boolean {
  return layer(file) === layers.length - 1;
}
