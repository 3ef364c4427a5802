/**
 * What Chromium is given of the environment: what it finds display, sound, fonts, folders and language by. Goods of any origin
 * are shown in it, so the rest, passwords and tokens among it, stays here.
 */
const names: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'TMPDIR',
  'TZ',
  'LANG',
  'LANGUAGE',
  'LD_LIBRARY_PATH',
  'DISPLAY',
  'XAUTHORITY',
  'WAYLAND_DISPLAY',
  'DESKTOP_SESSION',
  'DBUS_SESSION_BUS_ADDRESS',
  'CHROME_DEVEL_SANDBOX',
])
const families = /^(ALSA|FONTCONFIG|GDK|GTK|LC|LIBGL|LIBVA|MESA|PIPEWIRE|PULSE|XCURSOR|XDG)_/

export const chromiumEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => names.has(name) || families.test(name)))
