/** By what a merchant's kiosks, and his customers' claim pages, are recognised. */
import { useState } from 'react'
import * as v from 'valibot'
import type { MerchantDetail } from '../../console-contract/merchants.ts'
import { useChange } from '../api/query.ts'
import { useMay } from '../api/session.ts'
import { ChangeableCard } from './ChangeableCard.tsx'
import { Form, SelectField, TextField } from './Form.tsx'
import { GoodsPreview } from './Goods.tsx'
import { KeyValue } from './layout.tsx'
import { FileField, sent } from './Upload.tsx'
import { Code } from './values.tsx'

function ChangeBrand({ merchant, onDone }: { merchant: MerchantDetail; onDone: () => void }) {
  const { accent: before, logo } = merchant.brand
  const [accent, setAccent] = useState(before ?? '')
  const [file, setFile] = useState<File>()
  const [kept, setKept] = useState('kept')
  const change = useChange(v.object({}), `/merchants/${merchant.merchantNo}/brand`)
  const submit = async () => {
    const wish = accent.trim() === '' ? null : accent.trim()
    await change.mutateAsync({ accent: wish, ...(kept === 'none' ? { logo: null } : { logo: await sent(file) }) })
    onDone()
  }
  return (
    <Form submit="Keep the change" onSubmit={submit} onCancel={onDone}>
      <TextField
        label="Accent"
        hint='A colour such as "#1f6f5c". Where it would not be readable, a darker or lighter tone is shown. Left empty: none.'
        placeholder="#1f6f5c"
        spellCheck={false}
        value={accent}
        onChange={setAccent}
      />
      {logo === undefined ? null : (
        <SelectField
          label="Logo"
          value={kept}
          options={[
            ['kept', 'Keep it, or take another'],
            ['none', 'None any more'],
          ]}
          onChange={setKept}
        />
      )}
      {kept === 'none' ? null : (
        <FileField
          label={logo === undefined ? 'Logo' : 'Another logo'}
          hint="PNG, JPEG, WebP or SVG of up to 128 KiB, best a square. Left empty: as it is."
          accept=".png,.jpg,.jpeg,.webp,.svg"
          onChange={setFile}
        />
      )}
    </Form>
  )
}

export function Brand({ merchant }: { merchant: MerchantDetail }) {
  const may = useMay('operate')
  const { accent, logo } = merchant.brand
  return (
    <ChangeableCard
      title="Name and look"
      may={may}
      dialog={`How ${merchant.merchant} is recognised`}
      form={(onDone) => <ChangeBrand merchant={merchant} onDone={onDone} />}
    >
      {logo !== undefined && may ? (
        <div className="brand-logo">
          <GoodsPreview
            contentHash={logo.contentHash}
            mediaType={logo.mediaType}
            title={`Logo of ${merchant.merchant}`}
          />
        </div>
      ) : null}
      <KeyValue
        pairs={[
          ['Accent', accent === undefined ? 'none: the kiosk’s own' : <Code key="accent">{accent}</Code>],
          ['Logo', logo === undefined ? 'none' : 'given'],
        ]}
      />
      <p className="hint">Kiosks show it after the next publication, claim pages at once.</p>
    </ChangeableCard>
  )
}
