import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('server: process files', () => {
  it('PM2: the same program and settings from any folder', () => {
    const script = `console.log(JSON.stringify(require(${JSON.stringify(join(root, 'ecosystem.config.cjs'))})))`;
    const load = (cwd: string) =>
      JSON.parse(
        execFileSync(process.execPath, ['-e', script], { cwd, encoding: 'utf8', env: { ENV_FILE: '/etc/t.env' } }),
      );
    const config = load(tmpdir());
    assert.deepEqual(config, load(root));
    const [app] = config.apps;
    assert.equal(app.script, join(root, bin.tikitaka));
    assert.ok(isAbsolute(app.cwd) && isAbsolute(app.interpreter));
    assert.equal(app.env.ENV_FILE, '/etc/t.env');
    assert.ok(app.kill_timeout > 10_000, 'longer than the server lets challenges finish');
    assert.ok(app.stop_exit_codes.includes(2), 'a start that would fail again is not repeated');
    for (const delay of ['restart_delay', 'exp_backoff_restart_delay']) {
      assert.equal(app[delay], undefined, 'PM2 would tell "waiting restart" of what it does not restart');
    }
  });

  for (const name of ['Dockerfile', 'Dockerfile.cuda']) {
    it(`${name}: copies what exists and runs what package.json names`, () => {
      const text = readFileSync(join(root, 'deploy', name), 'utf8');
      const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(
        ([, sources]) => sources?.split(' ') ?? [],
      );
      assert.ok(copied.includes('package-lock.json'));
      for (const path of copied) assert.ok(existsSync(join(root, path)), path);
      assert.ok(text.includes(`ENTRYPOINT ["node", "/app/${bin.tikitaka}"]`));
      assert.match(text, /^USER node$/m);
      assert.match(text, /docker run .*--restart on-failure:\d/, 'not for ever: Docker knows no exit codes');
      // The status page is published to this host alone, whoever says `docker run -P`.
      assert.ok(text.includes(' -p 127.0.0.1:7998:7998 '));
      assert.deepEqual(text.match(/^EXPOSE .*/gm), ['EXPOSE 7999']);
    });
  }

  it('systemd: absolute paths only, and valid where systemd can be asked', function () {
    const path = join(root, 'deploy', 'tikitaka.service');
    const unit = readFileSync(path, 'utf8');
    assert.ok(unit.includes(`/opt/tikitaka/${bin.tikitaka} serve`));
    for (const [, key, value] of unit.matchAll(/^(ExecStart|ExecReload|WorkingDirectory)=(\S+)/gm)) {
      assert.ok(isAbsolute(value ?? ''), key);
    }
    assert.match(unit, /^RestartPreventExitStatus=2$/m);
    if (spawnSync('systemd-analyze', ['--version']).status !== 0) this.skip();
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
    const faults = stderr.split('\n').filter((line) => /tikitaka\.service:\d+|Unknown|Failed to parse/.test(line));
    assert.deepEqual(faults, []);
  });
});
