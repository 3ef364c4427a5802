/** Files that people choose, and how they reach the issuer: sent first, and named by their hash afterwards. */
import { type Uploaded, uploadBytesMax, uploaded } from '../../console-contract/catalogue.ts'
import { post } from '../api/client.ts'
import { FormField } from './Form.tsx'

/** What cannot be taken is not sent first. @throws Error with a sentence for the person */
export const upload = async (file: File): Promise<Uploaded> => {
  if (file.size === 0) throw new Error(`${file.name} is empty: copy it again, or choose another.`)
  if (file.size > uploadBytesMax)
    throw new Error(
      `${file.name} is too large: files of up to ${uploadBytesMax / 2 ** 20} MiB are sold. Make it smaller, or split it.`,
    )
  return post(uploaded, `/catalogue/uploads?fileName=${encodeURIComponent(file.name)}`, file)
}

/** Uploads what was chosen; undefined: nothing was. */
export const sent = async (file: File | undefined) => {
  if (file === undefined) return undefined
  const { contentHash } = await upload(file)
  return { contentHash, fileName: file.name }
}

export function FileField({
  label,
  hint,
  accept,
  onChange,
}: {
  label: string
  hint: string
  accept: string
  onChange: (file: File | undefined) => void
}) {
  return (
    <FormField label={label} hint={hint}>
      {(field) => (
        <input {...field} type="file" accept={accept} onChange={(event) => onChange(event.target.files?.[0])} />
      )}
    </FormField>
  )
}
