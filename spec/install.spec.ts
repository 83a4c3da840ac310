import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (name: string) => JSON.parse(readFileSync(`${root}${name}`, 'utf8'));

describe('npm ci from nothing', () => {
  it('runs no install script of onnxruntime-node, which would fetch CUDA from outside the registry and fail without it', () => {
    // npm 10 knows no `allowScripts`; both run the scripts of what the lock file says has some. npm writes the line again with a new
    // version of the package: take it out again.
    const { hasInstallScript } = read('package-lock.json').packages['node_modules/onnxruntime-node'];
    assert.equal(hasInstallScript, undefined, 'delete "hasInstallScript" of onnxruntime-node from package-lock.json');
    assert.equal(read('package.json').allowScripts['onnxruntime-node'], false);
  });

  it('says nothing of our .npmrc', function () {
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^npm_/i.test(key)));
    if (spawnSync('npm', ['--version'], { env }).status !== 0) this.skip();
    const options = { cwd: root, env: { ...env, npm_config_userconfig: '/dev/null' }, encoding: 'utf8' } as const;
    assert.equal(execFileSync('npm', ['prefix'], options).trim(), root.replace(/\/$/, ''));
    assert.equal(spawnSync('npm', ['prefix'], options).stderr, '');
  });
});
