/**
 * What processes of this program may know of its environment: where programs, libraries, devices and folders are, and how
 * text is written. Everything else (a wallet's password first of all) stays here. Names, or beginnings that end in `*`.
 */
const passedOn = [
  ...['PATH', 'HOME', 'USER', 'TMPDIR', 'TMP', 'TEMP', 'LANG', 'LC_*', 'TZ', 'XDG_*', 'UV_THREADPOOL_SIZE', 'MALLOC_*'],
  ...['LD_LIBRARY_PATH', 'LD_PRELOAD', 'DYLD_*', 'CUDA_*', 'CUDNN_*', 'NVIDIA_*', 'TENSORRT_*', 'ORT_*', 'OMP_*'],
  ...['VK_*', 'MESA_*', 'LIBVA_*'],
  // Windows starts nothing without some of these.
  ...['SYSTEMROOT', 'SYSTEMDRIVE', 'WINDIR', 'COMSPEC', 'PATHEXT', 'PROGRAMFILES*', 'PROGRAMDATA', 'USERPROFILE'],
  ...['APPDATA', 'LOCALAPPDATA', 'NUMBER_OF_PROCESSORS', 'PROCESSOR_ARCHITECTURE'],
];

/** One word of `NODE_OPTIONS`, which may hold quoted spaces. */
const words = /(?:[^\s"]|"(?:\\.|[^"])*")+/g;
/** A child would fight for the debugger's port, or write profiles beside ours. */
const ownFlags = /^--(?:inspect|prof|cpu-prof|heap-prof|watch)/;

/** The Node flags that a child may share. */
export function childFlags(flags: readonly string[] = process.execArgv): string[] {
  return flags.filter((flag) => !ownFlags.test(flag));
}

/**
 * The environment of a child process. ONNX Runtime (1.29 on) else sends what it runs to Microsoft and leaves files in the temp
 * folder; `ORT_DISABLE_TELEMETRY` is read before anything else of it.
 * @param more further names that this child needs, as above
 */
export function childEnvironment(
  more: readonly string[] = [],
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const names = [...passedOn, ...more];
  const isPassedOn = (name: string) =>
    names.some((known) => (known.endsWith('*') ? name.startsWith(known.slice(0, -1)) : name === known));
  // Windows knows one name in any case.
  const kept = Object.entries(environment).filter(([name]) =>
    isPassedOn(process.platform === 'win32' ? name.toUpperCase() : name),
  );
  const options = childFlags(environment.NODE_OPTIONS?.match(words) ?? []).join(' ');
  return { ...Object.fromEntries(kept), ...(options ? { NODE_OPTIONS: options } : {}), ORT_DISABLE_TELEMETRY: '1' };
}
