/** Which of the machine's programs stands in for Electron's binary (docs/ARCHITECTURE.md, The screen). */
import { existsSync } from 'node:fs'

const wholeBrowser = '/usr/bin/chromium'
/**
 * Debian's chromium-headless-shell: a page with no browser around it, as Electron has it, and with no window. The program
 * itself: the script of that name in /usr/bin stays beside it, and a signal would end the script alone.
 */
const pageAlone = '/usr/lib/chromium/chromium-headless-shell'

export const hasDisplay = (): boolean =>
  process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY)

export const chromiumProgram = ({ headless }: { headless: boolean }): string =>
  process.env.FARTHING_CHROMIUM ?? (headless && existsSync(pageAlone) ? pageAlone : wholeBrowser)
