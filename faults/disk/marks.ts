/**
 * Marks: lines that a process under test writes into its own folder, so that they stand in one order with its file calls:
 * a step to be killed at, and proof of how far it had come.
 */
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import path from 'node:path'

export const marksFile = 'marks'

export type Mark = (text: string) => void

export const openMarks = (folder: string): Mark => {
  const handle = openSync(path.join(folder, marksFile), 'a')
  return (text) => {
    writeSync(handle, `${text}\n`)
  }
}

export const readMarks = (folder: string): readonly string[] => {
  const file = path.join(folder, marksFile)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
}
