import { expect, test } from 'vitest'
import { removableMounts } from './drives.ts'

const mounts = [
  '/dev/nvme0n1p2 / ext4 rw 0 0',
  '/dev/sda1 /srv ext4 rw 0 0',
  '/dev/sdb1 /media/kiosk/MY\\040STICK vfat rw 0 0',
  '/dev/sdc1 /mnt/stick exfat rw 0 0',
  '/dev/mmcblk0p1 /mnt/card vfat rw 0 0',
  'tmpfs /run tmpfs rw 0 0',
  'proc /media/none proc rw 0 0',
  '',
].join('\n')

test('sticks are what is mounted for a user, or what the kernel calls removable, under their real names', () => {
  const asked: string[] = []
  const found = removableMounts(mounts, (disk) => {
    asked.push(disk)
    return ['sdc', 'mmcblk0'].includes(disk)
  })
  expect(found).toEqual(['/media/kiosk/MY STICK', '/mnt/stick', '/mnt/card'])
  expect(asked).toEqual(['sda', 'sdc', 'mmcblk0'])
})
