/** Files that people choose, and how they reach the issuer: sent first, and named by their hash afterwards. */
import { uploaded } from '../../console-contract/catalogue.ts'
import { post } from '../api/client.ts'
import { FormField } from './Form.tsx'

/** Uploads what was chosen; undefined: nothing was. */
export const sent = async (file: File | undefined) => {
  if (file === undefined) return undefined
  const { contentHash } = await post(uploaded, `/catalogue/uploads?fileName=${encodeURIComponent(file.name)}`, file)
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
