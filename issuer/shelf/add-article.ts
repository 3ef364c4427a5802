/** An article with how it is shown, as people add it: its preview is made of its goods where none is given. */

import { isSoldByUnit } from '../../protocol/item.ts'
import { type AddedItem, addItem, type NewItem, readGoods } from '../catalogue.ts'
import type { Issuer } from '../issuer.ts'
import type { Who } from '../who.ts'
import { previewApart } from './preview-apart.ts'
import { type DisplayChange, requirePrintable, setDisplay, setMadePreview } from './shelf.ts'

export interface AddedArticle extends AddedItem {
  /** `none`: of such goods none is made, or they are too short to show a part of. */
  readonly preview: 'given' | 'made' | 'none'
  /** What is wrong with the file, or why no preview was made where one might have been: a sentence. */
  readonly previewProblem?: string
}

/** How it is shown holds with the next `publish`, also where the version is to be sold later. @throws IssuerError */
export const addArticle = async (
  issuer: Issuer,
  given: NewItem,
  display: DisplayChange,
  who?: Who,
): Promise<AddedArticle> => {
  // Before anything is added. Its kind by its file is never a code's.
  requirePrintable({ id: given.id, kind: given.kind ?? 'document' }, display)
  const file = await readGoods(issuer, given)
  const added = await addItem(issuer, { ...given, file }, who)
  const { id, contentHash, mediaType } = added.item
  if (Object.keys(display).length > 0) await setDisplay(issuer, id, display, who)
  if (isSoldByUnit(added.item)) return { ...added, preview: display.preview == null ? 'none' : 'given' }
  let problem: string | undefined
  const make = async () => {
    const made = await previewApart({ content: file.bytes, mediaType })
    problem = made.problem
    return made.preview
  }
  const preview = await setMadePreview(issuer, { itemId: id, contentHash }, make)
  // Whether the goods are whole, a preview that a person gave does not tell.
  if (preview === 'given') await make()
  return { ...added, preview, ...(problem === undefined ? {} : { previewProblem: problem }) }
}
