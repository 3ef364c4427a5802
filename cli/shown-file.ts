/** A picture, preview or logo from the disk of whoever calls. */
import { readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { shownLimits } from '../protocol/bulletin.ts'
import { CliError, exitStatus } from './output.ts'

/** @throws CliError: it cannot be read, or is larger than anything that a kiosk shows */
export const readShown = async (file: string): Promise<{ name: string; bytes: Uint8Array }> => {
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) throw new CliError(exitStatus.usage, `The file ${file} cannot be read: check its path.`)
  const { bytesMax } = shownLimits.preview
  if (found.size > bytesMax)
    throw new CliError(exitStatus.usage, `The file ${file} is too large: kiosks show up to ${bytesMax / 2 ** 20} MiB.`)
  return { name: path.basename(file), bytes: await readFile(file) }
}
