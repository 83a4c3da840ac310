// PM2: `pm2 start ecosystem.config.cjs`, from any folder. Settings: the `.env` beside this file, or the file that ENV_FILE names.
const { join } = require('node:path');

module.exports = {
  apps: [
    {
      name: 'tikitaka',
      script: join(__dirname, 'dist/src/main.js'),
      args: 'serve',
      cwd: __dirname,
      interpreter: process.execPath,
      exec_mode: 'fork',
      instances: 1,
      env: process.env.ENV_FILE ? { ENV_FILE: process.env.ENV_FILE } : {},
      // Only the server gets the signal: it lets a challenge finish (10 s) and ends its model processes itself.
      treekill: false,
      kill_timeout: 20_000,
      // Settings, wallet, models or a port with which it cannot run end it with 2: starting again would not help. No `restart_delay` and
      // no `exp_backoff_restart_delay` beside it: with them PM2 6 says "waiting restart" of a program that it will not restart.
      stop_exit_codes: [0, 2],
      time: false,
    },
  ],
};
