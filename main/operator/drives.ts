/**
 * Drives that can be taken away, as they are mounted now: where operator mode writes a stick and reads one. On Linux what
 * /proc/mounts has under /media or /run/media, and every device that /sys calls removable; on Windows the letters from D on.
 */
import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Drive } from '../../preload/operator-contract.ts'

const drivesMax = 20
const userMounts = /^\/(?:run\/)?media\//
/** What the kernel shows as folders and no one carries away. */
const realDevice = /^\/dev\/([a-z]+|mmcblk\d+p?|nvme\d+n\d+p?|sr)\d*$/

/** /proc/mounts writes a blank as \040. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_whole, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

const diskOf = (device: string): string => path.basename(device).replace(/(?<=^(?:sd|vd|hd)[a-z]+)\d+$|p\d+$/, '')

/** The mount points of what can be taken away. @param mounts as /proc/mounts has them */
export const removableMounts = (mounts: string, isRemovable: (disk: string) => boolean): string[] =>
  mounts.split('\n').flatMap((line) => {
    const [device = '', at = ''] = line.split(' ')
    const folder = unescaped(at)
    if (!realDevice.test(device) || folder === '/') return []
    return userMounts.test(folder) || isRemovable(diskOf(device)) ? [folder] : []
  })

const isRemovableDisk = (disk: string): boolean => {
  try {
    return readFileSync(`/sys/block/${disk}/removable`, 'utf8').trim() === '1'
  } catch {
    return false
  }
}

const linuxDrives = (): string[] => {
  try {
    return removableMounts(readFileSync('/proc/mounts', 'utf8'), isRemovableDisk)
  } catch {
    return []
  }
}

const isFolder = (folder: string): boolean => {
  try {
    accessSync(folder, constants.R_OK)
    return statSync(folder).isDirectory()
  } catch {
    return false
  }
}

/** A drive of Windows that has the system on it is none that is carried. */
const windowsDrives = (): string[] =>
  [...'DEFGHIJKLMNOPQRSTUVWXYZ']
    .map((letter) => `${letter}:\\`)
    .filter((root) => {
      try {
        return isFolder(root) && !readdirSync(root).includes('Windows')
      } catch {
        return false
      }
    })

/** @param configured the folder of kiosk.json, which comes first */
export const findDrives = (configured?: string): Drive[] => {
  const found = process.platform === 'win32' ? windowsDrives() : linuxDrives()
  return [...(configured === undefined ? [] : [configured]), ...found]
    .filter((folder, place, all) => all.indexOf(folder) === place && isFolder(folder))
    .slice(0, drivesMax)
    .map((folder) => ({ path: folder, name: path.basename(folder) || folder }))
}
